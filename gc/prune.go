package gc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"sync/atomic"
	"time"

	"chartkeep/chunk"
	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/repo/storage"
	"chartkeep/snapshot"
)

// PruneOptions say how far space is freed. The zero value frees whole packs
// and rewrites until 5 % of what is stored is unused.
type PruneOptions struct {
	MaxUnused func(used int64) int64 // how many bytes may stay unused; nil: 5 % of the used ones
	MaxRepack int64                  // how many bytes are rewritten at most; 0: no bound
	Progress  *PruneProgress
}

// PruneProgress counts the rewritten bytes. It may be read at any time.
type PruneProgress struct{ Done, Total atomic.Int64 }

// PrunePlan is what a prune will do. Sizes are bytes of packs.
type PrunePlan struct {
	Packs, Delete, Rewrite int // packs in all, that hold nothing needed, that hold too little
	Leftover               int // packs that no index names: left by runs that did not end
	Live, Unused           int64
	Freed, UnusedAfter     int64
	RewriteBytes           int64 // what is read and stored again

	r         *repo.Repository
	snapshots map[repo.DocumentID]bool
	marks     *snapshot.Marks
	dead      []index.PackID
	victims   []packUse
	leftover  []index.PackID
	o         PruneOptions
}

// packUse is how much of a pack is needed.
type packUse struct {
	index.PackInfo
	live, unused int64
	whole        bool // every chunk is needed
}

// ErrUnsure says that not all that snapshots need can be known, so that nothing
// may be deleted.
var ErrUnsure = errors.New("what the snapshots need cannot be told with certainty, so nothing is deleted")

// PlanPrune marks what the snapshots need and chooses what to delete and what
// to rewrite, the emptiest packs first. It changes nothing.
func PlanPrune(ctx context.Context, r *repo.Repository, o PruneOptions) (*PrunePlan, error) {
	if o.Progress == nil {
		o.Progress = new(PruneProgress)
	}
	if o.MaxUnused == nil {
		o.MaxUnused = func(used int64) int64 { return used / 20 }
	}
	if _, err := r.Index(ctx); err != nil {
		return nil, err
	}
	p := &PrunePlan{r: r, o: o, snapshots: map[repo.DocumentID]bool{}, marks: new(snapshot.Marks)}
	if err := p.mark(ctx, p.marks); err != nil {
		return nil, err
	}
	uses, err := p.uses(ctx)
	if err != nil {
		return nil, err
	}
	p.choose(uses)
	if p.leftover, err = r.UnlistedPacks(ctx); err != nil {
		return nil, err
	}
	p.Leftover = len(p.leftover)
	return p, nil
}

// mark marks what those snapshots need that the plan has not seen yet.
func (p *PrunePlan) mark(ctx context.Context, marks *snapshot.Marks) error {
	all, broken, err := snapshot.All(ctx, p.r)
	if err != nil {
		return err
	}
	if len(broken) > 0 {
		return fmt.Errorf("%w: %w. To see what is wrong: chartkeep check", ErrUnsure, errors.Join(broken...))
	}
	var roots []*snapshot.Node
	for _, s := range all {
		if !p.snapshots[s.ID] {
			p.snapshots[s.ID] = true
			roots = append(roots, &s.Root)
		}
	}
	var unsure error
	err = snapshot.Mark(ctx, p.r, marks, roots, func(f snapshot.Fault) {
		if f.Hides && unsure == nil {
			unsure = f.Err
		}
	})
	if err == nil && unsure != nil {
		err = fmt.Errorf("%w: %w. To see what is lost: chartkeep check; to keep the rest: chartkeep repair snapshots", ErrUnsure, unsure)
	}
	return err
}

