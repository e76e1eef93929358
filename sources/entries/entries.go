// Package entries makes the entries of sources that are no folder on a drive: a
// database's tables and descriptions.
package entries

import (
	"bytes"
	"errors"
	"os"

	"chartkeep/sources"
)

// Meta is the metadata of every file. Times are not known: a file whose times
// are not known is always read, and one that has the same bytes as the night
// before is the same node.
func Meta() sources.Meta {
	m := sources.Meta{Kind: sources.Regular, Mode: 0o600, Links: 1}
	if uid, gid := os.Getuid(), os.Getgid(); uid >= 0 {
		m.UID, m.GID = uint32(uid), uint32(gid)
	}
	return m
}

// Folder is a folder. It comes before what is in it.
func Folder(path string) sources.Entry {
	m := Meta()
	m.Kind, m.Mode = sources.Dir, 0o700
	return sources.Entry{Path: path, Meta: m, Content: Content(nil)}
}

// Fixed is a file that is in memory.
func Fixed(path string, b []byte) sources.Entry {
	return sources.Entry{Path: path, Meta: Meta(), Content: Content(func() (sources.File, error) {
		return &fixedFile{*bytes.NewReader(b)}, nil
	})}
}

// A Content opens a file; that of a folder is nil. It has no attributes.
type Content func() (sources.File, error)

// Open opens the file.
func (c Content) Open() (sources.File, error) {
	if c == nil {
		return nil, errors.New("not a regular file")
	}
	return c()
}

// Attributes returns none.
func (Content) Attributes() ([]sources.Attribute, error) { return nil, nil }

// Stream is the content of a file that may be long.
type Stream struct{ Content }

// Streamed says that the size is known only when all has been read.
func (Stream) Streamed() {}

// Urgent is the content of a file that somebody waits for.
type Urgent struct{ Stream }

// Urgent says that somebody waits until it has been read.
func (Urgent) Urgent() {}

// A fixedFile is an open file in memory.
type fixedFile struct{ bytes.Reader }

func (f *fixedFile) Meta() (sources.Meta, error) {
	m := Meta()
	m.Size = f.Reader.Size()
	return m, nil
}

func (*fixedFile) Close() error { return nil }
