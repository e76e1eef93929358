package local

import (
	"io"
	"io/fs"

	"chartkeep/repo/storage"
)

// FS is what a store needs of a file system, so that a simulated one can be put
// under it (storagetest.CrashFS). Paths are those of the operating system, as
// filepath makes them. Errors are those of package os: they wrap fs.ErrExist and
// fs.ErrNotExist, and errors.ErrUnsupported for what the file system cannot do.
type FS interface {
	Files
	Folders
	Names
	Medium
}

// Files makes and opens files.
type Files interface {
	// Create makes an empty file for writing, readable by its owner only.
	Create(path string) (File, error)
	// Open opens a file for reading.
	Open(path string) (File, error)
	// Stat describes a file or folder; of a symbolic link, what it points to.
	Stat(path string) (fs.FileInfo, error)
}

// File is an open file, for writing in order or for reading anywhere.
type File interface {
	io.Writer
	io.ReaderAt
	io.Closer
	Stat() (fs.FileInfo, error)
	// Sync returns when the bytes and the length are on the medium. It says
	// nothing about the name.
	Sync() error
}

// Folders makes and lists folders.
type Folders interface {
	// Mkdir makes one folder, open to its owner only.
	Mkdir(path string) error
	// ReadDir returns the folder's entries, in any order.
	ReadDir(path string) ([]fs.DirEntry, error)
	// SyncDir returns when the names in the folder are on the medium, and the
	// absence of those that were removed.
	SyncDir(path string) error
}

// Names moves and removes files without touching their bytes.
type Names interface {
	// Rename moves a file, in the place of another if there is one.
	Rename(from, to string) error
	// RenameNew moves a file, or returns fs.ErrExist.
	RenameNew(from, to string) error
	// Link gives a file a second name, or returns fs.ErrExist.
	Link(from, to string) error
	// Remove removes a file or an empty folder.
	Remove(path string) error
}

// Medium is what a file system does as a whole.
type Medium interface {
	// TryLock locks the file path for as long as the result is open and the
	// process lives, making the file if it is not there, or returns
	// storage.ErrLocked at once.
	TryLock(path string, mode storage.LockMode) (io.Closer, error)
	// Space returns the bytes free for this user, and all bytes.
	Space(path string) (free, total uint64, err error)
}
