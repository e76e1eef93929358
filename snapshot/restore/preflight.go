package restore

import (
	"context"
	"fmt"

	"github.com/dustin/go-humanize"

	"chartkeep/snapshot"
	"chartkeep/sources"
)

// preflight counts what will be restored and compares it with the free space,
// before anything is written. What is there already is not counted against it:
// a file is replaced only when the new one is whole.
func (x *run) preflight(ctx context.Context, root *snapshot.Node) error {
	p := x.o.Progress
	if p.TotalBytes.Load() == 0 {
		files, bytes, err := x.measure(ctx, "", root)
		if err != nil {
			return err
		}
		p.TotalFiles.Store(files)
		p.TotalBytes.Store(bytes)
	}
	free, ok := x.sink.Free()
	if need := uint64(p.TotalBytes.Load()); ok && !x.o.DryRun && need > free {
		return fmt.Errorf("%w: it takes %s, and %s are free", ErrSpace, humanize.IBytes(need), humanize.IBytes(free))
	}
	return nil
}

// measure sums up the selected files below a node.
func (x *run) measure(ctx context.Context, path string, n *snapshot.Node) (files, bytes int64, err error) {
	if n.Meta.Kind != sources.Dir {
		return 1, n.Meta.Size, nil
	}
	for c, err := range snapshot.Tree(ctx, x.r, n.Tree) {
		if ctx.Err() != nil {
			return files, bytes, ctx.Err()
		}
		if err != nil {
			continue // said when it is restored
		}
		p := join(path, c.Name)
		isDir := c.Meta.Kind == sources.Dir
		if selected, below := x.o.Select(p, isDir); !selected && (!isDir || !below) {
			continue
		}
		f, b, err := x.measure(ctx, p, c)
		if err != nil {
			return files, bytes, err
		}
		files, bytes = files+f, bytes+b
	}
	return files, bytes, nil
}
