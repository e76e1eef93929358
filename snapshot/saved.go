package snapshot

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"strings"

	"chartkeep/repo"
	"chartkeep/sources"
)

// Saved is what a snapshot holds of one source that is no files: the folder dir,
// for a sink to bring back. Every byte is verified as it is read.
func Saved(r *repo.Repository, dir *Node) sources.Restorable { return saved{r, dir} }

type saved struct {
	r   *repo.Repository
	dir *Node
}

// Files implements sources.Restorable.
func (s saved) Files(ctx context.Context) (files []sources.SavedFile, err error) {
	err = Walk(ctx, s.r, s.dir, "/", func(p string, n *Node, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", p, err)
		case n.State&Unreadable != 0:
			return fmt.Errorf("%s: it could not be read when the snapshot was made", p)
		case n.Meta.Kind == sources.Regular:
			files = append(files, sources.SavedFile{Path: strings.TrimPrefix(p, "/"), Size: int64(n.Content.Size())})
		}
		return nil
	})
	return files, err
}

// Open implements sources.Restorable.
func (s saved) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	n, err := Lookup(ctx, s.r, s.dir, path.Join("/", name))
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", fs.ErrNotExist, err)
	}
	if n.Meta.Kind != sources.Regular {
		return nil, fmt.Errorf("%s is a %s", name, n.Meta.Kind)
	}
	ctx, stop := context.WithCancel(ctx)
	in, out := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		out.CloseWithError(Stream(ctx, s.r, only(Entry{name, n}), func(Entry) error { return nil }, out))
	}()
	return &savedReader{in, stop, done}, nil
}

func only(e Entry) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) { yield(e, nil) }
}

// savedReader reads what a goroutine streams. Close waits for its end.
type savedReader struct {
	*io.PipeReader
	stop context.CancelFunc
	done chan struct{}
}

func (r *savedReader) Close() error {
	r.stop()
	err := r.PipeReader.Close()
	<-r.done
	return err
}
