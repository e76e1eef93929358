package local

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"

	"chartkeep/repo/storage"
)

// folders knows which folders are durable, so that each is made and synced once
// in the life of a store and not with every file.
//
// A folder found is not a folder synced: the run that made it may have been
// killed before, or may not have come to it yet. So what is in a folder when it
// is first used is synced as a whole, and after that each new folder by itself.
type folders struct {
	fsys FS
	root string
	gone func() error // whether the store is still there
	made sync.Mutex   // held while folders are made

	mu sync.Mutex
	at map[string]*folder
}

func newFolders(fsys FS, root string, gone func() error) *folders {
	top := &folder{fsys: fsys, path: root, durable: true}
	return &folders{fsys: fsys, root: root, gone: gone, at: map[string]*folder{root: top}}
}

// get returns what is known of a folder, whether it is there or not.
func (all *folders) get(path string) (f *folder, durable bool) {
	all.mu.Lock()
	defer all.mu.Unlock()
	f, ok := all.at[path]
	if !ok {
		f = &folder{fsys: all.fsys, path: path}
		all.at[path] = f
	}
	return f, f.durable
}

func (all *folders) setDurable(f *folder) {
	all.mu.Lock()
	defer all.mu.Unlock()
	f.durable = true
}

// ensure returns the folder when it, and those above it up to the root, are
// there and durable.
func (all *folders) ensure(path string) (*folder, error) {
	f, durable := all.get(path)
	if durable {
		return f, nil
	}
	all.made.Lock()
	defer all.made.Unlock()
	return f, all.make(f)
}

// doubt forgets which folders are there, after one turned out not to be.
func (all *folders) doubt() {
	all.made.Lock()
	defer all.made.Unlock()
	all.mu.Lock()
	defer all.mu.Unlock()
	for path, f := range all.at {
		f.durable, f.adopted = path == all.root, false
	}
}

func (all *folders) make(f *folder) error {
	if _, durable := all.get(f.path); durable {
		return nil
	}
	parent, _ := all.get(filepath.Dir(f.path))
	if err := all.make(parent); err != nil {
		return err
	}
	if err := all.adopt(parent); err != nil {
		return err
	}
	if _, durable := all.get(f.path); durable {
		return nil
	}
	if gone := all.gone(); gone != nil { // or the folder would be made in the mount point
		return storage.Absent(gone)
	}
	if err := parent.makeIn(f.path); err != nil {
		return err
	}
	all.setDurable(f)
	return nil
}

// adopt makes durable the folders that are in parent already, the first time
// that this store makes one in it.
func (all *folders) adopt(parent *folder) error {
	if parent.adopted || parent.broken != nil {
		return parent.broken
	}
	entries, err := all.fsys.ReadDir(parent.path)
	if err != nil {
		return err
	}
	if err := parent.sync(); err != nil {
		return parent.giveUp(err)
	}
	for _, e := range entries {
		if e.IsDir() {
			f, _ := all.get(filepath.Join(parent.path, e.Name()))
			all.setDurable(f)
		}
	}
	parent.adopted = true
	return nil
}

// folder is one folder of the store.
type folder struct {
	fsys FS
	path string

	names sync.Mutex // held while names in it change and are synced

	// guarded by folders.mu
	durable bool

	// guarded by folders.made
	adopted bool  // the sub-folders found in it are durable
	broken  error // the sync of those failed
}

// commit changes names in the folder and returns when the change is durable. If
// it cannot be made so, it is undone, unless undo is nil, and the error is a
// notSynced.
//
// One change at a time: a failed sync may be reported to one caller only, and
// must not have been about the change of another.
func (f *folder) commit(change, undo func() error) error {
	f.names.Lock()
	defer f.names.Unlock()
	if err := change(); err != nil {
		return err
	}
	err := f.fsys.SyncDir(f.path)
	if err == nil {
		return nil
	}
	if undo != nil {
		if left := undo(); left != nil {
			return errors.Join(err, left)
		}
		f.fsys.SyncDir(f.path) // only tried: it is undone for all who look
	}
	return notSynced{err}
}

func (f *folder) sync() error {
	f.names.Lock()
	defer f.names.Unlock()
	return f.fsys.SyncDir(f.path)
}

// giveUp remembers that folders which somebody else has made in f could not be
// made durable. They cannot be written anew, and a second sync would prove
// nothing.
func (f *folder) giveUp(err error) error {
	f.broken = fmt.Errorf("folders in %s cannot be made durable: %w", f.path, err)
	return f.broken
}

// makeIn makes the folder path in f.
func (f *folder) makeIn(path string) error {
	var found bool
	return f.commit(func() error {
		err := f.fsys.Mkdir(path)
		if found = errors.Is(err, fs.ErrExist); found {
			return nil
		}
		return err
	}, func() error {
		if found {
			return f.giveUp(errors.New("made by another run and not synced"))
		}
		return f.fsys.Remove(path) // so that the next attempt writes the name anew
	})
}

// makeRoot makes the folder of a new store and those above it.
func makeRoot(fsys FS, dir string) error {
	info, err := fsys.Stat(dir)
	if err == nil && !info.IsDir() {
		return &fs.PathError{Op: "mkdir", Path: dir, Err: fs.ErrExist}
	}
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(dir)
	if err := makeRoot(fsys, parent); err != nil {
		return err
	}
	if err := fsys.Mkdir(dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return fsys.SyncDir(parent)
}
