package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/ui"
	"chartkeep/index"
	"chartkeep/repo"
)

// packRepair is a run of repair packs.
type packRepair struct {
	*program
	r        *repo.Repository
	mendable []repo.Fault
	beyond   []repo.Fault
	back     []index.PackID // whole, though an earlier check found damage
	done     repaired
}

func (p *program) repairPacks(c *cli.Context) error {
	return p.reading(c.Context, func(r *repo.Repository) error {
		x := &packRepair{program: p, r: r, done: repaired{Type: "summary", DryRun: c.Bool("dry-run"), Mended: []string{}, Lost: []string{}}}
		if err := x.find(c.Context, c.Args().Slice()); err != nil {
			return err
		}
		for _, f := range x.mendable {
			p.Print("pack %.12s can be mended: %s", f.Pack, oneLine(f.Problem))
		}
		for _, f := range x.beyond {
			p.Print("pack %.12s is past mending: %s", f.Pack, oneLine(f.Problem))
		}
		for _, b := range x.back {
			p.Print("pack %.12s is whole again", b)
		}
		if x.done.DryRun {
			p.Object(x.done)
			p.Print("dry run: nothing was changed")
			return nil
		}
		return x.run(c.Context)
	})
}

// find reads the packs that are named, or all.
func (x *packRepair) find(ctx context.Context, names []string) error {
	packs, err := x.packs(ctx, names)
	if err != nil {
		return err
	}
	faults, whole, err := x.faultsOf(ctx, x.r, packs)
	if err != nil {
		return err
	}
	onRecord, err := packsOnRecord(ctx, x.r)
	if err != nil {
		return err
	}
	for _, p := range onRecord {
		if slices.Contains(whole, p) {
			x.back = append(x.back, p)
		}
	}
	seen := map[index.PackID]bool{}
	for _, f := range faults {
		if !strings.HasPrefix(f.File, "packs/") || !slices.Contains(packs, f.Pack) || seen[f.Pack] {
			continue
		}
		seen[f.Pack] = true
		if f.Mendable {
			x.mendable = append(x.mendable, f)
		} else {
			x.beyond = append(x.beyond, f)
		}
	}
	return nil
}

// packs finds packs by the first digits of their names; all when none is given.
func (x *packRepair) packs(ctx context.Context, names []string) (packs []index.PackID, err error) {
	all := map[index.PackID]bool{}
	ix, err := x.r.Index(ctx)
	if err != nil {
		return nil, err
	}
	for info, err := range ix.Packs() {
		if err != nil {
			return nil, err
		}
		all[info.ID] = true
	}
	unlisted, err := x.r.UnlistedPacks(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range unlisted {
		all[p] = true
	}
	for p := range all {
		if len(names) == 0 || slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(p.String(), n) }) {
			packs = append(packs, p)
		}
	}
	if len(packs) < len(names) {
		return nil, failed("To see which are damaged: chartkeep check --read-data", "not every one of these is the beginning of a pack's name: %s", strings.Join(names, " "))
	}
	return packs, nil
}

func (x *packRepair) run(ctx context.Context) error {
	if len(x.mendable)+len(x.beyond)+len(x.back) == 0 {
		x.Object(x.done)
		x.Print("nothing to mend")
		return nil
	}
	w, err := x.r.NewWriter(ctx, repo.WriterOptions{})
	if err != nil {
		return err
	}
	defer w.Abort()
	mended := map[index.PackID]bool{}
	for _, p := range x.back {
		mended[p] = true
	}
	for _, f := range x.mendable {
		if err := x.r.RepairPack(ctx, f.Pack); err != nil {
			return err
		}
		mended[f.Pack] = true
		x.done.Mended = append(x.done.Mended, f.Pack.String())
		x.Print("pack %.12s mended", f.Pack)
	}
	blocks, err := x.salvage(ctx, w)
	if err != nil {
		return err
	}
	if len(blocks) > 0 {
		if err := w.RecordDamage(ctx, blocks); err != nil {
			return err
		}
	}
	if err := w.SettleDamage(ctx, func(b index.DamagedBlock) bool { return mended[b.Pack] }); err != nil {
		return err
	}
	x.Object(x.done)
	if n := len(x.done.Lost); n > 0 {
		return failed("To see what that means: chartkeep check; a backup of the same data heals it; to go on without: "+repairSnapshots,
			"%s could not be mended; what could be read was stored anew", ui.Counted(n, "pack"))
	}
	return nil
}

// salvage stores anew what can be read of packs that are past mending.
func (x *packRepair) salvage(ctx context.Context, w *repo.Writer) (blocks []index.DamagedBlock, err error) {
	before, err := x.salvagedBefore(ctx)
	if err != nil {
		return nil, err
	}
	for _, f := range x.beyond {
		x.done.Lost = append(x.done.Lost, f.Pack.String())
		if before(f.Pack) {
			x.Print("pack %.12s: all that could be read of it was stored anew before", f.Pack)
			continue
		}
		saved, lost, all, err := w.Salvage(ctx, f.Pack)
		if errors.Is(err, fs.ErrNotExist) {
			continue // nothing knows what was in it
		}
		if err != nil {
			return nil, fmt.Errorf("pack %.12s: %w", f.Pack, err)
		}
		x.Print("pack %.12s: %s stored anew, %s lost", f.Pack, ui.Counted(saved, "chunk"), ui.Count(lost))
		blocks = append(blocks, all...)
	}
	return blocks, w.Flush()
}

// salvagedBefore tells the packs all of whose blocks are on record as damaged.
func (x *packRepair) salvagedBefore(ctx context.Context) (func(index.PackID) bool, error) {
	recorded, err := x.r.DamagedBlocks(ctx)
	if err != nil {
		return nil, err
	}
	number := map[index.PackID]int{}
	for _, b := range recorded {
		number[b.Pack]++
	}
	ix, err := x.r.Index(ctx)
	return func(p index.PackID) bool {
		d, err := ix.Directory(p)
		return err == nil && len(d.Blocks) == number[p]
	}, err
}
