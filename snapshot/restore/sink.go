package restore

import (
	"fmt"

	"chartkeep/sources"
)

// A Sink takes entries back. Paths are relative to it, slash-separated, without
// a slash in front; "" is its root. Its methods are safe for concurrent use for
// different paths.
type Sink interface {
	// Lstat returns what is there; fs.ErrNotExist.
	Lstat(path string) (sources.Meta, error)
	// List names what is in a folder.
	List(path string) ([]string, error)
	// Mkdir makes a folder, or leaves the one that is there. What else is in
	// the way is replaced.
	Mkdir(path string) error
	// WriteFile makes a file of at most a few MiB with all it has, replacing what
	// is there.
	WriteFile(path string, data []byte, m sources.Meta, attrs []sources.Attribute) error
	// Create makes a file to be written in pieces, replacing what is there when
	// it is closed with Commit.
	Create(path string, size int64, sparse bool) (File, error)
	Symlink(path string, m sources.Meta, attrs []sources.Attribute) error
	Link(path, to string) error
	Special(path string, m sources.Meta, attrs []sources.Attribute) error
	// SetMeta gives a folder its metadata.
	SetMeta(path string, m sources.Meta, attrs []sources.Attribute) error
	// RemoveAll removes what is there and all below it.
	RemoveAll(path string) error
	// Free is how many bytes can be written; ok is false when nobody knows.
	Free() (n uint64, ok bool)
}

// A File is being restored. WriteAt may be called for different ranges at the
// same time. Either Commit or Discard ends it.
type File interface {
	WriteAt(p []byte, off int64) (int, error)
	// Commit sets the metadata and puts the file in its place.
	Commit(m sources.Meta, attrs []sources.Attribute) error
	Discard() error
}

// Overwrite says what happens to files that are there already.
type Overwrite uint8

// The policies, as the command line names them.
const (
	Always Overwrite = iota
	IfChanged
	IfNewer
	Never
)

var overwriteNames = [...]string{"always", "if-changed", "if-newer", "never"}

func (o Overwrite) String() string { return overwriteNames[o] }

// ParseOverwrite reads a policy's name.
func ParseOverwrite(s string) (Overwrite, error) {
	for i, n := range overwriteNames {
		if n == s {
			return Overwrite(i), nil
		}
	}
	return 0, fmt.Errorf("unknown overwrite policy %q: always, if-changed, if-newer or never", s)
}
