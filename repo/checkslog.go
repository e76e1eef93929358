package repo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

	"chartkeep/index"
)

// A CheckLog says when packs were last read whole and found good, so that
// checks that read a part of the packs come round to all of them. A new one
// takes the place of all that came before it:
//
//	checks/<id>  { 1: [ { 1: Unix seconds, 2: the first 8 bytes of each pack ID, sorted }, … ] }
type CheckLog struct {
	when      map[packMark]int64
	documents []DocumentID // that it was read from
}

// packMark is the beginning of a pack's ID: enough to bring packs into an order.
type packMark [8]byte

func markOf(p index.PackID) packMark { return packMark(p[:8]) }

// checksRecord is the stored form.
type checksRecord struct {
	Runs []checksRun `cbor:"1,keyasint"`
}

type checksRun struct {
	When  int64  `cbor:"1,keyasint"`
	Packs []byte `cbor:"2,keyasint"`
}

// CheckLog reads what checks have left. A record that cannot be read is a
// warning: at worst some packs are read again too soon.
func (r *Repository) CheckLog(ctx context.Context) (*CheckLog, error) {
	l := &CheckLog{when: map[packMark]int64{}}
	ids, err := r.ListDocuments(ctx, Checks)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		err := l.read(ctx, r, id)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			r.options.Warn(fmt.Errorf("record of checks %s: %w", id.Short(), err))
			continue
		}
		l.documents = append(l.documents, id)
	}
	return l, nil
}

func (l *CheckLog) read(ctx context.Context, r *Repository, id DocumentID) error {
	plain, err := r.GetDocument(ctx, Checks, id)
	if err != nil {
		return err
	}
	return l.decode(plain)
}

// decode takes down what a record says.
func (l *CheckLog) decode(plain []byte) error {
	var rec checksRecord
	if err := unmarshalCanonical(plain, &rec); err != nil {
		return err
	}
	for _, run := range rec.Runs {
		if len(run.Packs)%len(packMark{}) != 0 {
			return fmt.Errorf("malformed list of packs: %w", ErrDamaged)
		}
		for m := range slices.Chunk(run.Packs, len(packMark{})) {
			l.note(packMark(m), run.When)
		}
	}
	return nil
}

func (l *CheckLog) note(m packMark, when int64) {
	if known, ok := l.when[m]; !ok || when > known {
		l.when[m] = when
	}
}

// Note takes down that a pack was read whole and found good.
func (l *CheckLog) Note(p index.PackID, now time.Time) {
	if l.when == nil {
		l.when = map[packMark]int64{}
	}
	l.note(markOf(p), now.Unix())
}

// Empty reports whether no check has left anything.
func (l *CheckLog) Empty() bool { return len(l.when) == 0 }

// Verified says when a pack was last read whole; zero: never.
func (l *CheckLog) Verified(p index.PackID) time.Time {
	when, ok := l.when[markOf(p)]
	if !ok {
		return time.Time{}
	}
	return time.Unix(when, 0)
}

// PutCheckLog stores the log with these packs verified now, and without those
// that have gone, in place of what it was read from.
func (w *Writer) PutCheckLog(ctx context.Context, l *CheckLog, now time.Time, verified []index.PackID) error {
	for _, p := range verified {
		l.Note(p, now)
	}
	there := map[packMark]bool{}
	for info, err := range w.index.Packs() {
		if err != nil {
			return err
		}
		there[markOf(info.ID)] = true
	}
	plain, err := canonical.Marshal(l.record(there))
	if err != nil {
		return err
	}
	id, err := w.PutDocument(ctx, Checks, plain)
	if err != nil {
		return fmt.Errorf("record what was checked: %w", err)
	}
	old := l.documents
	l.documents = []DocumentID{id}
	return w.r.removeDocuments(ctx, Checks, old)
}

// record groups the packs that are there by time.
func (l *CheckLog) record(there map[packMark]bool) *checksRecord {
	runs := map[int64][]packMark{}
	for m, when := range l.when {
		if there[m] {
			runs[when] = append(runs[when], m)
		}
	}
	rec := &checksRecord{Runs: []checksRun{}}
	for _, when := range slices.Sorted(maps.Keys(runs)) {
		marks := runs[when]
		slices.SortFunc(marks, func(a, b packMark) int { return slices.Compare(a[:], b[:]) })
		run := checksRun{When: when}
		for _, m := range marks {
			run.Packs = append(run.Packs, m[:]...)
		}
		rec.Runs = append(rec.Runs, run)
	}
	return rec
}

// removeDocuments deletes documents that a newer one replaces. Another run may
// have done so already.
func (r *Repository) removeDocuments(ctx context.Context, kind DocumentKind, ids []DocumentID) error {
	var errs []error
	for _, id := range ids {
		if err := r.RemoveDocument(ctx, kind, id); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
