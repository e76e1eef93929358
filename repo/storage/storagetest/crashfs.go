package storagetest

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"math/rand/v2"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"chartkeep/repo/storage"
	"chartkeep/repo/storage/local"
	"chartkeep/repo/storage/mem"
)

// CrashFS is a file system in memory that knows what of it is on the medium: of
// each file the bytes up to the last sync, of each folder the names at the last
// sync. Clone tells what may be left of it after a power cut.
//
// It promises no more than POSIX does, which is less than real file systems do:
// the sync of a file is not one of its name, a rename is a new name and a missing
// one that reach the medium separately, nothing that was not synced has an order,
// and a failed sync leaves the system in the belief that it had succeeded.
//
// The root is ".", and there from the beginning.
type CrashFS struct {
	// Before, if set, is called before each operation, without a lock held, so
	// that it may call Clone. If it returns an error the operation fails with it
	// and is not done. It is set before the first use.
	Before func(op FSOp, path string) error

	mu    sync.Mutex
	root  *node
	locks map[*node]*mem.Store // a store for each lock file, for its lock
}

// FSOp is an operation of a file system.
type FSOp string

// The operations that can fail, or before which the power can be cut, with a
// difference to be seen. Those that only look are not among them.
const (
	FSCreate    FSOp = "create"
	FSWrite     FSOp = "write"
	FSSync      FSOp = "sync"
	FSMkdir     FSOp = "mkdir"
	FSSyncDir   FSOp = "syncdir"
	FSRename    FSOp = "rename"
	FSRenameNew FSOp = "renamenew"
	FSLink      FSOp = "link"
	FSRemove    FSOp = "remove"
)

var _ local.FS = (*CrashFS)(nil)

// NewCrashFS returns an empty file system.
func NewCrashFS() *CrashFS {
	return &CrashFS{root: newNode(true), locks: map[*node]*mem.Store{}}
}

// Clone returns a file system as it may be found after the power was cut now.
// What was synced is there; of the rest, rng decides. The clone is another
// system with nothing in flight, and without Before.
func (c *CrashFS) Clone(rng *rand.Rand) *CrashFS {
	c.mu.Lock()
	defer c.mu.Unlock()
	after := NewCrashFS()
	after.root = c.root.survivor(rng, map[*node]*node{})
	return after
}

// change does one operation that changes the file system.
func (c *CrashFS) change(op FSOp, name string, do func() error) error {
	err := c.before(op, name)
	if err == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		err = do()
	}
	return describe(string(op), name, err)
}

func (c *CrashFS) before(op FSOp, name string) error {
	if c.Before == nil {
		return nil
	}
	return c.Before(op, name)
}

