package sources

import (
	"context"
	"io"
)

// A Restorable is what was saved of one source that is no files, such as a
// database: the files that lay below /NAME, wherever they are kept now. A sink
// reads it to bring the source back. It is safe for concurrent use.
type Restorable interface {
	// Files returns all files, sorted by path.
	Files(ctx context.Context) ([]SavedFile, error)

	// Open opens a file. What Read returns before io.EOF is what was saved, and
	// a file that cannot be had whole ends with another error. A path that is
	// not there is fs.ErrNotExist.
	Open(ctx context.Context, path string) (io.ReadCloser, error)
}

// A SavedFile is a file of a Restorable.
type SavedFile struct {
	Path string // slash-separated, relative to /NAME: "database.json", "shop/definitions.sql"
	Size int64  // bytes
}
