package files

import (
	"errors"
	"io/fs"
)

// A folder is a directory of the disk that can be opened whenever it is
// needed: by its name in its parent, the topmost one by its path.
type folder struct {
	shared[handle]
	parent *folder // nil for the topmost
	name   string  // in parent; or the topmost one's path
	follow bool    // name may be a symbolic link: the user wrote it
}

func topFolder(p *pool[handle], path string) *folder {
	return &folder{shared: shared[handle]{pool: p}, name: path, follow: true}
}

func (f *folder) child(name string) *folder {
	return &folder{shared: shared[handle]{pool: f.pool}, parent: f, name: name}
}

// acquire returns f's handle, which stays open until release.
func (f *folder) acquire() (handle, error) {
	if f.hold() {
		return f.handle, nil
	}
	return f.shared.acquire(f.reach)
}

// reach opens f anew.
func (f *folder) reach() (handle, identity, error) {
	h, err := f.openByName()
	if err != nil {
		return h, identity{}, err
	}
	id, err := h.identity()
	if err != nil {
		err = errors.Join(err, h.close())
	}
	return h, id, err
}

func (f *folder) openByName() (handle, error) {
	if f.parent == nil {
		return openTop(f.name)
	}
	above, err := f.parent.acquire()
	if err != nil {
		return above, err
	}
	defer f.parent.release()
	return above.openFolder(f.name, f.follow)
}

// pathError names the whole path in an error about one name of it.
func pathError(op, path string, err error) error {
	switch e := err.(type) {
	case nil:
		return nil
	case *MetaError:
		return e
	case *fs.PathError:
		err = e.Err
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}
