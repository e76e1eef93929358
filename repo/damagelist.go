package repo

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"chartkeep/index"
)

// DamagedBlocks returns the blocks that checks have recorded as beyond repair,
// each once, by pack and offset.
func (r *Repository) DamagedBlocks(ctx context.Context) ([]index.DamagedBlock, error) {
	all, _, err := r.damageRecords(ctx)
	return all, err
}

// damageRecords reads all records of damage that can be read, and names them.
func (r *Repository) damageRecords(ctx context.Context) (all []index.DamagedBlock, read []DocumentID, err error) {
	ids, err := r.ListDocuments(ctx, Damage)
	if err != nil {
		return nil, nil, err
	}
	for _, id := range ids {
		blocks, err := r.readDamage(ctx, id)
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if err != nil {
			r.options.Warn(fmt.Errorf("damage record %s: %w", id.Short(), err))
			continue
		}
		all, read = append(all, blocks...), append(read, id)
	}
	return sortBlocks(all), read, nil
}

func sortBlocks(blocks []index.DamagedBlock) []index.DamagedBlock {
	slices.SortFunc(blocks, func(a, b index.DamagedBlock) int {
		return cmp.Or(slices.Compare(a.Pack[:], b.Pack[:]), cmp.Compare(a.Offset, b.Offset))
	})
	return slices.Compact(blocks)
}

// SettleDamage strikes out of the records of damage what is over: blocks that
// turned out to be good, were mended, or whose pack is gone. The new record is
// durable before the old ones go.
func (w *Writer) SettleDamage(ctx context.Context, over func(index.DamagedBlock) bool) error {
	all, read, err := w.r.damageRecords(ctx)
	if err != nil {
		return err
	}
	left := slices.DeleteFunc(slices.Clone(all), over)
	if len(left) == len(all) && len(read) <= 1 {
		return nil
	}
	if len(left) > 0 {
		if err := w.RecordDamage(ctx, left); err != nil {
			return err
		}
	}
	if err := w.r.removeDocuments(ctx, Damage, read); err != nil {
		return err
	}
	return w.r.loadDamage(ctx)
}

// Assume makes these blocks count as damaged, and these packs as whole, until the
// repository is closed, whatever is on record: for what a check has found, where
// the medium may take no record.
func (r *Repository) Assume(ctx context.Context, damaged []index.DamagedBlock, whole []index.PackID) error {
	if _, err := r.Index(ctx); err != nil {
		return err
	}
	r.assumed.mu.Lock()
	r.assumed.damaged = append(r.assumed.damaged, damaged...)
	if r.assumed.whole == nil {
		r.assumed.whole = map[index.PackID]bool{}
	}
	for _, p := range whole {
		r.assumed.whole[p] = true
	}
	r.assumed.mu.Unlock()
	return r.loadDamage(ctx)
}
