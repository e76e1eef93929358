// Package sources says what a backup is made from, whatever it comes from.
//
// A Source yields entries: files and folders of a disk, or one stream that
// stands for a file (a database's dump, a command's output). An Entry has a
// path, its Meta (what the file system knows without opening it) and a
// Content, which opens it when its bytes or its extended attributes are
// needed. Entries that did not change since the last backup are never opened.
//
// # Order
//
// Entries come depth first. A directory comes before what it holds, the names
// in a directory are sorted by their bytes, and all that lies below a
// directory comes in one piece:
//
//	/            Dir
//	/srv         Dir
//	/srv/a       Dir
//	/srv/a/x     Regular
//	/srv/a-b     Regular      '-' sorts before '/', yet a's content comes first
//	/usr         Dir
//
// So a reader needs one open directory per level, and can close a directory
// for good when an entry comes that does not lie below it.
//
// # Errors
//
// An entry that cannot be read is yielded with Err set, and the walk goes on:
// one unreadable file must not cost the backup of the others.
//
// The kinds of source stand in the folders beside this one. Package sources
// knows nothing of repositories.
package sources

import (
	"context"
	"io"
	"iter"
)

// A Source yields its entries in the order the package comment describes.
// Every call walks anew. When ctx ends or the loop breaks, the walk stops and
// everything it started has ended before Entries' loop returns; an entry
// whose Err is ctx's error is then the last.
type Source interface {
	Entries(ctx context.Context) iter.Seq[Entry]
}

// An Entry is one file, directory, link or special file.
type Entry struct {
	// Path is absolute and slash-separated, "/" for the root, without "." or
	// ".." or doubled slashes. Its bytes are the file system's own and need
	// not be UTF-8. A Windows drive is the first element: "/C/Users".
	Path string

	// Meta is what lstat says. Meta.Kind is zero when not even that is known,
	// which happens only together with Err.
	Meta Meta

	// Content opens the entry. It is nil when Err is set. It may be used from
	// any goroutine, also after the walk has moved on or ended.
	Content Content

	// Err says why the entry could not be read. On a directory whose Meta is
	// known it means that the list of what lies in it is missing or not
	// complete; the directory itself can be saved.
	Err error
}

// Content gives access to what is in an entry.
type Content interface {
	// Open opens a regular file for reading, and fails for everything else. It
	// may be called again, to read once more what changed while it was read.
	// When another regular file has taken its place since it was seen, that is
	// what is opened, as the File's Meta shows; anything else is an error.
	Open() (File, error)

	// Attributes returns the extended attributes sorted by name, ACLs among
	// them (system.posix_acl_access, system.posix_acl_default).
	Attributes() ([]Attribute, error)
}

// A Fetcher is Content that can be opened some time before it is read.
type Fetcher interface {
	// Fetch opens a file as Open does, and has it brought into memory without
	// waiting for that. Where it would have to wait for other files to be closed
	// it fails, and Open is still to be tried.
	Fetch() (File, error)
}

// A File is the open content of a regular file. It is not safe for concurrent
// use.
type File interface {
	io.ReadCloser

	// Meta is the file's metadata now. A reader compares it with what it had
	// before to learn whether the file changed while it was read. Target is
	// empty, and User and Group are as in the entry.
	Meta() (Meta, error)
}

// A Sparse is a File that knows where its holes are.
type Sparse interface {
	// Extents returns the parts of the file that hold data, sorted and not
	// touching each other; all else up to the size reads as zeros. Nil means
	// that there are no holes, or that the file system does not tell; a file
	// that is one hole has an empty list that is not nil. It does not move
	// the position of Read.
	Extents() ([]Extent, error)
}

// An Extent is a run of bytes.
type Extent struct {
	Offset, Length int64
}

// Extents returns f's data extents if f is Sparse, and nil otherwise.
func Extents(f File) ([]Extent, error) {
	if s, ok := f.(Sparse); ok {
		return s.Extents()
	}
	return nil, nil
}

// An Attribute is one extended attribute. The name carries its namespace, as
// in user.comment.
type Attribute struct {
	Name  string
	Value []byte
}
