package gc

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/snapshot"
)

// PruneOptions say how far space is freed. The zero value deletes what nobody
// needs, and rewrites packs until 5 % of what is stored is unused.
type PruneOptions struct {
	MaxUnused func(used int64) int64   // how many bytes may stay unused; nil: 5 % of the used ones
	MaxRepack int64                    // how many bytes are rewritten at most; 0: no bound; below 0: none
	Without   map[repo.DocumentID]bool // snapshots to be taken as gone; such a plan can be looked at but not run
	Now       time.Time                // what of the bin is over; zero: the present
	Progress  *PruneProgress
}

// PruneProgress counts the rewritten bytes. It may be read at any time.
type PruneProgress struct{ Done, Total atomic.Int64 }

// PrunePlan is what a prune will do. Sizes are in bytes.
type PrunePlan struct {
	Packs, Delete, Rewrite int // packs in all, that hold nothing needed, that hold too little
	Leftover               int // packs that no index names: left by runs that did not end
	Live, Unused           int64
	Freed, UnusedAfter     int64   // Freed is an estimate: how well the rewritten packs will be filled is not known yet
	RewriteBytes           int64   // what is read and stored again
	Scattered              int     // of the packs to rewrite, those that are needed but make a restore read too much
	Lost                   int     // packs that stay because something needed in them is damaged
	Binned, Over           int     // snapshots in the bin that can still be taken back, and that no longer can
	NoRoom                 int     // packs that were to be rewritten and stay, because Run found no room
	Unreadable             []error // packs that were to be rewritten and stay, because Run could not read them

	r         *repo.Repository
	index     *index.Index
	o         PruneOptions
	snapshots map[repo.DocumentID]bool // those whose needs are marked
	marks     *snapshot.Marks
	newest    *snapshot.Marks // of those, what the newest snapshots need
	missing   int             // needed pieces that no pack is known to hold
	hidden    error           // the first of them that hides what else is needed
	damaged   map[index.DamagedBlock]bool
	stored    map[index.PackID]int64 // packs and their sizes
	relied    map[index.PackID]bool  // packs that marked chunks are in
	dead      []index.PackID
	victims   []packUse
	over      []repo.DocumentID // entries of the bin that are to go
}

var (
	// ErrUnsure says that not all that snapshots need can be known, so that
	// nothing may be deleted.
	ErrUnsure = errors.New("what the snapshots need cannot be told with certainty, so nothing is deleted")

	// ErrUnsureBin says the same of the snapshots in the bin.
	ErrUnsureBin = errors.New("what the bin needs cannot be told with certainty, so nothing is deleted")

	// ErrUnlisted says that snapshots need what the index does not name, while
	// there are packs that it does not name either.
	ErrUnlisted = errors.New("part of the index is missing, so nothing is deleted")

	// ErrOvertaken says that packs which the plan relies on have gone meanwhile.
	ErrOvertaken = errors.New("packs were deleted by another run meanwhile, so nothing more is deleted")
)

