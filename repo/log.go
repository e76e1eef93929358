package repo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// The log is the records of all runs, one document each:
//
//	record 1 ◄── record 2 ◄─┬─ record 3 ◄─┬─ record 5 ◄── …
//	                        └─ record 4 ◄─┘
//
// Each names, by the hash of its file, the records that none followed when it was
// written: usually one; two or more after runs that went on at the same time. So
// a record that was removed is missed by the one after it, and one that was put
// in later is followed by none. The newest has none after it; that it is gone is
// seen by the computers that have seen it (see logCache).

// Log adds a record to the log, durably. It fills in Sequence and Previous from
// what is there. A key that may not read knows only the records which this
// computer wrote, or has read with another key; when it knows none, the chain
// begins anew. A dry run stores nothing.
func (w *Writer) Log(ctx context.Context, rec Record) error {
	if w.dry {
		return nil
	}
	l, err := w.r.readLog(ctx, true)
	if err != nil {
		return err
	}
	rec.Sequence, rec.Previous = l.next()
	plain, err := rec.encode()
	if err != nil {
		return err
	}
	id, err := w.PutDocument(ctx, Log, plain)
	if err != nil {
		return fmt.Errorf("record the run: %w", err)
	}
	l.keep(id, plain)
	l.save()
	return nil
}

// Records returns the newest records of the log, at most so many, or all when
// newest is 0; the oldest of them first. What cannot be read is returned as
// errors beside the others.
func (r *Repository) Records(ctx context.Context, newest int) (records []Record, broken []error, err error) {
	l, err := r.readLog(ctx, true)
	if err != nil {
		return nil, nil, err
	}
	l.save()
	for id, rec := range l.records {
		if l.listed[id] {
			records = append(records, *rec)
		}
	}
	slices.SortFunc(records, olderRecord)
	if newest > 0 {
		records = records[max(0, len(records)-newest):]
	}
	for _, id := range slices.Sorted(maps.Keys(l.broken)) {
		broken = append(broken, l.broken[id])
	}
	return records, broken, nil
}

// olderRecord orders records as they were written: no record comes before one
// that it names.
func olderRecord(a, b Record) int {
	return cmp.Or(cmp.Compare(a.Sequence, b.Sequence), a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID))
}

// A LogGap is a place where the log is not what it was when it was written.
type LogGap struct {
	Missing DocumentID // the record that is not there; empty: the chain begins anew with After
	After   DocumentID // the record that names it; empty: this computer has seen it
	Time    time.Time  // of After, or of the missing record
	Host    string     // likewise
}

func (g LogGap) Error() string {
	at := g.Time.Format("2006-01-02 15:04")
	switch {
	case g.Missing == "":
		return fmt.Sprintf("log: the record %s of %s (%s) names none before it, although there were some", g.After.Short(), at, g.Host)
	case g.After == "":
		return fmt.Sprintf("log: the record %s of %s (%s), which this computer has seen, is not there any more", g.Missing.Short(), at, g.Host)
	}
	return fmt.Sprintf("log: the record %s, which was there before that of %s (%s), is not there any more", g.Missing.Short(), at, g.Host)
}

// VerifyLog reads the whole log and returns where records are missing, oldest
// first, and what cannot be read. A log that has been interfered with is no
// damage: nothing of what was saved depends on it.
func (r *Repository) VerifyLog(ctx context.Context) (gaps []LogGap, broken []error, err error) {
	l, err := r.readLog(ctx, false)
	if err != nil {
		return nil, nil, err
	}
	for _, rec := range l.inOrder() {
		gaps = append(gaps, l.gapsBefore(rec)...)
	}
	for _, id := range slices.Sorted(maps.Keys(l.broken)) {
		broken = append(broken, l.broken[id])
	}
	return gaps, broken, nil
}

// gapsBefore returns what is missing directly before a record, or of the record
// itself when nothing else would tell that it is gone.
func (l *runLog) gapsBefore(rec *Record) (gaps []LogGap) {
	if !l.listed[rec.ID] {
		if l.followed[rec.ID] {
			return nil // told by the one that follows it
		}
		return []LogGap{{Missing: rec.ID, Time: rec.Time, Host: rec.Host}}
	}
	for _, id := range rec.Previous {
		if !l.listed[id] {
			gaps = append(gaps, LogGap{Missing: id, After: rec.ID, Time: rec.Time, Host: rec.Host})
		}
	}
	if len(rec.Previous) == 0 && rec.Sequence > 1 {
		gaps = append(gaps, LogGap{After: rec.ID, Time: rec.Time, Host: rec.Host})
	}
	return gaps
}

