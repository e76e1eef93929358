package files

import (
	"errors"
	"strings"

	"chartkeep/sources"
)

var (
	errNotFolder  = errors.New("not a folder")
	errNotRegular = errors.New("not a regular file")
)

// A node is the Content of an entry. It keeps its folder, not the folder's
// handle, so any number of nodes may be kept.
type node struct {
	owners *owners
	folder *folder
	path   string
	kind   sources.Kind
}

// base returns the last element of an entry's path, which is "." in its folder
// for the topmost.
func base(path string) string {
	if path == "/" {
		return "."
	}
	return path[strings.LastIndexByte(path, '/')+1:]
}

// Open implements sources.Content. Programs save a file by putting another in its
// place, so another regular file is as good.
func (n *node) Open() (sources.File, error) {
	f, err := n.open()
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (n *node) open() (*file, error) {
	if n.kind != sources.Regular {
		return nil, pathError("open", n.path, errNotRegular)
	}
	h, err := n.folder.acquire()
	if err != nil {
		return nil, pathError("open", n.path, err)
	}
	defer n.folder.release()
	f, err := h.openFile(base(n.path))
	if tooMany(err) && n.folder.pool.evict(0) {
		f, err = h.openFile(base(n.path))
	}
	if err != nil {
		return nil, pathError("open", n.path, err)
	}
	f.path, f.owners = n.path, n.owners
	return f, nil
}

// Attributes implements sources.Content.
func (n *node) Attributes() ([]sources.Attribute, error) {
	h, err := n.folder.acquire()
	if err != nil {
		return nil, pathError("open", n.path, err)
	}
	defer n.folder.release()
	list, err := h.attributes(base(n.path), n.kind)
	return list, pathError("attributes", n.path, err)
}
