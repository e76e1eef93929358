package repo

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"chartkeep/chunk"
	"chartkeep/index"
)

// damageRecord is the stored form of what a check found beyond repair: for each
// pack the offsets of the blocks that do not open.
type damageRecord struct {
	Packs []damagedPack `cbor:"1,keyasint"`
}

type damagedPack struct {
	Pack   []byte   `cbor:"1,keyasint"`
	Blocks []uint32 `cbor:"2,keyasint"`
}

// assumed is what counts without being on record.
type assumed struct {
	mu      sync.Mutex
	damaged []index.DamagedBlock
	whole   map[index.PackID]bool
}

// forget takes back that packs are whole.
func (a *assumed) forget(damaged []index.DamagedBlock) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, b := range damaged {
		delete(a.whole, b.Pack)
	}
}

// RecordDamage stores that these blocks are beyond repair. Their chunks count
// as missing from then on: the next run whose data holds them stores them anew.
func (w *Writer) RecordDamage(ctx context.Context, blocks []index.DamagedBlock) error {
	var rec damageRecord
	w.r.assumed.forget(blocks)
	for i, b := range blocks {
		if i == 0 || b.Pack != blocks[i-1].Pack {
			rec.Packs = append(rec.Packs, damagedPack{Pack: b.Pack[:]})
		}
		last := &rec.Packs[len(rec.Packs)-1]
		last.Blocks = append(last.Blocks, b.Offset)
	}
	plain, err := canonical.Marshal(&rec)
	if err != nil {
		return err
	}
	if _, err := w.PutDocument(ctx, Damage, plain); err != nil {
		return fmt.Errorf("record the damage: %w", err)
	}
	return w.r.loadDamage(ctx)
}

// loadDamage tells the index what earlier checks found, and what is assumed.
func (r *Repository) loadDamage(ctx context.Context) error {
	ids, err := r.ListDocuments(ctx, Damage)
	if err != nil || !r.CanRead() {
		return err
	}
	var all []index.DamagedBlock
	for _, id := range ids {
		blocks, err := r.readDamage(ctx, id)
		if err != nil {
			r.options.Warn(fmt.Errorf("damage record %s: %w", id.Short(), err))
			continue
		}
		all = append(all, blocks...)
	}
	r.assumed.mu.Lock()
	defer r.assumed.mu.Unlock()
	all = slices.DeleteFunc(all, func(b index.DamagedBlock) bool { return r.assumed.whole[b.Pack] })
	all = append(all, r.assumed.damaged...)
	r.damaged.Store(int64(len(all)))
	r.index.SetDamaged(all)
	return nil
}

func (r *Repository) readDamage(ctx context.Context, id DocumentID) ([]index.DamagedBlock, error) {
	plain, err := r.GetDocument(ctx, Damage, id)
	if err != nil {
		return nil, err
	}
	var rec damageRecord
	if err := unmarshalCanonical(plain, &rec); err != nil {
		return nil, err
	}
	var blocks []index.DamagedBlock
	for _, p := range rec.Packs {
		if len(p.Pack) != len(index.PackID{}) {
			return nil, fmt.Errorf("malformed pack ID: %w", ErrDamaged)
		}
		for _, off := range p.Blocks {
			blocks = append(blocks, index.DamagedBlock{Pack: index.PackID(p.Pack), Offset: off})
		}
	}
	return blocks, nil
}

// Lost returns a function that tells chunks which are known to be unreadable,
// or nil when no chunk is.
func (r *Repository) Lost() func(chunk.ID) bool {
	if r.index == nil || r.damaged.Load() == 0 {
		return nil
	}
	return func(id chunk.ID) bool {
		has, err := r.index.Has(id)
		return err == nil && !has
	}
}
