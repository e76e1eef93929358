package restore

import (
	"context"
	"fmt"

	"github.com/dustin/go-humanize"

	"chartkeep/snapshot"
	"chartkeep/sources"
)

// preflight counts what will be restored and compares it with the free space,
// before anything is written. A file that is there and will be replaced makes no
// room: it goes only when the new one is whole.
func (x *run) preflight(ctx context.Context, root *snapshot.Node) error {
	p := x.o.Progress
	if p.TotalBytes.Load() == 0 {
		m := measure{run: x, seen: map[inode]bool{}}
		files, bytes, err := m.below(ctx, "", root)
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

// measure sums up what is going to be written.
type measure struct {
	*run
	seen map[inode]bool // files with several names take room once
}

// below sums up the selected files below a node.
func (x measure) below(ctx context.Context, path string, n *snapshot.Node) (files, bytes int64, err error) {
	if n.Meta.Kind != sources.Dir {
		files, bytes = x.file(path, n)
		return files, bytes, nil
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
		f, b, err := x.below(ctx, p, c)
		if err != nil {
			return files, bytes, err
		}
		files, bytes = files+f, bytes+b
	}
	return files, bytes, nil
}

// file is what one entry other than a folder takes. Holes that stand in the node
// take nothing; those of a long content list are not looked for.
func (x measure) file(path string, n *snapshot.Node) (files, bytes int64) {
	if skip, _ := x.keeps(path, n); skip || n.State&snapshot.Unreadable != 0 {
		return 0, 0
	}
	if key := (inode{n.Meta.Device, n.Meta.Inode}); n.Meta.Links > 1 {
		if x.seen[key] {
			return 1, 0
		}
		x.seen[key] = true
	}
	bytes = n.Meta.Size
	for _, r := range n.Content.Refs {
		if r.Hole() {
			bytes -= int64(r.Size)
		}
	}
	return 1, bytes
}
