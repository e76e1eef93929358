package restore

import (
	"context"
	"sort"

	"golang.org/x/sync/errgroup"

	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/snapshot"
)

// A batch is as much of the snapshot as is planned at once. Its bounds bound
// the memory of a restore, whatever the size of what is restored.
type batch struct {
	files  []*file
	packs  map[index.PackID]*packPlan
	order  []index.PackID // as first needed, which is near to how they were written
	pieces int

	links   []link
	folders []folder
	paths   int // bytes of the paths of all these
}

const (
	batchPieces = 400_000 // 40 bytes each
	batchFiles  = 32_768
	batchPaths  = 16 << 20 // bytes
)

// packPlan is what a batch needs of one pack.
type packPlan struct {
	pieces  []repo.Piece
	targets []target
}

// target says where a piece goes.
type target struct {
	file   *file
	offset int64
}

// link is a hard link to a file restored before.
type link struct {
	path, to string
	node     *snapshot.Node
}

// folder is a folder whose content is complete with this batch.
type folder struct {
	path string
	node *snapshot.Node
}

func newBatch() *batch { return &batch{packs: map[index.PackID]*packPlan{}} }

func (b *batch) full() bool {
	return b.pieces >= batchPieces || len(b.files) >= batchFiles || b.paths >= batchPaths
}

// complete notes a folder that has all its content with this batch.
func (b *batch) complete(f folder) {
	b.folders = append(b.folders, f)
	b.paths += len(f.path)
}

// link notes a hard link to a file of this batch, or of one before.
func (b *batch) link(l link) {
	b.links = append(b.links, l)
	b.paths += len(l.path)
}

// add plans the content of a file. A chunk that no pack holds is a problem of
// this file only.
func (b *batch) add(ctx context.Context, r *repo.Repository, f *file) error {
	b.files = append(b.files, f)
	b.paths += len(f.path)
	var offset int64
	for ref, err := range snapshot.Chunks(ctx, r, f.node.Content) {
		if err != nil {
			return err
		}
		f.holes = f.holes || ref.Hole()
		if !ref.Hole() {
			places, err := r.Places(ctx, ref.ID)
			if err != nil {
				return err
			}
			if len(places) == 0 {
				return &repo.ChunkError{ID: ref.ID, Err: repo.ErrMissing}
			}
			b.piece(places[0], target{f, offset})
			f.left.Add(1)
		}
		offset += int64(ref.Size)
	}
	return nil
}

func (b *batch) piece(p index.Place, t target) {
	plan := b.packs[p.Pack]
	if plan == nil {
		plan = &packPlan{}
		b.packs[p.Pack] = plan
		b.order = append(b.order, p.Pack)
	}
	plan.pieces = append(plan.pieces, repo.PieceOf(p))
	plan.targets = append(plan.targets, t)
	b.pieces++
}

// Len, Less and Swap sort a plan in the order in which its pack is read.
func (p *packPlan) Len() int           { return len(p.pieces) }
func (p *packPlan) Less(i, k int) bool { return p.pieces[i].Less(p.pieces[k]) }
func (p *packPlan) Swap(i, k int) {
	p.pieces[i], p.pieces[k] = p.pieces[k], p.pieces[i]
	p.targets[i], p.targets[k] = p.targets[k], p.targets[i]
}

// read runs the batch: every pack once, several at a time.
func (b *batch) read(ctx context.Context, r *repo.Repository, workers int, write writeFunc) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workers)
	for _, id := range b.order {
		plan := b.packs[id]
		g.Go(func() error {
			sort.Stable(plan)
			return r.ReadPack(ctx, id, plan.pieces, func(d repo.Delivery) error { return plan.deliver(d, write) })
		})
	}
	return g.Wait()
}

// writeFunc takes data for a file: n pieces that follow one another there. An
// error stands for one piece that cannot be had.
type writeFunc func(t target, n int, data []byte, err error) error

// deliver splits what lies back to back in a block into what lies back to back
// in a file.
func (p *packPlan) deliver(d repo.Delivery, write writeFunc) error {
	if d.Err != nil {
		return write(p.targets[d.From], 1, nil, d.Err)
	}
	data := d.Data
	for i := d.From; i < d.To; {
		n, length := 1, int(p.pieces[i].Length)
		for i+n < d.To && p.targets[i+n] == (target{p.targets[i].file, p.targets[i].offset + int64(length)}) {
			length += int(p.pieces[i+n].Length)
			n++
		}
		if err := write(p.targets[i], n, data[:length], nil); err != nil {
			return err
		}
		data, i = data[length:], i+n
	}
	return nil
}