func describe(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// find returns the file or folder of a path.
func (c *CrashFS) find(name string) (*node, error) {
	n := c.root
	for element := range strings.SplitSeq(filepath.ToSlash(name), "/") {
		if element == "." {
			continue
		}
		if !n.folder {
			return nil, syscall.ENOTDIR
		}
		next := n.names[element]
		if next == nil {
			return nil, fs.ErrNotExist
		}
		n = next
	}
	return n, nil
}

// place returns the folder of a path, and the name in it.
func (c *CrashFS) place(name string) (in *node, base string, err error) {
	dir, base := path.Split(filepath.ToSlash(name))
	in, err = c.find(path.Clean(dir))
	if err == nil && !in.folder {
		err = syscall.ENOTDIR
	}
	return in, base, err
}

// add makes a new file or folder under a name.
func (c *CrashFS) add(name string, n *node) error {
	in, base, err := c.place(name)
	if err != nil {
		return err
	}
	if in.names[base] != nil {
		return fs.ErrExist
	}
	in.set(base, n)
	return nil
}

// move gives a file a second name, and then perhaps takes the first one.
func (c *CrashFS) move(from, to string, over, keep bool) error {
	source, old, err := c.place(from)
	if err != nil {
		return err
	}
	target, base, err := c.place(to)
	n := source.names[old]
	switch {
	case err != nil:
		return err
	case n == nil:
		return fs.ErrNotExist
	case target.names[base] != nil && !over:
		return fs.ErrExist
	}
	target.set(base, n)
	if !keep {
		source.set(old, nil)
	}
	return nil
}

// Create makes a file.
func (c *CrashFS) Create(name string) (local.File, error) {
	n := newNode(false)
	if err := c.change(FSCreate, name, func() error { return c.add(name, n) }); err != nil {
		return nil, err
	}
	return &crashFile{c, n, name}, nil
}

// Open opens a file.
func (c *CrashFS) Open(name string) (local.File, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := c.find(name)
	if err != nil {
		return nil, describe("open", name, err)
	}
	return &crashFile{c, n, name}, nil
}

// Stat describes a file or folder.
func (c *CrashFS) Stat(name string) (fs.FileInfo, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := c.find(name)
	if err != nil {
		return nil, describe("stat", name, err)
	}
	return n.info(path.Base(filepath.ToSlash(name))), nil
}

// Mkdir makes a folder.
func (c *CrashFS) Mkdir(name string) error {
	return c.change(FSMkdir, name, func() error { return c.add(name, newNode(true)) })
}

// ReadDir lists a folder.
func (c *CrashFS) ReadDir(name string) ([]fs.DirEntry, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := c.find(name)
	if err == nil && !n.folder {
		err = syscall.ENOTDIR
	}
	if err != nil {
		return nil, describe("readdir", name, err)
	}
	entries := make([]fs.DirEntry, 0, len(n.names))
	for base, entry := range n.names {
		entries = append(entries, fs.FileInfoToDirEntry(entry.info(base)))
	}
	return entries, nil
}

// SyncDir syncs the names in a folder.
func (c *CrashFS) SyncDir(name string) error {
	return c.sync(FSSyncDir, name, func() (*node, error) { return c.find(name) })
}

// sync syncs a file or folder, or if Before says so fails and believes it has.
func (c *CrashFS) sync(op FSOp, name string, which func() (*node, error)) error {
	failed := c.before(op, name)
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := which()
	if err == nil {
		n.sync(failed == nil)
		err = failed
	}
	return describe(string(op), name, err)
}

// Rename moves a file, over another.
func (c *CrashFS) Rename(from, to string) error {
	return c.change(FSRename, to, func() error { return c.move(from, to, true, false) })
}

// RenameNew moves a file to a new name.
func (c *CrashFS) RenameNew(from, to string) error {
	return c.change(FSRenameNew, to, func() error { return c.move(from, to, false, false) })
}

// Link gives a file a second name.
func (c *CrashFS) Link(from, to string) error {
	return c.change(FSLink, to, func() error { return c.move(from, to, false, true) })
}

// Remove removes a file or an empty folder.
func (c *CrashFS) Remove(name string) error {
	return c.change(FSRemove, name, func() error {
		in, base, err := c.place(name)
		if err != nil {
			return err
		}
		switch n := in.names[base]; {
		case n == nil:
			return fs.ErrNotExist
		case len(n.names) > 0:
			return syscall.ENOTEMPTY
		}
		in.set(base, nil)
		return nil
	})
}

// TryLock locks a file. A power cut ends all locks.
func (c *CrashFS) TryLock(name string, mode storage.LockMode) (io.Closer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	file, err := c.find(name)
	if err != nil {
		file = newNode(false)
		err = c.add(name, file)
	}
	if err != nil {
		return nil, describe("lock", name, err)
	}
	if c.locks[file] == nil {
		c.locks[file] = mem.New()
	}
	return c.locks[file].Lock(context.Background(), mode, 0)
}

// Space returns room enough.
func (c *CrashFS) Space(string) (free, total uint64, err error) { return 1 << 59, 1 << 60, nil }

// crashFile is an open file.
type crashFile struct {
	fsys *CrashFS
	node *node
	path string
}

func (f *crashFile) Write(p []byte) (int, error) {
	err := f.fsys.change(FSWrite, f.path, func() error {
		f.node.data = append(f.node.data, p...)
		f.node.mod = time.Now()
		return nil
	})
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

func (f *crashFile) ReadAt(p []byte, off int64) (int, error) {
	f.fsys.mu.Lock()
	defer f.fsys.mu.Unlock()
	return bytes.NewReader(f.node.data).ReadAt(p, off)
}

func (f *crashFile) Stat() (fs.FileInfo, error) {
	f.fsys.mu.Lock()
	defer f.fsys.mu.Unlock()
	return f.node.info(path.Base(filepath.ToSlash(f.path))), nil
}

func (f *crashFile) Sync() error {
	return f.fsys.sync(FSSync, f.path, func() (*node, error) { return f.node, nil })
}

func (f *crashFile) Close() error { return nil }
