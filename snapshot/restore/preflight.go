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
		files, bytes, err := m.below(ctx, nil, root)
		if err != nil {
			return err
		}
		p.TotalFiles.Store(files)
		p.TotalBytes.Store(bytes)
	}
	free, ok := x.sink.Free()
	if !ok || x.o.DryRun || uint64(p.TotalBytes.Load()) <= free {
		return nil
	}
	m := measure{run: x, seen: map[inode]bool{}, holes: true, free: int64(free)} // worth reading the long lists
	_, need, err := m.below(ctx, nil, root)
	if err != nil {
		return err
	}
	if uint64(need) > free {
		return fmt.Errorf("%w: it takes %s, and %s are free", ErrSpace, humanize.IBytes(uint64(need)), humanize.IBytes(free))
	}
	return nil
}

// measure sums up what is going to be written.
type measure struct {
	*run
	seen  map[inode]bool // files with several names take room once
	holes bool           // look for the holes of long content lists, too
	free  int64          // bytes beyond which there is no need to look on
}

// below sums up the selected files below a node.
func (x measure) below(ctx context.Context, path []byte, n *snapshot.Node) (files, bytes int64, err error) {
	if n.Meta.Kind != sources.Dir {
		files, bytes = x.file(ctx, string(path), n)
		return files, bytes, nil
	}
	for c, err := range snapshot.Tree(ctx, x.r, n.Tree) {
		if ctx.Err() != nil {
			return files, bytes, ctx.Err()
		}
		if err != nil {
			continue // said when it is restored
		}
		p := enter(path, c.Name)
		isDir := c.Meta.Kind == sources.Dir
		if selected, below := x.o.Select(string(p), isDir); !selected && (!isDir || !below) {
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
// take nothing; those of a long content list are looked for when that is wanted.
func (x measure) file(ctx context.Context, path string, n *snapshot.Node) (files, bytes int64) {
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
	if x.holes && n.Content.Level > 0 {
		bytes = x.stored(ctx, n)
	}
	return 1, bytes
}

// stored is what a file has of chunks, or so much of it that there is no room for.
// Where its list cannot be read it is the file's length.
func (x measure) stored(ctx context.Context, n *snapshot.Node) (bytes int64) {
	for r, err := range snapshot.Chunks(ctx, x.r, n.Content) {
		if err != nil || bytes > x.free {
			return max(bytes, n.Meta.Size)
		}
		if !r.Hole() {
			bytes += int64(r.Size)
		}
	}
	return bytes
}
