package repo

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"chartkeep/index"
	"chartkeep/repo/storage"
)

// Written is what a run has stored.
type Written struct {
	Packs []index.PackID
	Files []string // names in the store of the session, segments and documents; of twins the first
}

// ledger notes what a writer stores.
type ledger struct {
	mu sync.Mutex
	Written
}

func (l *ledger) notePack(p index.PackID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.Packs = append(l.Packs, p)
}

func (l *ledger) noteFile(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.Files = append(l.Files, name)
}

func (l *ledger) noteSegment(name string) { l.noteFile(path.Join(segmentFolder, name)) }

// Written returns what the run has stored so far.
func (w *Writer) Written() Written {
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	return Written{slices.Clone(w.ledger.Packs), slices.Clone(w.ledger.Files)}
}

// Packs returns the packs that the run has stored so far.
func (w *Writer) Packs() []index.PackID { return w.Written().Packs }

// VerifyWritten reads back what a run has stored, all of it and, where the store
// can do that, from the medium and not from the computer's memory: every shard,
// block and chunk of the packs, the segments, and both copies of the rest. What
// it finds it tells to o.Fault. Of the options ReadData is not used. The caller
// holds the shared lock since before the run ended, so that nobody has removed
// anything since. Files that were replaced meanwhile, as an edit of a snapshot
// does, are passed over.
func (r *Repository) VerifyWritten(ctx context.Context, what Written, o CheckOptions) error {
	ix, err := r.Index(ctx)
	if err != nil {
		return err
	}
	if o.Progress == nil {
		o.Progress = new(CheckProgress)
	}
	o.ReadData = what.Packs
	c := &checker{r: r, ix: ix, o: o}
	if err := r.uncacheAll(ctx, what); err != nil {
		return err
	}
	return c.data(ctx, func(ctx context.Context) error {
		for _, name := range what.Files {
			if err := ctx.Err(); err != nil {
				return err
			}
			c.written(ctx, name)
		}
		return nil
	})
}

// uncacheAll has all of this read from the medium. A store that cannot do so is a
// warning.
func (r *Repository) uncacheAll(ctx context.Context, what Written) error {
	names := slices.Clone(what.Files)
	for _, n := range what.Files {
		if path.Dir(n) != segmentFolder {
			names = append(names, path.Join(twinFolder, n))
		}
	}
	for _, p := range what.Packs {
		names = append(names, packName(p))
	}
	for _, n := range names {
		err := storage.Uncache(ctx, r.store, n)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, errors.ErrUnsupported) {
			r.options.Warn(fmt.Errorf("what was written may be read back from this computer's memory: %w", err))
			return nil
		}
		if errors.Is(err, storage.ErrAbsent) {
			return err
		} // any other error comes again when the file is read
	}
	return nil
}

// written checks one file that is no pack.
func (c *checker) written(ctx context.Context, name string) {
	dir, base := path.Split(name)
	dir = strings.TrimSuffix(dir, "/")
	if dir != segmentFolder {
		whole := c.r.twinKinds()[dir]
		c.twinFaults(c.r.twinFaults(ctx, name, func(b []byte) error { return whole(base, b) }))
		return
	}
	_, healed, err := c.r.readSegment(ctx, base)
	if err == nil && healed {
		err = fmt.Errorf("%w; its parity mends it", ErrDamaged)
	}
	if err != nil && ctx.Err() == nil {
		c.fault(Fault{File: name, Problem: err, Mendable: true, Repair: "chartkeep repair index"})
	}
}
