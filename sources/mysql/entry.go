package mysql

import (
	"bytes"
	"errors"
	"os"

	"chartkeep/sources"
)

// fileMeta is the metadata of every file. Times are not known: a file whose
// times are not known is always read, and one that has the same bytes as the
// night before is the same node.
func fileMeta() sources.Meta {
	m := sources.Meta{Kind: sources.Regular, Mode: 0o600, Links: 1}
	if uid, gid := os.Getuid(), os.Getgid(); uid >= 0 {
		m.UID, m.GID = uint32(uid), uint32(gid)
	}
	return m
}

func folderEntry(path string) sources.Entry {
	m := fileMeta()
	m.Kind, m.Mode = sources.Dir, 0o700
	return sources.Entry{Path: path, Meta: m, Content: content{}}
}

// fixedEntry is a file in memory.
func fixedEntry(path string, b []byte) sources.Entry {
	m := fileMeta()
	m.Size = int64(len(b))
	return sources.Entry{Path: path, Meta: m, Content: content{open: func() (sources.File, error) {
		return &fixedFile{*bytes.NewReader(b), m}, nil
	}}}
}

// content opens a file; that of a folder has nothing to open.
type content struct {
	open func() (sources.File, error)
}

func (c content) Open() (sources.File, error) {
	if c.open == nil {
		return nil, errors.New("not a regular file")
	}
	return c.open()
}

func (content) Attributes() ([]sources.Attribute, error) { return nil, nil }

// streamed is the content of a table's file.
type streamed struct{ content }

// Streamed says that the size is known only when all has been read.
func (streamed) Streamed() {}

// urgent is the content of a table's file while its writers wait.
type urgent struct{ streamed }

// Urgent says that somebody waits until it has been read.
func (urgent) Urgent() {}

// A fixedFile is an open file in memory.
type fixedFile struct {
	bytes.Reader
	meta sources.Meta
}

func (f *fixedFile) Meta() (sources.Meta, error) { return f.meta, nil }

func (*fixedFile) Close() error { return nil }
