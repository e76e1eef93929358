package restore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"chartkeep/chunk"
	"chartkeep/repo"
	"chartkeep/snapshot"
	"chartkeep/sources"
)

// An Opener is a sink whose files can be read again.
type Opener interface {
	Open(path string) (sources.File, error)
}

// Verify reads every selected file back from the sink and compares each chunk's
// ID with the snapshot's. Differences are given to problem; it returns how many
// files were compared.
func Verify(ctx context.Context, r *repo.Repository, root *snapshot.Node, sink Opener, o Options, problem func(path string, err error)) (files int64, err error) {
	if o.Select == nil {
		o.Select = func(string, bool) (bool, bool) { return true, true }
	}
	v := &verifier{r: r, sink: sink, o: o, problem: problem}
	if root.Meta.Kind == sources.Dir {
		err = v.folder(ctx, nil, root)
	} else {
		err = v.node(ctx, []byte(root.Name), root)
	}
	return v.files, err
}

type verifier struct {
	r       *repo.Repository
	sink    Opener
	o       Options
	problem func(string, error)
	files   int64
	buf     []byte
}

func (v *verifier) folder(ctx context.Context, path []byte, dir *snapshot.Node) error {
	for n, err := range snapshot.Tree(ctx, v.r, dir.Tree) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			v.problem(string(path), err)
			continue
		}
		if err := v.node(ctx, enter(path, n.Name), n); err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) node(ctx context.Context, at []byte, n *snapshot.Node) error {
	isDir := n.Meta.Kind == sources.Dir
	path := string(at)
	selected, below := v.o.Select(path, isDir)
	switch {
	case isDir && (selected || below):
		return v.folder(ctx, at, n)
	case n.Meta.Kind == sources.Regular && selected && n.State&snapshot.Unreadable == 0:
		if err := v.file(ctx, path, n); err != nil {
			v.problem(path, err)
		}
		v.files++
	}
	return ctx.Err()
}

// file compares one file with its content list.
func (v *verifier) file(ctx context.Context, path string, n *snapshot.Node) error {
	f, err := v.sink.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for ref, err := range snapshot.Chunks(ctx, v.r, n.Content) {
		if err != nil {
			return err
		}
		if err := v.chunk(f, ref); err != nil {
			return err
		}
	}
	if k, _ := io.ReadFull(f, make([]byte, 1)); k != 0 {
		return errors.New("the restored file is longer than the snapshot's")
	}
	return nil
}

func (v *verifier) chunk(f io.Reader, ref snapshot.Ref) error {
	if ref.Hole() {
		return v.hole(f, int64(ref.Size))
	}
	if uint64(cap(v.buf)) < ref.Size {
		v.buf = make([]byte, min(ref.Size, chunk.MaxSize))
	}
	if ref.Size > uint64(cap(v.buf)) {
		return errors.New("malformed content list")
	}
	b := v.buf[:ref.Size]
	if _, err := io.ReadFull(f, b); err != nil {
		return fmt.Errorf("the restored file ends too soon: %w", err)
	}
	if v.r.Hash(b) != ref.ID {
		return errors.New("the restored file's content differs from the snapshot's")
	}
	return nil
}

func (v *verifier) hole(f io.Reader, size int64) error {
	var page [64 << 10]byte
	for size > 0 {
		b := page[:min(size, int64(len(page)))]
		if _, err := io.ReadFull(f, b); err != nil {
			return fmt.Errorf("the restored file ends too soon: %w", err)
		}
		if !bytes.Equal(b, make([]byte, len(b))) {
			return errors.New("the restored file holds data where the snapshot has a hole")
		}
		size -= int64(len(b))
	}
	return nil
}
