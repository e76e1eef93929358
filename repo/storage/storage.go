// Package storage is the place where a repository's files lie: a folder, a
// bucket, a piece of memory.
//
// # Nouns
//
// A store holds files under names. A name is a slash-separated path of plain
// elements (see CheckName), such as "packs/3f/3f9c…"; a folder is nothing but
// the common beginning of names and comes and goes with them. A file is written
// once, as a whole, and never changed: it can be read, listed and removed.
//
// # Guarantees
//
// Every store keeps the contract of Store, which the suite in storagetest
// checks; above all:
//
//   - A file appears under its name complete or not at all, and once Put has
//     returned nil it is there after a power cut too.
//   - Nothing is overwritten. The one exception, Replacer, exists for putting a
//     healed file in the place of a damaged one.
//   - A missing drive is ErrAbsent, never an empty store, so that nobody takes
//     an unplugged repository for one whose files are gone.
//
// What not every store can do stands in small interfaces of its own (Locker,
// Replacer, Space, Cleaner and others), each beside a function that asks the store for it,
// as io/fs does.
package storage

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"
)

// Store holds immutable files under names. All methods may be called by several
// goroutines at once, and several processes may use one place at once.
//
// Errors wrap fs.ErrExist, fs.ErrNotExist, fs.ErrInvalid (a name that CheckName
// refuses) and the sentinels of this package where these say what happened.
type Store interface {
	// Put writes the parts, one after the other, as the file name. It returns
	// nil when the file is durable. When the name is taken it returns
	// fs.ErrExist and leaves the old file as it is; after any other error
	// nothing is under the name. The parts are not kept and not changed.
	Put(ctx context.Context, name string, parts ...[]byte) error

	// Open returns the file for reading, or fs.ErrNotExist. The caller closes it.
	Open(ctx context.Context, name string) (File, error)

	// List yields every file below the folder dir, at any depth, sorted by
	// name; "" means the whole store. A folder that is not there is empty. An
	// error concerns one file or folder, named by the Info that comes with it:
	// the listing goes on with the others unless the caller stops it.
	List(ctx context.Context, dir string) iter.Seq2[Info, error]

	// Remove deletes the file, durably, or returns fs.ErrNotExist.
	Remove(ctx context.Context, name string) error
}

// File is an open file of a store. ReadAt may be called by several goroutines
// at once.
type File interface {
	io.ReaderAt
	io.Closer
	// Size is the length of the file in bytes when it was opened.
	Size() int64
}

// Info describes one file of a listing.
type Info struct {
	Name    string
	Size    int64 // bytes
	ModTime time.Time
}

var (
	// ErrLocked says that another holder's lock stood in the way until the wait
	// was over.
	ErrLocked = errors.New("locked by another run")

	// ErrNoSpace says that the place is full, or the user's quota of it.
	ErrNoSpace = errors.New("no space left")

	// ErrReadOnly says that the place takes no writes: it is protected, or the
	// system has stopped writing to it because of errors.
	ErrReadOnly = errors.New("the drive takes no writes")

	// ErrAbsent says that the place itself is not there: the folder is missing,
	// the drive was pulled, the server cannot be reached. An error that wraps
	// it never wraps fs.ErrNotExist, which is about one file.
	ErrAbsent = errors.New("storage is absent")
)
