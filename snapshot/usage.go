package snapshot

import (
	"context"

	"chartkeep/repo"
)

// Usage is what snapshots take, in bytes and numbers.
type Usage struct {
	Snapshots int64
	Files     int64 // of all snapshots together
	Restored  int64 // bytes of those files: what a restore of every snapshot would write

	Chunks int64 // different ones that the snapshots need
	Plain  int64 // their plaintext
	Sealed int64 // what they take, compressed and sealed: their share of their blocks
	Lost   int64 // chunks and pieces that are needed and cannot be had
}

// Measure sums up what snapshots take. A chunk counts once, whatever number of
// them needs it.
func Measure(ctx context.Context, r *repo.Repository, all []*Snapshot) (Usage, error) {
	u := Usage{Snapshots: int64(len(all))}
	roots := make([]*Node, len(all))
	for i, s := range all {
		u.Files += s.Summary.Files
		u.Restored += s.Summary.Bytes
		roots[i] = &s.Root
	}
	marks := new(Marks)
	if err := Mark(ctx, r, marks, roots, func(Fault) { u.Lost++ }); err != nil {
		return u, err
	}
	return u, u.sum(ctx, r, marks)
}

// sum adds up the marked chunks of every pack.
func (u *Usage) sum(ctx context.Context, r *repo.Repository, marks *Marks) error {
	ix, err := r.Index(ctx)
	if err != nil {
		return err
	}
	for info, err := range ix.Packs() {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		d, err := ix.Directory(info.ID)
		if err != nil {
			return err
		}
		ordinal := info.First
		for _, b := range d.Blocks {
			var need uint64
			for _, c := range b.Chunks {
				if marks.Has(ordinal) {
					need += uint64(c.Length)
					u.Chunks++
				}
				ordinal++
			}
			u.Plain += int64(need)
			u.Sealed += int64(uint64(b.Sealed) * need / max(1, uint64(b.Plain)))
		}
	}
	return nil
}