// runLog is the log as far as it is known.
type runLog struct {
	r        *Repository
	listed   map[DocumentID]bool    // in the repository
	plain    map[DocumentID][]byte  // stored forms, those that are gone too
	records  map[DocumentID]*Record // the same, decoded
	broken   map[DocumentID]error
	followed map[DocumentID]bool // named by a record that is in the repository
	fresh    bool                // something is not in the local copy yet
}

// readLog reads the log: what the local copy has from there when it is trusted,
// and the rest from the repository.
func (r *Repository) readLog(ctx context.Context, trust bool) (*runLog, error) {
	l := &runLog{
		r: r, listed: map[DocumentID]bool{}, plain: map[DocumentID][]byte{}, records: map[DocumentID]*Record{},
		broken: map[DocumentID]error{}, followed: map[DocumentID]bool{},
	}
	ids, err := r.ListDocuments(ctx, Log)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		l.listed[id] = true
	}
	cached := r.loadLogCache()
	for id, plain := range cached {
		if trust || !l.listed[id] {
			l.take(id, plain)
		}
	}
	if !r.CanRead() {
		return l, nil
	}
	ids = slices.DeleteFunc(ids, func(id DocumentID) bool { return l.records[id] != nil })
	if err := l.read(ctx, ids); err != nil {
		return nil, err
	}
	for _, id := range ids {
		l.fresh = l.fresh || cached[id] == nil
	}
	return l, nil
}

// read takes records from the repository. Those that cannot be read are known by
// their names at least; only the end of ctx is an error.
func (l *runLog) read(ctx context.Context, ids []DocumentID) error {
	plains := make([][]byte, len(ids))
	wrong := make([]error, len(ids))
	err := eachSmall(ctx, len(ids), func(i int) error {
		plains[i], wrong[i] = l.r.GetDocument(ctx, Log, ids[i])
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	for i, id := range ids {
		err := wrong[i]
		if err == nil {
			err = l.take(id, plains[i])
		} else {
			err = fmt.Errorf("record %s: %w", id.Short(), err)
		}
		if err != nil {
			l.broken[id] = err
		}
	}
	return nil
}

func (l *runLog) take(id DocumentID, plain []byte) error {
	rec, err := decodeRecord(id, plain)
	if err != nil {
		return err
	}
	l.plain[id], l.records[id] = plain, rec
	for _, before := range rec.Previous {
		l.followed[before] = l.followed[before] || l.listed[id]
	}
	return nil
}

// keep takes a record that was just written.
func (l *runLog) keep(id DocumentID, plain []byte) {
	l.listed[id], l.fresh = true, true
	l.take(id, plain)
}

// next says what a new record has to name: all records that none follows. Those
// that are gone although this computer has seen them are named too, so that
// everybody can see it.
func (l *runLog) next() (sequence uint64, previous []DocumentID) {
	sequence = uint64(len(l.listed))
	for _, rec := range l.inOrder() {
		sequence = max(sequence, rec.Sequence)
		if !l.followed[rec.ID] {
			previous = append(previous, rec.ID)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(l.broken)) {
		if !l.followed[id] {
			previous = append(previous, id)
		}
	}
	return sequence + 1, previous[max(0, len(previous)-mostPrevious):]
}

// inOrder returns all known records, the oldest first.
func (l *runLog) inOrder() []*Record {
	return slices.SortedFunc(maps.Values(l.records), func(a, b *Record) int { return olderRecord(*a, *b) })
}

// save stores the local copy if it has changed. Without it the next run reads
// more.
func (l *runLog) save() {
	if !l.fresh {
		return
	}
	if err := l.r.saveLogCache(l.plain); err != nil && !errors.Is(err, errNoCache) {
		l.r.options.Warn(fmt.Errorf("local copy of the log: %w", err))
	}
}
