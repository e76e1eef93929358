package index

import (
	"crypto/rand"
	"fmt"

	"chartkeep/chunk"
)

// A base is the persistent part of the fingerprint table: one page per bucket, with entries for the chunks whose
// ordinals are below a limit. Pages are written together, as a generation, and never changed.
type base struct {
	generation uint32 // 0: there are no pages
	tag        [8]byte
	entries    uint64
	below      uint64
}

func (b *base) key(bucket int) key {
	return key{kind: pageKind, a: b.generation, b: uint32(bucket)}
}

func (b *base) keys() []key {
	if b.generation == 0 {
		return nil
	}
	keys := make([]key, buckets)
	for i := range keys {
		keys[i] = b.key(i)
	}
	return keys
}

// page returns the base's entries in a bucket.
func (s *shelf) page(b *base, i int) (bucket, error) {
	if b.generation == 0 {
		return nil, nil
	}
	v, err := s.get(b.key(i), b.tag[:])
	return bucket(v), err
}

// A delta is the part of the fingerprint table that the base lacks. It is made anew from the parts when a cache is
// opened, so nothing of it needs to be stored.
type delta struct {
	buckets [buckets]bucket
	entries uint64
}

func (d *delta) insert(id *chunk.ID, ordinal uint32) {
	b, print := fingerprint(id)
	d.buckets[b] = d.buckets[b].insert(entry(print, ordinal))
	d.entries++
}

// foldEntries is the least number of entries that make a delta or dead entries worth a new base. Up to here a cache
// has no base at all, and is read as a whole when it is opened.
const foldEntries = 1 << 18

// foldDue reports whether the delta should be folded into the base: when it has grown so that opening takes
// noticeably longer, or when a fifth of all entries belong to chunks that are gone.
func (ix *Index) foldDue() bool {
	entries := ix.base.entries + ix.delta.entries
	least := ix.options.foldEntries
	return ix.shelf.stored() &&
		(ix.delta.entries > least+ix.base.entries/32 || entries > least+ix.cat.chunks+ix.cat.chunks/4)
}

// fold writes a new base that holds the delta too, without the entries of packs that are gone. The caller holds
// ix.write, so that nothing but look-ups goes on.
func (ix *Index) fold() error {
	old := *ix.base
	fresh := &base{generation: old.generation + 1, below: ix.cat.next}
	_, _ = rand.Read(fresh.tag[:]) // never fails
	if err := ix.writeBase(fresh); err != nil {
		return fmt.Errorf("fold index: %w", err)
	}
	if err := ix.commit(fresh); err != nil {
		return fmt.Errorf("fold index: %w", err)
	}
	if !ix.shelf.stored() { // the root on disk leads to the old base
		ix.shelf.remove(fresh.keys())
		return nil
	}
	ix.mu.Lock()
	ix.base, ix.delta = fresh, new(delta)
	ix.mu.Unlock()
	ix.shelf.remove(old.keys())
	return nil
}

func (ix *Index) writeBase(fresh *base) error {
	keep := func(ordinal uint32) bool { return ix.cat.at(ordinal) != nil }
	if ix.base.entries+ix.delta.entries == ix.cat.chunks {
		keep = func(uint32) bool { return true }
	}
	var scratch []byte
	var records []record
	for i := range buckets {
		old, err := ix.shelf.page(ix.base, i)
		if err != nil {
			return err
		}
		start := len(scratch)
		scratch = merge(scratch, old, ix.delta.buckets[i], keep)
		page := scratch[start:len(scratch):len(scratch)]
		fresh.entries += uint64(bucket(page).len())
		records = append(records, record{key: fresh.key(i), tag: fresh.tag[:], value: page})
		if len(scratch) >= batchBytes || i == buckets-1 {
			if err := ix.shelf.put(records); err != nil {
				return err
			}
			scratch, records = scratch[:0], records[:0]
		}
	}
	return nil
}
