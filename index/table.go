package index

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"iter"

	"chartkeep/chunk"
)

// A base is the persistent part of the fingerprint table, with the chunks whose ordinals are below a limit. Its
// buckets are on pages, the same number on each. Pages are written together, as a generation, and never changed:
//
//	ends     4 bytes for each bucket, little endian: the number of entries on the page up to its end
//	entries  as in the buckets
type base struct {
	generation uint32
	tag        [8]byte
	entries    uint64
	below      uint64
	pages      []slot // none, or a power of two up to buckets
}

// pageEntries is the number of entries up to which a page is not split.
const pageEntries = 3072

// next returns a base to come after b, with room for so many entries.
func (b *base) next(entries uint64) *base {
	fresh := &base{generation: b.generation + 1}
	_, _ = rand.Read(fresh.tag[:]) // never fails
	pages := 1
	for entries > uint64(pages)*pageEntries && pages < buckets {
		pages *= 2
	}
	fresh.pages = make([]slot, pages)
	return fresh
}

func (b *base) key(page int) key { return newKey(pageKind, b.generation, page) }

func (b *base) keys() []key {
	keys := make([]key, len(b.pages))
	for i := range keys {
		keys[i] = b.key(i)
	}
	return keys
}

// page returns a page, and keeps it at hand.
func (s *shelf) page(b *base, i int) ([]byte, error) {
	if v, ok := s.recent.getSlot(&b.pages[i]); ok {
		return v, nil
	}
	v, stored, err := s.fetch(b.key(i), b.tag[:])
	if err == nil && stored {
		s.recent.add(b.key(i), v, &b.pages[i])
	}
	return v, err
}

// bucket returns what the base has in a bucket.
func (s *shelf) bucket(b *base, i int) (bucket, error) {
	if len(b.pages) == 0 {
		return nil, nil
	}
	page, err := s.page(b, i/(buckets/len(b.pages)))
	if err != nil {
		return nil, err
	}
	return b.bucket(page, i), nil
}

// bucket returns a bucket out of its page.
func (b *base) bucket(page []byte, i int) bucket {
	n := buckets / len(b.pages)
	start, end := 0, (len(page)-4*n)/entrySize
	if at := i % n; at > 0 {
		start = int(binary.LittleEndian.Uint32(page[4*(at-1):]))
	}
	if at := i % n; at < n-1 {
		end = int(binary.LittleEndian.Uint32(page[4*at:]))
	}
	return bucket(page[4*n:][start*entrySize : end*entrySize])
}

// pageOnce returns a page that is not wanted again.
func (s *shelf) pageOnce(b *base, i int) ([]byte, error) {
	if v, ok := s.recent.getSlot(&b.pages[i]); ok {
		return v, nil
	}
	v, _, err := s.fetch(b.key(i), b.tag[:])
	return v, err
}

// bucketsOnce reads all buckets of a base in order, each page once and without
// keeping it at hand.
func (s *shelf) bucketsOnce(b *base) func(i int) (bucket, error) {
	at, page := -1, []byte(nil)
	return func(i int) (bucket, error) {
		if len(b.pages) == 0 {
			return nil, nil
		}
		if n := i / (buckets / len(b.pages)); n != at {
			var err error
			if page, err = s.pageOnce(b, n); err != nil {
				return nil, err
			}
			at = n
		}
		return b.bucket(page, i), nil
	}
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

// load enters many chunks, which are appended first and sorted last.
func (d *delta) load(chunks iter.Seq2[*chunk.ID, uint32]) {
	for id, ordinal := range chunks {
		b, print := fingerprint(id)
		d.buckets[b] = binary.LittleEndian.AppendUint64(d.buckets[b], entry(print, ordinal))
		d.entries++
	}
	var scratch []uint64
	for _, b := range d.buckets {
		scratch = b.sort(scratch)
	}
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
		(ix.delta.entries > least+ix.base.entries/64 || entries > least+ix.cat.chunks+ix.cat.chunks/4)
}

// fold writes a new base that holds the delta too, without the entries of packs that are gone. The caller holds
// ix.write, so that nothing but look-ups goes on.
func (ix *Index) fold() error {
	old := ix.base
	fresh := old.next(old.entries + ix.delta.entries)
	fresh.below = ix.cat.next
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
	var scratch []byte
	var records []record
	old := ix.shelf.bucketsOnce(ix.base)
	for i := range len(fresh.pages) {
		start := len(scratch)
		var err error
		if scratch, err = ix.appendPage(scratch, old, fresh, i); err != nil {
			return err
		}
		records = append(records, record{key: fresh.key(i), tag: fresh.tag[:], value: scratch[start:len(scratch):len(scratch)]})
		if len(scratch) >= batchBytes || i == len(fresh.pages)-1 {
			if err := ix.shelf.put(records); err != nil {
				return err
			}
			scratch, records = scratch[:0], records[:0]
		}
	}
	return nil
}

// appendPage appends a page of a new base.
func (ix *Index) appendPage(dst []byte, oldBucket func(int) (bucket, error), fresh *base, page int) ([]byte, error) {
	keep := func(ordinal uint32) bool { return ix.cat.at(ordinal) != nil }
	if ix.base.entries+ix.delta.entries == ix.cat.chunks {
		keep = func(uint32) bool { return true } // nothing is gone
	}
	n := buckets / len(fresh.pages)
	ends := len(dst)
	dst = append(dst, make([]byte, 4*n)...)
	start := len(dst)
	for i := range n {
		old, err := oldBucket(page*n + i)
		if err != nil {
			return nil, err
		}
		dst = merge(dst, old, ix.delta.buckets[page*n+i], keep)
		binary.LittleEndian.PutUint32(dst[ends+4*i:], uint32((len(dst)-start)/entrySize))
	}
	fresh.entries += uint64((len(dst) - start) / entrySize)
	return dst, nil
}
