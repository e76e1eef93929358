package child

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"

	"github.com/gofrs/flock"
)

// A Folder is a private folder for the time of this process.
type Folder struct {
	Path string
	lock *flock.Flock
}

// heldFile is the file in a folder that its maker holds a lock on.
const heldFile = "held"

// MakeFolder makes a folder in dir, or in the system's for temporary files if dir
// is empty, with a name that begins with prefix. Those that processes left there
// that live no more are removed.
func MakeFolder(dir, prefix string) (*Folder, error) {
	if dir == "" {
		dir = os.TempDir()
	}
	if err := sweep(dir, prefix); err != nil {
		return nil, err
	}
	path, err := os.MkdirTemp(dir, prefix) // mode 0700
	if err != nil {
		return nil, err
	}
	f := &Folder{Path: path}
	if f.lock, err = hold(path); err != nil {
		return nil, errors.Join(err, os.RemoveAll(path))
	}
	return f, nil
}

// hold locks a file and then gives it its name: one that can be seen and is not
// locked is of a process that is gone.
func hold(path string) (*flock.Flock, error) {
	named := filepath.Join(path, heldFile)
	fresh := named + ".new"
	if runtime.GOOS == "windows" { // it renames no file that is open
		fresh = named
	}
	lock := flock.New(fresh)
	if err := lock.Lock(); err != nil {
		return nil, err
	}
	return lock, os.Rename(fresh, named)
}

// sweep removes what was left. Folders of other accounts, which this one may not
// look into, stay.
func sweep(dir, prefix string) error {
	found, err := filepath.Glob(filepath.Join(dir, prefix+"*", heldFile))
	if err != nil {
		return err
	}
	var errs []error
	for _, file := range found {
		lock := flock.New(file, flock.SetFlag(os.O_RDONLY))
		if free, err := lock.TryLock(); err != nil || !free {
			continue
		}
		errs = append(errs, lock.Close(), os.RemoveAll(filepath.Dir(file)))
	}
	return errors.Join(errs...)
}

// Remove removes the folder with all that is in it.
func (f *Folder) Remove() error {
	return errors.Join(f.lock.Close(), os.RemoveAll(f.Path))
}