// PlanPrune marks what the snapshots and the bin need and chooses what to delete and what
// to rewrite, the emptiest packs first. It changes nothing. The caller holds
// the shared lock.
func PlanPrune(ctx context.Context, r *repo.Repository, o PruneOptions) (*PrunePlan, error) {
	if o.Progress == nil {
		o.Progress = new(PruneProgress)
	}
	if o.MaxUnused == nil {
		o.MaxUnused = func(used int64) int64 { return used / 20 }
	}
	p := &PrunePlan{
		r: r, o: o, snapshots: map[repo.DocumentID]bool{}, marks: new(snapshot.Marks),
		damaged: map[index.DamagedBlock]bool{}, relied: map[index.PackID]bool{},
	}
	var err error
	if p.index, err = r.Index(ctx); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{p.noteDamage, p.noteOver, p.mark, p.leftovers, p.choose} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// noteDamage reads what checks have found beyond repair.
func (p *PrunePlan) noteDamage(ctx context.Context) error {
	clear(p.damaged)
	blocks, err := p.r.DamagedBlocks(ctx)
	for _, b := range blocks {
		p.damaged[b] = true
	}
	return err
}

// noteOver finds what of the bin is to go: it counts as gone from here on.
func (p *PrunePlan) noteOver(ctx context.Context) error {
	now := p.o.Now
	if now.IsZero() {
		now = time.Now()
	}
	bin, err := p.readBin(ctx)
	if err != nil {
		return err
	}
	p.over = bin.Stale
	for _, d := range bin.All {
		if d.Over(now) {
			p.Over++
			p.over = append(p.over, d.Entry)
		} else {
			p.Binned++
		}
	}
	return nil
}

func (p *PrunePlan) readBin(ctx context.Context) (*snapshot.Bin, error) {
	bin, err := snapshot.ReadBin(ctx, p.r)
	if err == nil && len(bin.Broken) > 0 {
		err = fmt.Errorf("%w: %w", ErrUnsureBin, bin.Broken[0].Err)
	}
	return bin, err
}

// mark marks what those snapshots need that the plan has not seen yet, listed or
// in the bin. What is marked already is not walked again, so the second time is
// quick.
func (p *PrunePlan) mark(ctx context.Context) error {
	bin, err := p.readBin(ctx)
	if err != nil {
		return err
	}
	all, broken, err := snapshot.All(ctx, p.r)
	if err != nil {
		return err
	}
	if len(broken) > 0 {
		return fmt.Errorf("%w: %w", ErrUnsure, errors.Join(broken...))
	}
	if p.newest == nil {
		if err := p.follow(ctx, rootsOf(p.newestOf(all)), ErrUnsure); err != nil {
			return err
		}
		p.newest = p.marks.Clone()
	}
	var listed, binned []*snapshot.Node
	for _, s := range all {
		if p.unseen(s) {
			listed = append(listed, &s.Root)
		}
	}
	for _, d := range bin.All {
		if !slices.Contains(p.over, d.Entry) && p.unseen(d.Snapshot) {
			binned = append(binned, &d.Root)
		}
	}
	if err := p.follow(ctx, listed, ErrUnsure); err != nil {
		return err
	}
	return p.follow(ctx, binned, ErrUnsureBin)
}

// newestOf returns the newest snapshot of each group, and takes note of them. They
// are sorted by time.
func (p *PrunePlan) newestOf(all []*snapshot.Snapshot) (newest []*snapshot.Snapshot) {
	type group struct{ host, plan, paths string }
	seen := map[group]bool{}
	for _, s := range slices.Backward(all) {
		g := group{s.Host, s.Plan, strings.Join(s.Paths, "\x00")}
		if !p.o.Without[s.ID] && !seen[g] {
			seen[g] = p.unseen(s)
			newest = append(newest, s)
		}
	}
	return newest
}

func rootsOf(all []*snapshot.Snapshot) (roots []*snapshot.Node) {
	for _, s := range all {
		roots = append(roots, &s.Root)
	}
	return roots
}

// unseen takes note of a snapshot and reports whether its needs are to be marked.
func (p *PrunePlan) unseen(s *snapshot.Snapshot) bool {
	if p.snapshots[s.ID] || p.o.Without[s.ID] {
		return false
	}
	p.snapshots[s.ID] = true
	return true
}

// follow marks what is below roots.
func (p *PrunePlan) follow(ctx context.Context, roots []*snapshot.Node, unsure error) error {
	return snapshot.Mark(ctx, p.r, p.marks, roots, func(f snapshot.Fault) {
		p.missing++
		if f.Hides && p.hidden == nil {
			p.hidden = fmt.Errorf("%w: %w", unsure, f.Err)
		}
	})
}

// leftovers counts the packs that no index names.
func (p *PrunePlan) leftovers(ctx context.Context) error {
	unlisted, err := p.certain(ctx)
	if err != nil {
		return err
	}
	if p.stored, err = storedPacks(ctx, p.r); err != nil {
		return err
	}
	for id := range unlisted {
		p.Leftover++
		p.Freed += p.stored[id]
	}
	return nil
}

// storedPacks returns the packs that are in the store, with their sizes.
func storedPacks(ctx context.Context, r *repo.Repository) (map[index.PackID]int64, error) {
	stored := map[index.PackID]int64{}
	for info, err := range r.Store().List(ctx, "packs") {
		if err != nil {
			return nil, err
		}
		if id, err := index.ParsePackID(path.Base(info.Name)); err == nil {
			stored[id] = info.Size
		}
	}
	return stored, nil
}

// certain fails unless all that the snapshots need is known, and returns the
// packs that no index names. They are of no use, unless something is missing:
// then they may be what holds it, and the index is what was lost.
func (p *PrunePlan) certain(ctx context.Context) (unlisted map[index.PackID]bool, err error) {
	list, err := p.r.UnlistedPacks(ctx)
	if err != nil {
		return nil, err
	}
	if len(list) > 0 && p.missing > 0 {
		return nil, fmt.Errorf("%w: it does not name %d packs, nor %d pieces of data that snapshots need", ErrUnlisted, len(list), p.missing)
	}
	if p.hidden != nil {
		return nil, p.hidden
	}
	unlisted = map[index.PackID]bool{}
	for _, id := range list {
		unlisted[id] = true
	}
	return unlisted, nil
}

// Nothing reports whether there is nothing to do.
func (p *PrunePlan) Nothing() bool { return p.Delete+p.Rewrite+p.Leftover+len(p.over) == 0 }
