//go:build !linux && !darwin

package files

import (
	"os"

	"chartkeep/sources"
)

// A file is a regular file open for reading.
type file struct {
	*os.File
	path   string
	owners *owners
	seen   sources.Meta // when it was opened
}

func newFile(open *os.File) (*file, error) {
	f := &file{File: open}
	m, err := f.Meta()
	if err == nil && m.Kind != sources.Regular {
		err = errNotRegular
	}
	if err != nil {
		open.Close()
		return nil, err
	}
	f.seen = m
	return f, nil
}

// Meta returns the file's metadata now.
func (f *file) Meta() (sources.Meta, error) {
	info, err := f.Stat()
	if err != nil {
		return sources.Meta{}, pathError("stat", f.path, err)
	}
	return metaOf(info), nil
}

// spareFiles is how many files may be open only because that is faster.
func spareFiles() int64 { return 256 }