// uses sums up, for every pack, what the marks need of it.
func (p *PrunePlan) uses(ctx context.Context) ([]packUse, error) {
	ix, err := p.r.Index(ctx)
	if err != nil {
		return nil, err
	}
	var all []packUse
	for info, err := range ix.Packs() {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		d, err := ix.Directory(info.ID)
		if err != nil {
			return nil, err
		}
		u := packUse{PackInfo: info, whole: true}
		u.add(d, p.marks)
		all = append(all, u)
	}
	return all, nil
}

// add counts the sealed bytes of each block to the needed and the unused side by
// the share of its plaintext.
func (u *packUse) add(d *index.Directory, marks *snapshot.Marks) {
	ordinal := u.First
	for _, b := range d.Blocks {
		var need uint64
		for _, c := range b.Chunks {
			if marks.Has(ordinal) {
				need += uint64(c.Length)
			} else {
				u.whole = false
			}
			ordinal++
		}
		live := int64(uint64(b.Sealed) * need / uint64(b.Plain))
		u.live += live
		u.unused += int64(b.Sealed) - live
	}
}

// smallPack is the size below which packs are put together when there are
// mergeFrom of them or more: every night leaves some.
const (
	smallPack = 2 << 20
	mergeFrom = 24
)

// choose decides on every pack.
func (p *PrunePlan) choose(uses []packUse) {
	var partly, small []packUse
	for _, u := range uses {
		p.Packs++
		p.Live += u.live
		p.Unused += u.unused
		switch {
		case u.live == 0:
			p.dead = append(p.dead, u.ID)
			p.Freed += int64(u.Size)
			p.UnusedAfter -= u.unused
		case u.Size < smallPack:
			small = append(small, u)
		case !u.whole:
			partly = append(partly, u)
		}
	}
	p.UnusedAfter += p.Unused
	if len(small) >= mergeFrom {
		p.rewrite(small, func() bool { return true })
	} else {
		partly = append(partly, small...)
	}
	sort.Slice(partly, func(i, k int) bool { return partly[i].waste() > partly[k].waste() })
	most := p.o.MaxUnused(p.Live)
	p.rewrite(partly, func() bool { return p.UnusedAfter > most })
	p.Delete, p.Rewrite = len(p.dead), len(p.victims)
}

func (u packUse) waste() float64 { return float64(u.unused) / float64(u.live+u.unused) }

// rewrite takes packs as long as more says so and the bound allows.
func (p *PrunePlan) rewrite(uses []packUse, more func() bool) {
	for _, u := range uses {
		if !more() {
			return
		}
		if u.whole && u.Size >= smallPack || p.o.MaxRepack > 0 && p.RewriteBytes+u.live > p.o.MaxRepack {
			continue
		}
		p.victims = append(p.victims, u)
		p.RewriteBytes += u.live
		p.Freed += int64(u.Size) - u.live
		p.UnusedAfter -= u.unused
	}
}

// Nothing reports whether there is nothing to do.
func (p *PrunePlan) Nothing() bool { return len(p.dead)+len(p.victims)+len(p.leftover) == 0 }

// Run carries the plan out. Rewriting goes on beside backups; only for the
// deleting, at the end, it waits for the exclusive lock, for at most wait. The
// caller holds no lock. It can be interrupted and run again at any time.
func (p *PrunePlan) Run(ctx context.Context, wait time.Duration) error {
	if err := p.repack(ctx); err != nil {
		return err
	}
	unlock, err := p.r.Lock(ctx, storage.Exclusive, wait)
	if err != nil {
		return err
	}
	defer unlock.Close()
	if err := p.revive(ctx); err != nil {
		return err
	}
	gone := map[index.PackID]bool{}
	for _, id := range p.dead {
		gone[id] = true
	}
	for _, v := range p.victims {
		gone[v.ID] = true
	}
	return p.r.RemovePacks(ctx, gone)
}

