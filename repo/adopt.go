package repo

import (
	"context"
	"fmt"
	"maps"
	"path"
	"sync"

	"chartkeep/chunk"
	"chartkeep/index"
	"chartkeep/repo/storage"
)

// unnamed are the packs that are in the index although no segment names them:
// what a run that was cut off left behind, or what a lost segment named. The
// index has them in memory only.
type unnamed struct {
	mu     sync.Mutex
	sought bool // a chunk was missing, and all packs were looked into for it
	packs  map[index.PackID]bool
}

// again has the packs looked into once more when a chunk is missing.
func (u *unnamed) again() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.sought = false
}

// forget takes out packs that a segment names now.
func (u *unnamed) forget(dirs []*index.Directory) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, d := range dirs {
		delete(u.packs, d.Pack)
	}
}

// Unnamed returns the packs that no segment names, as far as there was reason
// to look for them. A check has looked for all.
func (r *Repository) Unnamed() map[index.PackID]bool {
	r.unnamed.mu.Lock()
	defer r.unnamed.mu.Unlock()
	return maps.Clone(r.unnamed.packs)
}

// Places returns where a chunk lies, the best place first. Before it returns
// none it looks, once, into the packs that no segment names: a segment that was
// lost costs time and not data.
func (r *Repository) Places(ctx context.Context, id chunk.ID) ([]index.Place, error) {
	ix, err := r.Index(ctx)
	if err != nil {
		return nil, err
	}
	places, err := ix.Lookup(id)
	if err != nil || len(places) > 0 {
		return places, err
	}
	if err := r.seek(ctx); err != nil {
		return nil, err
	}
	return ix.Lookup(id)
}

func (r *Repository) seek(ctx context.Context) error {
	r.unnamed.mu.Lock()
	defer r.unnamed.mu.Unlock()
	if r.unnamed.sought {
		return nil
	}
	err := r.adoptPacks(ctx)
	r.unnamed.sought = err == nil
	return err
}

// adoptPacks adds the packs that the index does not know to the index in memory.
// One that cannot be read is a warning.
func (r *Repository) adoptPacks(ctx context.Context) error {
	unlisted, err := r.UnlistedPacks(ctx)
	if err != nil {
		return err
	}
	for _, p := range unlisted {
		d, err := r.ReadDirectory(ctx, p)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			r.options.Warn(fmt.Errorf("pack %.8s, which no index segment names: %w", p, err))
			continue
		}
		if err := r.adopt(d); err != nil {
			return err
		}
	}
	return nil
}

func (r *Repository) adopt(d *index.Directory) error {
	if r.unnamed.packs == nil {
		r.unnamed.packs = map[index.PackID]bool{}
	}
	r.unnamed.packs[d.Pack] = true
	return r.index.Add(d)
}

// nameAdopted publishes segments that name the adopted packs but those of gone,
// so that whatever comes to refer to them finds them.
func (r *Repository) nameAdopted(ctx context.Context, gone map[index.PackID]bool) error {
	var packs []index.PackID
	for p := range r.Unnamed() {
		if !gone[p] {
			packs = append(packs, p)
		}
	}
	return r.publishKnown(ctx, packs, func(string) {})
}

// UnlistedPacks returns the packs in the store that the index does not know:
// left by a run that did not end, or of a segment that was lost.
func (r *Repository) UnlistedPacks(ctx context.Context) ([]index.PackID, error) {
	known := map[index.PackID]bool{}
	for info, err := range r.index.Packs() {
		if err != nil {
			return nil, err
		}
		known[info.ID] = true
	}
	var unlisted []index.PackID
	for file, err := range storage.Names(ctx, r.store, "packs") {
		if err != nil {
			return nil, fmt.Errorf("list packs: %w", err)
		}
		id, err := index.ParsePackID(path.Base(file))
		if err == nil && !known[id] {
			unlisted = append(unlisted, id)
		}
	}
	return unlisted, nil
}
