package gc

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/repo/storage"
)

// Run carries the plan out. What nobody needs goes first, so that a full drive
// has room for what is rewritten. Rewriting goes on beside backups; only for
// the deleting it takes the exclusive lock, for which it waits at most so long
// each time. The caller holds no lock. It can be interrupted at any time, and
// planned and run again.
func (p *PrunePlan) Run(ctx context.Context, wait time.Duration) error {
	if len(p.o.Without) > 0 {
		return errors.New("this plan supposes that snapshots are gone which are there")
	}
	p.o.Progress.Total.Store(p.RewriteBytes)
	first, err := p.sweepsFirst(ctx)
	if err != nil {
		return err
	}
	if first {
		if err := p.sweep(ctx, wait, p.dead); err != nil {
			return err
		}
	}
	return p.rewriteAll(ctx, wait)
}

// sweepsFirst reports whether there is something to delete before anything is
// rewritten. A crowded drive is always tidied first.
func (p *PrunePlan) sweepsFirst(ctx context.Context) (bool, error) {
	if len(p.victims) == 0 || len(p.dead)+p.Leftover+len(p.over) > 0 {
		return true, nil
	}
	room, err := p.room(ctx)
	return room < p.cost(p.victims), err
}

// rewriteAll rewrites the victims, in as many goes as the free space asks for:
// each gives back room for the next.
func (p *PrunePlan) rewriteAll(ctx context.Context, wait time.Duration) error {
	left := p.victims
	for len(left) > 0 {
		batch, rest, err := p.fitting(ctx, left)
		if err != nil {
			return err
		}
		if len(batch) == 0 {
			p.NoRoom = len(left)
			return nil
		}
		gone, err := p.repack(ctx, wait, batch)
		if errors.Is(err, storage.ErrNoSpace) && p.giveUpReserve(ctx) {
			continue
		}
		if err != nil {
			return err
		}
		if err := p.sweep(ctx, wait, gone); err != nil {
			return err
		}
		left = rest
	}
	return nil
}

// repack stores the needed chunks of the victims in new packs, and returns the
// packs that can go now.
func (p *PrunePlan) repack(ctx context.Context, wait time.Duration, victims []packUse) (gone []index.PackID, err error) {
	unlock, err := p.r.Lock(ctx, storage.Shared, wait)
	if err != nil {
		return nil, err
	}
	defer unlock.Close()
	p.r.DropBlocks() // all trees are marked
	w, err := p.r.NewWriter(ctx, repo.WriterOptions{Lean: true})
	if err != nil {
		return nil, err
	}
	defer w.Abort()
	lanes := map[index.Class]lanes{index.Data: lanesOf(w, index.Data), index.Meta: lanesOf(w, index.Meta)}
	for _, v := range victims {
		whole, err := p.copyLive(ctx, v, lanes[v.Class])
		if err != nil {
			return nil, err
		}
		if whole {
			gone = append(gone, v.ID)
		}
		p.o.Progress.Done.Add(v.live)
	}
	return gone, w.Flush()
}

// lanes keep what the newest snapshots need apart from what only older ones do,
// so that no block holds both.
type lanes struct{ newest, older *repo.Lane }

func lanesOf(w *repo.Writer, c index.Class) lanes { return lanes{w.Lane(c), w.Lane(c)} }

// copyLive puts the needed chunks of one pack into lanes, in their order, and
// reports whether all could be read. If not, the pack stays.
func (p *PrunePlan) copyLive(ctx context.Context, v packUse, to lanes) (whole bool, err error) {
	d, err := p.index.Directory(v.ID)
	if err != nil {
		return false, err
	}
	live := p.livePieces(d, v.First)
	var putErr error
	err = p.r.ReadPack(ctx, v.ID, live.pieces, func(got repo.Delivery) error {
		if got.Err != nil {
			return got.Err
		}
		putErr = to.putAll(got, &live)
		return putErr
	})
	if putErr != nil || ctx.Err() != nil {
		return false, errors.Join(putErr, ctx.Err())
	}
	if err != nil {
		p.Unreadable = append(p.Unreadable, fmt.Errorf("pack %.12s: %w", v.ID, err))
	}
	return err == nil, nil
}

func (to lanes) putAll(got repo.Delivery, live *livePieces) error {
	data := got.Data
	for i := got.From; i < got.To; i++ {
		n := live.pieces[i].Length
		lane := to.older
		if live.newest[i] {
			lane = to.newest
		}
		if err := lane.PutAgain(live.ids[i], data[:n]); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// sweep deletes packs, after it has made certain, alone with the repository,
// that nothing needs them: neither the snapshots that the plan knows nor those
// made since. What of the bin is over goes with them.
func (p *PrunePlan) sweep(ctx context.Context, wait time.Duration, packs []index.PackID) error {
	unlock, err := p.r.Lock(ctx, storage.Exclusive, wait)
	if err != nil {
		return err
	}
	defer unlock.Close()
	for _, step := range []func(context.Context) error{p.purge, p.r.SyncIndex, p.noteDamage, p.mark, p.still} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if _, err := p.certain(ctx); err != nil {
		return err
	}
	doomed, err := p.expendable(packs)
	if err != nil {
		return err
	}
	if err := p.r.RemovePacks(ctx, doomed); err != nil {
		return err
	}
	if err := p.settle(ctx); !errors.Is(err, storage.ErrNoSpace) {
		return err
	}
	return nil // what is on record stays there until the next prune
}

// purge removes what of the bin was over when the plan was made, and now that
// nobody is forgetting anything, what is stale.
func (p *PrunePlan) purge(ctx context.Context) error {
	bin, err := p.readBin(ctx)
	if err != nil {
		return err
	}
	return p.r.Purge(ctx, append(slices.Clone(p.over), bin.Stale...))
}

// still fails when a pack is gone that marked chunks were in when the plan was
// made: two prunes at once may each count on the copy that the other deletes.
func (p *PrunePlan) still(ctx context.Context) error {
	stored, err := storedPacks(ctx, p.r)
	if err != nil {
		return err
	}
	there := 0
	for info, err := range p.index.Packs() {
		if err != nil {
			return err
		}
		if _, ok := stored[info.ID]; ok && p.relied[info.ID] {
			there++
		}
	}
	if there < len(p.relied) {
		return ErrOvertaken
	}
	return nil
}

// settle strikes packs that are gone out of the records of damage.
func (p *PrunePlan) settle(ctx context.Context) error {
	over := func(b index.DamagedBlock) bool {
		_, err := p.index.Directory(b.Pack)
		return errors.Is(err, fs.ErrNotExist)
	}
	for b := range p.damaged {
		if over(b) {
			w, err := p.r.NewWriter(ctx, repo.WriterOptions{})
			if err != nil {
				return err
			}
			defer w.Abort()
			return w.SettleDamage(ctx, over)
		}
	}
	return nil
}
