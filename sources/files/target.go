package files

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"chartkeep/sources"
)

// A Target is a folder to restore into. Paths are those of entries: absolute,
// with the Target as their root. It is safe for concurrent use on different
// paths.
//
// Nothing that is asked of a Target reaches out of it: a path with "." or ".."
// or without a leading slash is an error, and every folder on the way is opened
// by name relative to the one above it, never through a symbolic link. So a
// snapshot that holds first a link /a to /etc and then a file /a/passwd fails
// at the file.
//
// What stands where something is written is replaced, and only when the new
// thing is complete: it is written under a temporary name ".chartkeep-…" beside
// it and renamed, so other hard links to the old file, and those who have it
// open, keep it as it was. Where nothing stands, files are written under their
// own names at once. A folder is never replaced unless it is empty.
//
// Nothing is flushed to the disk before Sync.
type Target struct {
	options TargetOptions
	pool    pool[handle]
	outs    pool[out]
	top     *folder
	owners  *owners
	numbers numbers

	folders atlas

	mu      sync.Mutex
	refused map[string]int // what the system does not let this user do
}

// TargetOptions say how a Target is written to.
type TargetOptions struct {
	// Owners says who owns what is restored.
	Owners OwnerRule

	// InPlace overwrites regular files where they stand: other hard links to
	// them change too, and a failure leaves them damaged.
	InPlace bool

	// Strict makes it an error if something that is not a folder stands where
	// a folder should be. It is removed otherwise.
	Strict bool
}

// An OwnerRule says how owners are restored.
type OwnerRule uint8

// The rules for owners.
const (
	OwnersByNumber OwnerRule = iota // as the numbers in Meta
	OwnersByName                    // as this machine's numbers for the names in Meta, where it knows them
	OwnersIgnored                   // as whoever restores
)

// ErrOccupied says that something stands where something else should be, and
// may not be replaced.
var ErrOccupied = errors.New("something else is in its place")

// errPath is for paths that no entry has.
var errPath = errors.New("not a path in the target")

const idleOuts = 128

// OpenTarget opens the folder dir, and makes it first if there is none.
func OpenTarget(dir string, o TargetOptions) (*Target, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("open target: %w", err)
	}
	t := &Target{
		options: o,
		owners:  newOwners(),
		numbers: newNumbers(),
		refused: map[string]int{},
	}
	t.pool.limit, t.outs.limit = spare(idleHandles), spare(idleOuts)
	t.top = topFolder(&t.pool, dir)
	t.folders.last = t.top
	if _, err := t.top.acquire(); err != nil {
		return nil, fmt.Errorf("open target: %w", pathError("open", dir, err))
	}
	return t, nil // top stays in use until Close
}

// Close gives up all handles. It does not wait for the disk; see Sync.
func (t *Target) Close() error {
	t.top.release()
	t.pool.retire()
	t.outs.retire()
	return nil
}

// locate returns the folder in which path is a name. The folder may not exist.
func (t *Target) locate(path string) (*folder, string, error) {
	if path == "/" {
		return t.top, ".", nil
	}
	i := strings.LastIndexByte(path, '/')
	if i < 0 || !nameIsSafe(path[i+1:]) {
		return nil, "", errPath
	}
	f, err := t.folders.find(path[:i])
	return f, path[i+1:], err
}

// in calls do with the handle of path's folder and path's name in it, and
// names path in its error.
func (t *Target) in(op, path string, do func(h handle, name string) error) error {
	f, name, err := t.locate(path)
	if err != nil {
		return pathError(op, path, err)
	}
	h, err := f.acquire()
	if err != nil {
		return pathError(op, path, err)
	}
	defer f.release()
	return pathError(op, path, do(h, name))
}

// Lstat returns the metadata of what stands at path.
func (t *Target) Lstat(path string) (m sources.Meta, err error) {
	err = t.in("lstat", path, func(h handle, name string) error {
		return h.stat(name, false, &m)
	})
	if err == nil {
		t.owners.name(&m)
	}
	return m, err
}

// Attributes returns the extended attributes of what stands at path, sorted by
// name.
func (t *Target) Attributes(path string) (list []sources.Attribute, err error) {
	err = t.in("attributes", path, func(h handle, name string) error {
		var m sources.Meta
		if err := h.stat(name, false, &m); err != nil {
			return err
		}
		list, err = h.attributes(name, m.Kind)
		return err
	})
	return list, err
}

// List returns the names in the folder path, sorted by their bytes.
func (t *Target) List(path string) ([]string, error) {
	if path == "" {
		return nil, pathError("list", path, errPath)
	}
	f, err := t.folders.find(strings.TrimSuffix(path, "/"))
	if err != nil {
		return nil, pathError("list", path, err)
	}
	names, err := f.list()
	return names, pathError("list", path, err)
}

func (f *folder) list() ([]string, error) {
	h, err := f.acquire()
	if err != nil {
		return nil, err
	}
	defer f.release()
	var l listing
	if err := h.list(&l, make([]byte, 32<<10)); err != nil {
		return nil, err
	}
	names := make([]string, l.len())
	for i := range names {
		names[i] = string(l.at(i))
	}
	slices.Sort(names)
	return names, nil
}

// Open opens the regular file at path for reading.
func (t *Target) Open(path string) (sources.File, error) {
	var f *file
	err := t.in("open", path, func(h handle, name string) (err error) {
		f, err = h.openFile(name)
		return err
	})
	if err != nil {
		return nil, err
	}
	f.path, f.owners = path, t.owners
	return f, nil
}
