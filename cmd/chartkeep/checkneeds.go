package main

import (
	"context"
	"fmt"

	"chartkeep/chunk"
	"chartkeep/cmd/internal/ui"
	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/snapshot"
)

// follow finds out what the damage means for the snapshots.
func (k *checkRun) follow(ctx context.Context) error {
	all, _, err := snapshot.All(ctx, k.r) // what cannot be read is a fault already
	if err != nil {
		return err
	}
	roots := make([]*snapshot.Node, len(all))
	for i, s := range all {
		roots[i] = &s.Root
	}
	marks := new(snapshot.Marks)
	if err := snapshot.Mark(ctx, k.r, marks, roots, k.missed); err != nil {
		return err
	}
	if err := k.weigh(ctx, marks); err != nil {
		return err
	}
	if err := k.followBin(ctx, marks); err != nil {
		return err
	}
	if err := k.noteLeftovers(ctx, marks); err != nil {
		return err
	}
	k.noteGaps(all)
	if k.missing > 0 {
		k.found = append(k.found, repo.Fault{
			File: "snapshots", Repair: repairSnapshots, Problem: fmt.Errorf("%s that they need cannot be had", ui.Counted(k.missing, "piece")),
		})
	}
	if len(k.needed)+k.missing == 0 {
		return nil
	}
	return k.name(ctx, all)
}

const (
	repairIndex     = "chartkeep repair index"
	repairSnapshots = "chartkeep repair snapshots"
	emptyBin        = "chartkeep bin empty"
)

// missed takes what a snapshot needs and what is not as it should be.
func (k *checkRun) missed(f snapshot.Fault) {
	if f.ID != (chunk.ID{}) {
		k.missing++
		return
	}
	fault := repo.Fault{File: "index", Problem: f.Err, Mendable: true, Repair: repairIndex}
	if f.Hides {
		fault = repo.Fault{File: "snapshots", Problem: f.Err, Repair: repairSnapshots}
	}
	k.found = append(k.found, fault)
}

// weigh counts what snapshots need of the damaged blocks: chunks that have no
// other place. Damage that was known before is said again only if there is some.
func (k *checkRun) weigh(ctx context.Context, marks *snapshot.Marks) error {
	ix, err := k.r.Index(ctx)
	if err != nil {
		return err
	}
	damaged := k.damagedBlocks()
	for info, err := range ix.Packs() {
		if err != nil {
			return err
		}
		if damaged[info.ID] == nil {
			continue
		}
		d, err := ix.Directory(info.ID)
		if err != nil {
			return err
		}
		if n := neededOf(d, info.First, damaged[info.ID], marks); n > 0 {
			k.needed[info.ID] = n
		}
	}
	k.sortKnown()
	return nil
}

// damagedBlocks are the offsets of all blocks that are known to be damaged, by
// pack.
func (k *checkRun) damagedBlocks() map[index.PackID]map[uint32]bool {
	damaged := map[index.PackID]map[uint32]bool{}
	for _, b := range append(blocksOf(k.known), k.lost...) {
		if damaged[b.Pack] == nil {
			damaged[b.Pack] = map[uint32]bool{}
		}
		damaged[b.Pack][b.Offset] = true
	}
	return damaged
}

func blocksOf(set map[index.DamagedBlock]bool) (blocks []index.DamagedBlock) {
	for b := range set {
		blocks = append(blocks, b)
	}
	return blocks
}

// neededOf counts the marked chunks of some blocks.
func neededOf(d *index.Directory, ordinal uint64, blocks map[uint32]bool, marks *snapshot.Marks) (n int) {
	for _, b := range d.Blocks {
		for range b.Chunks {
			if blocks[b.Offset] && marks.Has(ordinal) {
				n++
			}
			ordinal++
		}
	}
	return n
}

// sortKnown tells damage that is news, or still costs something, from damage
// that has been said and is healed: that is a note.
func (k *checkRun) sortKnown() {
	var found []repo.Fault
	said := map[index.PackID]bool{}
	for _, f := range k.found {
		said[f.Pack] = true
		if len(f.Lost) > 0 && k.needed[f.Pack] == 0 && k.allKnown(f.Lost) {
			k.notes = append(k.notes, f.File+" is damaged, as an earlier check found; nothing that snapshots need is lost, and chartkeep prune removes it")
			continue
		}
		found = append(found, f)
	}
	for p, n := range k.needed {
		if !said[p] {
			found = append(found, repo.Fault{
				File: "packs/" + p.String()[:2] + "/" + p.String(), Pack: p, Repair: repairSnapshots,
				Problem: fmt.Errorf("%s that snapshots need cannot be read, as an earlier check found; chartkeep check --read-data looks again", ui.Counted(n, "chunk")),
			})
		}
	}
	k.found = found
}

func (k *checkRun) allKnown(blocks []index.DamagedBlock) bool {
	for _, b := range blocks {
		if !k.known[b] {
			return false
		}
	}
	return true
}

// noteLeftovers counts the packs that no index names and nothing needs.
func (k *checkRun) noteLeftovers(ctx context.Context, marks *snapshot.Marks) error {
	unnamed := k.r.Unnamed()
	ix, err := k.r.Index(ctx)
	if err != nil || len(unnamed) == 0 {
		return err
	}
	number, size := 0, int64(0)
	for info, err := range ix.Packs() {
		if err != nil {
			return err
		}
		if unnamed[info.ID] && !marks.Any(info.First, uint64(info.Chunks)) {
			number++
			size += int64(info.Size)
		}
	}
	if number > 0 {
		k.notes = append(k.notes, fmt.Sprintf("a run that was cut off left %s, %s; the next backup uses what it can of them, and chartkeep prune removes the rest",
			ui.Counted(number, "pack"), ui.Size(size)))
	}
	return nil
}

// noteGaps counts snapshots whose predecessor is gone: forgotten, or removed by
// somebody who ought not to.
func (k *checkRun) noteGaps(all []*snapshot.Snapshot) {
	there := map[repo.DocumentID]bool{"": true}
	for _, s := range all {
		there[s.ID], there[s.Original] = true, true
	}
	gaps := 0
	for _, s := range all {
		if !there[s.Previous] {
			gaps++
			k.Detail(1, "the snapshot before %s of %s is gone", s.ID.Short(), ui.Time(s.Time))
		}
	}
	if gaps > 0 {
		k.Detail(1, "%s gone before others were made, or since; forget leaves such gaps", ui.Counted(gaps, "snapshot"))
	}
}

// name finds the files and folders that have lost something.
func (k *checkRun) name(ctx context.Context, all []*snapshot.Snapshot) error {
	bad, err := unreadable(ctx, k.r)
	if err != nil {
		return err
	}
	whole := map[chunk.ID]bool{}
	for _, s := range all {
		err := snapshot.FindAffected(ctx, k.r, s, bad, whole, func(a snapshot.Affected) { k.affected = append(k.affected, a) })
		if err != nil {
			return err
		}
	}
	return nil
}

// unreadable tells the chunks that are in no pack, or only in damaged blocks.
func unreadable(ctx context.Context, r *repo.Repository) (func(chunk.ID) bool, error) {
	ix, err := r.Index(ctx)
	return func(id chunk.ID) bool {
		has, err := ix.Has(id)
		return err == nil && !has
	}, err
}
