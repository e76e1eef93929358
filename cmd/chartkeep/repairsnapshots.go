package main

import (
	"context"
	"slices"

	"github.com/urfave/cli/v2"

	"chartkeep/chunk"
	"chartkeep/cmd/internal/ui"
	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/snapshot"
)

// snapshotRepair is a run of repair snapshots.
type snapshotRepair struct {
	*program
	r          *repo.Repository
	dry        bool
	forget     bool
	all        []*snapshot.Snapshot
	unreadable []repo.DocumentID // manifests of which neither copy is whole
	replaced   []*snapshot.Snapshot
	mended     []*snapshot.Repaired
}

func (p *program) repairSnapshots(c *cli.Context) error {
	if c.NArg() > 0 {
		return usage(c, "repair snapshots takes no arguments")
	}
	return p.reading(c.Context, func(r *repo.Repository) error {
		x := &snapshotRepair{program: p, r: r, dry: c.Bool("dry-run"), forget: c.Bool("forget")}
		return x.run(c.Context)
	})
}

func (x *snapshotRepair) run(ctx context.Context) error {
	w, err := x.r.NewWriter(ctx, repo.WriterOptions{DryRun: x.dry})
	if err != nil {
		return err
	}
	defer w.Abort()
	if err := x.findDamage(ctx, w); err != nil {
		return err
	}
	if err := x.list(ctx); err != nil {
		return err
	}
	if err := x.mend(ctx, w); err != nil {
		return err
	}
	if err := x.removeOld(ctx); err != nil {
		return err
	}
	return x.report()
}

// findDamage makes sure that what is lost counts as such, and nothing else: packs
// may have gone since the last check, and may have come back.
func (x *snapshotRepair) findDamage(ctx context.Context, w *repo.Writer) error {
	onRecord, err := packsOnRecord(ctx, x.r)
	if err != nil {
		return err
	}
	faults, whole, err := x.faultsOf(ctx, x.r, onRecord)
	if err != nil {
		return err
	}
	var lost []index.DamagedBlock
	for _, f := range faults {
		lost = append(lost, f.Lost...)
	}
	if x.dry {
		return x.r.Assume(ctx, lost, whole)
	}
	if len(lost) > 0 {
		if err := w.RecordDamage(ctx, lost); err != nil {
			return err
		}
	}
	return w.SettleDamage(ctx, func(b index.DamagedBlock) bool { return slices.Contains(whole, b.Pack) })
}

// packsOnRecord are those in which earlier checks found damage.
func packsOnRecord(ctx context.Context, r *repo.Repository) (packs []index.PackID, err error) {
	blocks, err := r.DamagedBlocks(ctx)
	if err != nil {
		return nil, err
	}
	ix, err := r.Index(ctx)
	if err != nil {
		return nil, err
	}
	for _, b := range blocks {
		if n := len(packs); n > 0 && packs[n-1] == b.Pack {
			continue
		}
		if _, err := ix.Directory(b.Pack); err == nil { // else it is gone
			packs = append(packs, b.Pack)
		}
	}
	return packs, nil
}

// list reads the manifests, and notes those that cannot be read.
func (x *snapshotRepair) list(ctx context.Context) error {
	ids, err := x.r.ListDocuments(ctx, repo.Snapshots)
	if err != nil {
		return err
	}
	if x.all, _, err = snapshot.All(ctx, x.r); err != nil {
		return err
	}
	for _, id := range ids {
		if !slices.ContainsFunc(x.all, func(s *snapshot.Snapshot) bool { return s.ID == id }) {
			x.unreadable = append(x.unreadable, id)
			x.Print("snapshot %s cannot be read at all", id.Short())
		}
	}
	return nil
}

// mend makes copies of the damaged snapshots that have none yet.
func (x *snapshotRepair) mend(ctx context.Context, w *repo.Writer) error {
	bad, err := unreadable(ctx, x.r)
	if err != nil {
		return err
	}
	copied := map[repo.DocumentID]bool{}
	for _, s := range x.all {
		copied[s.Original] = true
	}
	lane := w.Lane(index.Meta)
	err = x.During(func() ui.State { return ui.State{} }, func() error {
		for _, s := range x.all {
			if copied[s.ID] {
				x.replaced = append(x.replaced, s)
				continue
			}
			if err := x.mendOne(ctx, w, lane, s, bad); err != nil {
				return err
			}
		}
		return w.Flush()
	})
	if err != nil || x.dry {
		return err
	}
	for _, m := range x.mended {
		if err := m.New.Put(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

func (x *snapshotRepair) mendOne(ctx context.Context, w *repo.Writer, lane *repo.Lane, s *snapshot.Snapshot, bad func(chunk.ID) bool) error {
	m, err := snapshot.Repair(ctx, x.r, w, lane, s, bad)
	if err == nil && m.New != nil {
		x.mended, x.replaced = append(x.mended, m), append(x.replaced, s)
	}
	return err
}

// removeOld removes what the copies replace, when that is wanted.
func (x *snapshotRepair) removeOld(ctx context.Context) error {
	if x.dry || !x.forget {
		return nil
	}
	for _, s := range x.replaced {
		if err := x.r.RemoveDocument(ctx, repo.Snapshots, s.ID); err != nil {
			return err
		}
	}
	for _, id := range x.unreadable {
		if err := x.r.RemoveDocument(ctx, repo.Snapshots, id); err != nil {
			return err
		}
	}
	return nil
}

func (x *snapshotRepair) report() error {
	o := repaired{Type: "summary", DryRun: x.dry, Mended: []string{}, Lost: []string{}}
	for _, m := range x.mended {
		x.sayMended(m)
		o.Mended = append(o.Mended, string(m.New.ID))
	}
	for _, id := range x.unreadable {
		o.Lost = append(o.Lost, string(id))
	}
	x.Object(o)
	old := len(x.replaced) + len(x.unreadable)
	switch {
	case x.dry:
		x.Print("dry run: nothing was changed")
	case x.forget:
		x.Print("%s removed; to free the space: chartkeep prune", ui.Counted(old, "damaged snapshot"))
	case old > 0:
		x.Print("The damaged snapshots are still there. To remove them: chartkeep repair snapshots --forget")
	default:
		x.Print("every snapshot is whole, as far as earlier checks have found")
	}
	return nil
}

func (x *snapshotRepair) sayMended(m *snapshot.Repaired) {
	x.Print("snapshot %s of %s: %s lost", m.Old.ID.Short(), ui.Time(m.Old.Time), ui.Counted(len(m.Lost), "item"))
	for i, path := range m.Lost {
		if i == shownPaths && x.Verbose < 1 {
			x.Print("   and %s more; -v lists all", ui.Count(len(m.Lost)-i))
			break
		}
		x.Print("   %s", x.Path(path))
	}
	if !x.dry {
		x.Print("   %s holds the rest", m.New.ID.Short())
	}
}
