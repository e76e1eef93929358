package snapshot

import (
	"context"
	"fmt"

	"chartkeep/repo"
)

// A Discarded is a snapshot in the bin: it is forgotten, and can be taken back.
type Discarded struct {
	*Snapshot
	repo.Discarded
}

// A Bin is what the repository's bin holds.
type Bin struct {
	All    []*Discarded      // the last forgotten first
	Stale  []repo.DocumentID // entries of snapshots that are listed, or have a newer entry
	Broken []repo.BrokenEntry
}

// ReadBin reads the bin. An entry whose snapshot cannot be read is broken.
func ReadBin(ctx context.Context, r *repo.Repository) (*Bin, error) {
	all, stale, broken, err := r.Discarded(ctx)
	if err != nil {
		return nil, err
	}
	b := &Bin{Broken: broken}
	for _, d := range stale {
		b.Stale = append(b.Stale, d.Entry)
	}
	for _, d := range all {
		s, err := openDiscarded(ctx, r, &d)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			b.Broken = append(b.Broken, repo.BrokenEntry{Entry: d.Entry, Err: fmt.Errorf("in the bin: %w", err)})
			continue
		}
		b.All = append(b.All, &Discarded{s, d})
	}
	return b, nil
}

func openDiscarded(ctx context.Context, r *repo.Repository, d *repo.Discarded) (*Snapshot, error) {
	plain, err := r.OpenDiscarded(ctx, d)
	if err != nil {
		return nil, err
	}
	return decodeManifest(d.Snapshot, plain)
}
