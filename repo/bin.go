package repo

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"

	"github.com/zeebo/blake3"

	"chartkeep/repo/crypt"
)

// The bin holds snapshots that were forgotten and can still be taken back. An
// entry is a document that holds the file of the snapshot's document as it was,
// so that what is taken back has the same bytes, and the same ID:
//
//	bin/<id>  { 1: the file, 2: when it was forgotten, 3: who, 4: until when, 5: why }
//
// The entry is durable before the snapshot goes, and when one is taken back the
// snapshot is before the entry goes. Whatever is cut off, the snapshot is listed
// or in the bin. If it is both, it is listed, and the entry is stale: the next
// prune removes it.

// A Discard says who forgets snapshots, and how long they can be taken back.
type Discard struct {
	Who, Why string
	Now      time.Time
	Until    time.Time // zero: until the next prune
	// ForGood has a snapshot removed when a full drive does not even take its
	// entry in the bin.
	ForGood bool
}

// A Discarded is an entry of the bin.
type Discarded struct {
	Entry    DocumentID // the bin's document
	Snapshot DocumentID
	Who, Why string
	At       time.Time // when it was forgotten
	Until    time.Time // zero: until the next prune

	file []byte // of the snapshot
}

// Over reports whether the entry need not be kept any longer.
func (d *Discarded) Over(now time.Time) bool { return d.Until.IsZero() || !now.Before(d.Until) }

// A BrokenEntry is an entry of the bin that cannot be read.
type BrokenEntry struct {
	Entry DocumentID
	Err   error
}

// maxWords bounds the texts of an entry, bytes.
const maxWords = 4 << 10

// binRecord is the stored form of an entry.
type binRecord struct {
	File  []byte `cbor:"1,keyasint"`
	At    int64  `cbor:"2,keyasint"` // Unix seconds
	Who   string `cbor:"3,keyasint"`
	Until int64  `cbor:"4,keyasint"` // Unix seconds; 0: until the next prune
	Why   string `cbor:"5,keyasint,omitempty"`
}

// Discard moves snapshots into the bin, one after the other. Each is told to
// done, with whether the bin has it: on a full drive that has no reserve either,
// d.ForGood removes it. One that somebody else has removed or edited meanwhile is
// left out. The caller holds the shared lock.
func (r *Repository) Discard(ctx context.Context, ids []DocumentID, d Discard, done func(id DocumentID, kept bool)) error {
	x := discarding{r: r, Discard: d}
	before, _, err := r.binEntries(ctx) // of listed snapshots: left by a run that was cut off
	if err != nil {
		return err
	}
	for _, id := range ids {
		err := r.withReserve(ctx, func() error { return x.put(ctx, id) })
		if errors.Is(err, fs.ErrNotExist) && !r.listed(ctx, id) {
			continue
		}
		kept := err == nil
		if err != nil && (!d.ForGood || !noSpace(err)) {
			return fmt.Errorf("put snapshot %s into the bin: %w", id.Short(), err)
		}
		if err := r.RemoveDocument(ctx, Snapshots, id); err != nil && !(kept && errors.Is(err, fs.ErrNotExist)) {
			return err
		}
		if err := r.removeDocuments(ctx, Bin, entriesFor(id, before)); err != nil {
			return err
		}
		done(id, kept)
	}
	return nil
}

func (r *Repository) listed(ctx context.Context, id DocumentID) bool {
	ids, err := r.ListDocuments(ctx, Snapshots)
	return err != nil || slices.Contains(ids, id)
}

// entriesFor names those of the entries that are a snapshot's.
func entriesFor(id DocumentID, all []Discarded) (entries []DocumentID) {
	for _, d := range all {
		if d.Snapshot == id {
			entries = append(entries, d.Entry)
		}
	}
	return entries
}

// discarding is a run of Discard. Its entries share a session.
type discarding struct {
	Discard
	r       *Repository
	session *crypt.Session
}

func (x *discarding) put(ctx context.Context, id DocumentID) (err error) {
	rec := binRecord{At: x.Now.Unix(), Who: clip(x.Who, maxWords), Why: clip(x.Why, maxWords)}
	if !x.Until.IsZero() {
		rec.Until = x.Until.Unix()
	}
	if rec.File, err = x.r.readDocument(ctx, Snapshots, id); err != nil {
		return err
	}
	plain, err := canonical.Marshal(&rec)
	if err != nil {
		return err
	}
	if len(plain) > maxSmallFile-1<<10 {
		return fmt.Errorf("its manifest of %d bytes is too large for the bin", len(rec.File))
	}
	if x.session == nil {
		if x.session, err = x.r.newSession(ctx); err != nil {
			return err
		}
	}
	_, err = x.r.putDocument(ctx, x.session, Bin, plain)
	return err
}

