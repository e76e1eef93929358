package main

import (
	"context"
	"fmt"

	"chartkeep/cmd/internal/ui"
	"chartkeep/repo"
	"chartkeep/snapshot"
)

// followBin finds out whether what is in the bin can be taken back whole. What
// it needs is marked with the rest; what snapshots miss as well is said of them.
func (k *checkRun) followBin(ctx context.Context, marks *snapshot.Marks) error {
	bin, err := snapshot.ReadBin(ctx, k.r)
	if err != nil {
		return err
	}
	for _, b := range bin.Broken {
		k.brokenEntry(b)
	}
	for _, d := range bin.All {
		lost, err := k.lostOf(ctx, d, marks)
		if err != nil {
			return err
		}
		if lost > 0 {
			k.found = append(k.found, repo.Fault{
				File: "bin/" + string(d.Entry), Repair: emptyBin + " " + d.ID.Short(),
				Problem: fmt.Errorf("snapshot %s is forgotten, and cannot be taken back whole: %s of it cannot be had", d.ID.Short(), ui.Counted(lost, "piece")),
			})
		}
	}
	return nil
}

// brokenEntry takes an entry that cannot be read, unless its file is known to be
// damaged by now.
func (k *checkRun) brokenEntry(b repo.BrokenEntry) {
	file := "bin/" + string(b.Entry)
	for _, f := range k.found {
		if !f.Mendable && (f.File == file || f.File == "copies/"+file) {
			return
		}
	}
	k.found = append(k.found, repo.Fault{File: file, Problem: b.Err, Repair: emptyBin + " " + b.Entry.Short()})
}

// lostOf counts what a snapshot in the bin needs, and nothing before it, and
// cannot be had.
func (k *checkRun) lostOf(ctx context.Context, d *snapshot.Discarded, marks *snapshot.Marks) (lost int, err error) {
	before, err := k.neededDamage(ctx, marks)
	if err != nil {
		return 0, err
	}
	err = snapshot.Mark(ctx, k.r, marks, []*snapshot.Node{&d.Root}, func(snapshot.Fault) { lost++ })
	if err != nil {
		return 0, err
	}
	after, err := k.neededDamage(ctx, marks)
	return lost + after - before, err
}

// neededDamage counts the marked chunks of damaged blocks.
func (k *checkRun) neededDamage(ctx context.Context, marks *snapshot.Marks) (n int, err error) {
	damaged := k.damagedBlocks()
	if len(damaged) == 0 {
		return 0, nil
	}
	ix, err := k.r.Index(ctx)
	if err != nil {
		return 0, err
	}
	for info, err := range ix.Packs() {
		if err != nil {
			return 0, err
		}
		if damaged[info.ID] == nil {
			continue
		}
		d, err := ix.Directory(info.ID)
		if err != nil {
			return 0, err
		}
		n += neededOf(d, info.First, damaged[info.ID], marks)
	}
	return n, nil
}
