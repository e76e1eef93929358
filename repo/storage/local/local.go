// Package local is a store in a folder of a file system: a drive of the machine,
// an external drive, a mounted share.
//
//	packs/3f/3f9c…   the files, under their names
//	tmp/<run>/<n>    files being written by one living run
//	tmp/<run>/lock   held locked by that run for as long as it lives
//	lock             what Lock locks, by flock; its being there means nothing
//	runlock          what LockRun locks, likewise
//
// # How a file becomes durable
//
//	make the folder, if it is new        and fsync the folder it is in
//	write tmp/<run>/<n>                  in order, without joining the parts
//	fsync the file                       its bytes are on the medium
//	rename it, refusing to overwrite     its name appears, with all of it
//	fsync the folder                     its name is on the medium
//
// Each step is needed: a file system may write names before bytes, bytes before
// names, and any name before any other. The crash tests cut the power between
// all of them.
//
// After a failed fsync the kernel may call pages clean that never reached the
// medium, and a second fsync of the same file would then report success for lost
// data (Rebello et al., "Can Applications Recover from fsync Failures?", USENIX
// ATC 2020). So the file is written anew, once, under another temporary name,
// and only then does Put give up.
//
// # What the file system may lack
//
// Renaming without overwriting is renameat2 or renamex_np where there is such a
// thing, else link and unlink, else (exFAT behind FUSE) a look and a rename, one
// at a time. Where nothing can be locked, a shared lock is granted without one:
// nobody can hold the exclusive one there. The same goes for a drive that
// cannot be written to, so that a restore from it works. A file system that
// knows no fsync at all is taken at its word.
package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"syscall"

	"chartkeep/repo/storage"
)

// Store is a store in a folder. Closing it removes its own temporary folder; a
// store that is not closed leaves that to a later CleanTemp.
type Store struct {
	fsys    FS
	root    string
	device  uint64 // of root when it was opened, 0 if unknown
	folders *folders
	arm     *arm
	temp    temp
}

var _ interface {
	storage.Store
	storage.Locker
	storage.Replacer
	storage.Space
	storage.Cleaner
	storage.Witness
	storage.Tracer
	storage.Uncacher
	storage.Namer
	storage.RunLocker
	io.Closer
} = (*Store)(nil)

// New opens the store in the folder dir. A folder that is not there is
// storage.ErrAbsent. Nothing is written before the first Put, so that the folder
// may lie on a read-only drive.
func New(dir string) (*Store, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", dir, err)
	}
	return NewOn(System(), abs)
}

// Create makes the folder dir and those above it as far as they are missing, and
// opens the store in it.
func Create(dir string) (*Store, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("create store %s: %w", dir, err)
	}
	return CreateOn(System(), abs)
}

// NewOn is New on a file system of the caller's.
func NewOn(fsys FS, dir string) (*Store, error) {
	info, err := fsys.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", dir, storage.Absent(err))
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("open store %s: %w", dir, syscall.ENOTDIR)
	}
	s := &Store{fsys: fsys, root: dir, device: device(info), arm: newArm()}
	s.folders = newFolders(fsys, dir, s.gone)
	s.temp = temp{fsys: fsys, dir: filepath.Join(dir, "tmp"), gone: s.gone}
	return s, nil
}

// CreateOn is Create on a file system of the caller's.
func CreateOn(fsys FS, dir string) (*Store, error) {
	if err := makeRoot(fsys, dir); err != nil {
		return nil, fmt.Errorf("create store %s: %w", dir, storage.Classify(err))
	}
	return NewOn(fsys, dir)
}

// Open opens a file for reading.
func (s *Store) Open(ctx context.Context, name string) (storage.File, error) {
	f, err := s.open(ctx, name)
	if err != nil {
		return nil, s.explain("open", name, err)
	}
	return f, nil
}

func (s *Store) open(ctx context.Context, name string) (storage.File, error) {
	if err := errors.Join(ctx.Err(), storage.CheckName(name)); err != nil {
		return nil, err
	}
	f, err := s.fsys.Open(s.path(name))
	if err != nil {
		return nil, asMissing(err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fs.ErrNotExist
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &file{f, info.Size(), s.arm}, nil
}

// Remove deletes a file and returns when its name is gone from the medium.
func (s *Store) Remove(ctx context.Context, name string) error {
	return s.explain("remove", name, s.remove(ctx, name))
}

func (s *Store) remove(ctx context.Context, name string) error {
	if err := errors.Join(ctx.Err(), storage.CheckName(name)); err != nil {
		return err
	}
	path := s.path(name)
	info, err := s.fsys.Stat(path)
	if err == nil && info.IsDir() { // removing by name would take an empty folder as well
		err = fs.ErrNotExist
	}
	if err != nil {
		return asMissing(err)
	}
	folder, _ := s.folders.get(filepath.Dir(path))
	return folder.commit(func() error { return s.fsys.Remove(path) }, nil)
}

// Space returns the bytes free for this user, and the size of the file system.
func (s *Store) Space(context.Context) (free, total uint64, err error) {
	free, total, err = s.fsys.Space(s.root)
	return free, total, s.explain("measure", s.root, err)
}

// Close removes the store's temporary folder.
func (s *Store) Close() error {
	return s.temp.close()
}

func (s *Store) path(name string) string {
	return filepath.Join(s.root, filepath.FromSlash(name))
}

// explain names operation and object in an error, and the absence of the whole
// store as such.
func (s *Store) explain(operation, object string, err error) error {
	if err == nil {
		return nil
	}
	err = storage.Classify(err)
	if errors.Is(err, fs.ErrNotExist) {
		if gone := s.gone(); gone != nil {
			err = storage.Absent(gone)
		}
	}
	return fmt.Errorf("%s %s: %w", operation, object, err)
}

// gone returns an error when the root is not there any more, or when it is
// another drive's: what is left of a mount point after the drive is an empty
// folder, in which every file seems to be missing.
func (s *Store) gone() error {
	info, err := s.fsys.Stat(s.root)
	if err != nil {
		return err
	}
	if device(info) != s.device {
		return fmt.Errorf("%s is on another drive than before", s.root)
	}
	return nil
}

// asMissing makes one error of the ways in which a file can not be there: its
// folder may be missing, or be a file.
func asMissing(err error) error {
	if errors.Is(err, syscall.ENOTDIR) {
		return fmt.Errorf("%w: %v", fs.ErrNotExist, err)
	}
	return err
}

// file is an open file of the store.
type file struct {
	File
	size int64
	arm  *arm
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	return f.arm.read(len(p), func() (int, error) { return f.File.ReadAt(p, off) })
}

func (f *file) Size() int64 { return f.size }
