package local

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/gofrs/flock"

	"chartkeep/repo/storage"
)

// System returns the file system of the operating system.
func System() FS { return system{} }

// system is the operating system's file system. What differs from one to the
// other stands in the files beside this one.
type system struct{}

func (system) Create(path string) (File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return newFileWriter(f), nil
}

func (system) Open(path string) (File, error) {
	f, err := openShared(path)
	if err != nil {
		return nil, err
	}
	return newFileReader(f), nil
}

func (system) Stat(path string) (fs.FileInfo, error) { return os.Stat(path) }

func (system) Mkdir(path string) error { return os.Mkdir(path, 0o700) }

func (system) ReadDir(path string) ([]fs.DirEntry, error) { return os.ReadDir(path) }

func (system) SyncDir(path string) error { return syncDir(path) }

func (system) Rename(from, to string) error { return rename(from, to) }

func (system) RenameNew(from, to string) error {
	if err := renameNew(from, to); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

func (system) Link(from, to string) error {
	err := os.Link(from, to)
	if errors.Is(err, fs.ErrPermission) { // how Linux says that the file system has no links
		err = errors.Join(errors.ErrUnsupported, err)
	}
	return err
}

func (system) Remove(path string) error { return remove(path) }

func (system) Space(path string) (free, total uint64, err error) {
	free, total, err = space(path)
	if err != nil {
		err = &fs.PathError{Op: "statfs", Path: path, Err: err}
	}
	return free, total, err
}

func (system) TryLock(path string, mode storage.LockMode) (io.Closer, error) {
	l := flock.New(path, flock.SetPermissions(0o600))
	try := l.TryRLock
	if mode == storage.Exclusive {
		try = l.TryLock
	}
	ok, err := try()
	switch {
	case errors.Is(err, syscall.ENOLCK): // NFS without its lock service
		return nil, errors.Join(errors.ErrUnsupported, err)
	case err != nil:
		return nil, &fs.PathError{Op: "lock", Path: path, Err: err}
	case !ok:
		return nil, storage.ErrLocked
	}
	return l, nil
}

// systemFile is an os.File that forgives a file system for having no fsync.
type systemFile struct{ *os.File }

func (f systemFile) Sync() error {
	err := f.File.Sync()
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}