// repack stores the needed chunks of the victims in new packs.
func (p *PrunePlan) repack(ctx context.Context) error {
	if len(p.victims) == 0 {
		return nil
	}
	unlock, err := p.r.Lock(ctx, storage.Shared, 0)
	if err != nil {
		return err
	}
	defer unlock.Close()
	w, err := p.r.NewWriter(ctx, repo.WriterOptions{})
	if err != nil {
		return err
	}
	defer w.Abort()
	lanes := map[index.Class]*repo.Lane{index.Data: w.Lane(index.Data), index.Meta: w.Lane(index.Meta)}
	p.o.Progress.Total.Store(p.RewriteBytes)
	for _, v := range p.victims {
		if err := p.copyLive(ctx, v, lanes[v.Class]); err != nil {
			return err
		}
		p.o.Progress.Done.Add(v.live)
	}
	return w.Flush()
}

// copyLive puts the needed chunks of one pack into a lane, in their order.
func (p *PrunePlan) copyLive(ctx context.Context, v packUse, lane *repo.Lane) error {
	ix, err := p.r.Index(ctx)
	if err != nil {
		return err
	}
	d, err := ix.Directory(v.ID)
	if err != nil {
		return err
	}
	pieces, ids := livePieces(d, v.First, p.marks)
	return p.r.ReadPack(ctx, v.ID, pieces, func(got repo.Delivery) error {
		if got.Err != nil {
			return got.Err
		}
		data := got.Data
		for i := got.From; i < got.To; i++ {
			n := pieces[i].Length
			if err := lane.PutAgain(ids[i], data[:n]); err != nil {
				return err
			}
			data = data[n:]
		}
		return nil
	})
}

func livePieces(d *index.Directory, ordinal uint64, marks *snapshot.Marks) (pieces []repo.Piece, ids []chunk.ID) {
	for _, b := range d.Blocks {
		var offset uint32
		for _, c := range b.Chunks {
			if marks.Has(ordinal) {
				pieces = append(pieces, repo.Piece{Block: b.Offset, Offset: offset, Length: c.Length})
				ids = append(ids, c.ID)
			}
			offset += c.Length
			ordinal++
		}
	}
	return pieces, ids
}

// revive takes from the plan every pack that a snapshot made since needs. The
// exclusive lock is held, so that no more can come.
func (p *PrunePlan) revive(ctx context.Context) error {
	if err := p.r.SyncIndex(ctx); err != nil {
		return err
	}
	since := new(snapshot.Marks)
	if err := p.mark(ctx, since); err != nil {
		return err
	}
	if since.Count() == 0 {
		return nil
	}
	return p.keepNeeded(ctx, since)
}

// keepNeeded drops from the plan the packs that alone hold a marked chunk.
func (p *PrunePlan) keepNeeded(ctx context.Context, marks *snapshot.Marks) error {
	ix, err := p.r.Index(ctx)
	if err != nil {
		return err
	}
	doomed := map[index.PackID]bool{}
	for _, id := range p.dead {
		doomed[id] = true
	}
	for _, v := range p.victims {
		doomed[v.ID] = true
	}
	for info, err := range ix.Packs() {
		if err != nil {
			return err
		}
		if !doomed[info.ID] {
			continue
		}
		needed, err := p.needed(ix, info, marks, doomed)
		if err != nil {
			return err
		}
		if needed {
			delete(doomed, info.ID)
		}
	}
	p.dead = p.dead[:0]
	p.victims = nil
	for id := range doomed {
		p.dead = append(p.dead, id)
	}
	return nil
}

// needed reports whether a pack holds a marked chunk that no pack outside
// doomed holds as well.
func (p *PrunePlan) needed(ix *index.Index, info index.PackInfo, marks *snapshot.Marks, doomed map[index.PackID]bool) (bool, error) {
	d, err := ix.Directory(info.ID)
	if err != nil {
		return false, err
	}
	_, ids := livePieces(d, info.First, marks)
	for _, id := range ids {
		places, err := ix.Lookup(id)
		if err != nil {
			return false, err
		}
		if !slices.ContainsFunc(places, func(at index.Place) bool { return !doomed[at.Pack] }) {
			return true, nil
		}
	}
	return false, nil
}