// Discarded returns the bin's entries, the last forgotten first, each snapshot
// once: those of listed snapshots are returned as stale, with those that a newer
// entry of the same snapshot replaces.
func (r *Repository) Discarded(ctx context.Context) (all, stale []Discarded, broken []BrokenEntry, err error) {
	entries, broken, err := r.binEntries(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	listed, err := r.ListDocuments(ctx, Snapshots)
	if err != nil {
		return nil, nil, nil, err
	}
	known := map[DocumentID]bool{}
	for _, id := range listed {
		known[id] = true
	}
	for _, d := range entries {
		if known[d.Snapshot] {
			stale = append(stale, d)
			continue
		}
		known[d.Snapshot] = true
		all = append(all, d)
	}
	return all, stale, broken, nil
}

// binEntries reads every entry, the last forgotten first.
func (r *Repository) binEntries(ctx context.Context) (all []Discarded, broken []BrokenEntry, err error) {
	ids, err := r.ListDocuments(ctx, Bin)
	if err != nil {
		return nil, nil, err
	}
	for _, id := range ids {
		d, err := r.readEntry(ctx, id)
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if err != nil {
			broken = append(broken, BrokenEntry{id, err})
			continue
		}
		all = append(all, *d)
	}
	if len(broken) > 0 { // unless they have been removed since they were listed
		if ids, err = r.ListDocuments(ctx, Bin); err != nil {
			return nil, nil, err
		}
		broken = slices.DeleteFunc(broken, func(b BrokenEntry) bool { return !slices.Contains(ids, b.Entry) })
	}
	slices.SortFunc(all, func(a, b Discarded) int {
		return cmp.Or(b.At.Compare(a.At), b.Until.Compare(a.Until), cmp.Compare(a.Entry, b.Entry))
	})
	return all, broken, nil
}

func (r *Repository) readEntry(ctx context.Context, id DocumentID) (*Discarded, error) {
	plain, err := r.GetDocument(ctx, Bin, id)
	if err != nil {
		return nil, err
	}
	d, err := decodeEntry(plain)
	if err != nil {
		return nil, fmt.Errorf("bin %s: %w", id.Short(), err)
	}
	d.Entry = id
	return d, nil
}

func decodeEntry(plain []byte) (*Discarded, error) {
	var rec binRecord
	if err := unmarshalCanonical(plain, &rec); err != nil {
		return nil, err
	}
	if len(rec.File) < documentHead {
		return nil, fmt.Errorf("it holds no snapshot: %w", ErrDamaged)
	}
	sum := blake3.Sum256(rec.File)
	d := &Discarded{Snapshot: DocumentID(hex.EncodeToString(sum[:])), Who: rec.Who, Why: rec.Why, At: time.Unix(rec.At, 0), file: rec.File}
	if rec.Until != 0 {
		d.Until = time.Unix(rec.Until, 0)
	}
	return d, nil
}

// OpenDiscarded returns the plaintext of the snapshot's document.
func (r *Repository) OpenDiscarded(ctx context.Context, d *Discarded) ([]byte, error) {
	return r.openDocument(ctx, Snapshots, d.Snapshot, d.file)
}

// TakeBack puts a snapshot back where it was. One that the bin does not have is
// fs.ErrNotExist. The caller holds the shared lock.
func (r *Repository) TakeBack(ctx context.Context, id DocumentID) error {
	entries, _, err := r.binEntries(ctx)
	if err != nil {
		return err
	}
	own := slices.IndexFunc(entries, func(d Discarded) bool { return d.Snapshot == id })
	if own < 0 {
		return fmt.Errorf("snapshot %s is not in the bin: %w", id.Short(), fs.ErrNotExist)
	}
	name := path.Join(string(Snapshots), string(id))
	err = r.withReserve(ctx, func() error {
		// One copy may be there, where a run was cut off.
		err := putSame(ctx, r.store, path.Join(twinFolder, name), entries[own].file)
		if err != nil {
			return err
		}
		if err = putSame(ctx, r.store, name, entries[own].file); err != nil {
			takeBack(context.WithoutCancel(ctx), r.store, name, entries[own].file)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("take back snapshot %s: %w", id.Short(), err)
	}
	return r.removeDocuments(ctx, Bin, entriesFor(id, entries))
}

// Purge removes entries of the bin. The caller holds the exclusive lock: an
// entry that looks stale may be that of a snapshot which is going this moment.
func (r *Repository) Purge(ctx context.Context, entries []DocumentID) error {
	return r.removeDocuments(ctx, Bin, entries)
}
