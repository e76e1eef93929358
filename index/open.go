package index

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"

	"chartkeep/chunk"
)

// Options are settings of Open. The zero value means the defaults.
type Options struct {
	// MemoryLimit is about how many bytes of the cache may be resident at a time, parts of mapped files included.
	// What the index needs beyond does not grow with the repository, but some 200 bytes per pack.
	// The default is 128 MiB, which holds the fingerprints of ten million chunks.
	MemoryLimit int64

	// Tests set these.
	foldEntries, maxGaps uint64
	room                 func(dir string) (uint64, error)
}

const defaultMemoryLimit = 128 << 20

func (o Options) withDefaults() Options {
	if o.MemoryLimit <= 0 {
		o.MemoryLimit = defaultMemoryLimit
	}
	if o.foldEntries == 0 {
		o.foldEntries = foldEntries
	}
	if o.maxGaps == 0 {
		o.maxGaps = maxGaps
	}
	if o.room == nil {
		o.room = room
	}
	return o
}

var errStale = errors.New("index cache is mostly gaps")

// Open opens the local copy of the index in dir, which belongs to it alone, or creates it. The key seals it. A copy
// that is damaged, or was made with another key or by another version, is replaced by an empty one: it is never
// authoritative, and the caller imports what Segments does not name. The error is ErrBusy when another process
// holds the directory; then, and when dir cannot be written to, NewMemory is the way out.
func Open(dir string, key [32]byte, o Options) (*Index, error) {
	c, err := lockCache(dir, key)
	if err != nil {
		return nil, fmt.Errorf("open index cache: %w", err)
	}
	ix, err := c.open(o.withDefaults())
	if err != nil {
		return nil, fmt.Errorf("open index cache: %w", errors.Join(err, c.lock.Unlock()))
	}
	return ix, nil
}

// open opens what is there or, if that fails, starts anew.
func (c *cache) open(o Options) (*Index, error) {
	ix, err := c.openIndex(o)
	if err == nil || errors.Is(err, fs.ErrPermission) || errors.Is(err, errFull) {
		return ix, err
	}
	if err := c.wipe(); err != nil {
		return nil, err
	}
	return c.openIndex(o)
}

func (c *cache) openIndex(o Options) (*Index, error) {
	clean, err := c.inspect()
	if err != nil {
		return nil, err
	}
	s, err := newShelf(c.files(), c.key, o)
	if err != nil {
		return nil, err
	}
	if err := c.mark(stateOpening); err != nil {
		return nil, err
	}
	if s.db, err = openBadger(s.dir); err != nil {
		return nil, err
	}
	_ = unmap(s.dir) // the last log file was read through; if it stays mapped, that is only memory
	ix := newIndex(s, o)
	ix.cache = c
	err = ix.load()
	if err == nil && !clean {
		err = errors.Join(ix.verify(), ix.sweep())
	}
	if err == nil {
		err = c.mark(stateOpen)
	}
	if err != nil {
		_, closing := s.close()
		return nil, errors.Join(err, closing)
	}
	return ix, nil
}

// load reads the root, and all that is kept in memory.
func (ix *Index) load() error {
	root, _, err := ix.shelf.fetch(rootKey, nil)
	if err != nil || root == nil {
		return err
	}
	cat, base, missing, err := decodeRoot(root)
	if err != nil {
		return fmt.Errorf("root: %w", err)
	}
	ix.cat, ix.base = cat, base
	if err := ix.loadPacks(missing); err != nil {
		return err
	}
	if ix.cat.next > 2*ix.cat.chunks+ix.options.maxGaps {
		return errStale
	}
	ix.startPart()
	return ix.loadDelta()
}

// maxGaps is how many more ordinals than twice the chunks there may be. Gaps are what forgotten packs leave; this many
// mean that most of the repository was rewritten since the cache was made, and that it is best made anew.
const maxGaps = 1 << 20

// startPart begins with a new part, for the one before cannot be continued.
func (ix *Index) startPart() {
	ix.last = uint32((ix.cat.next + partChunks - 1) / partChunks)
	ix.cat.next = uint64(ix.last) * partChunks
}

// loadPacks fills the catalog from the segments' records.
func (ix *Index) loadPacks(missing map[*segment]int) error {
	packs := make(map[PackID]*pack)
	for s, n := range missing {
		if err := ix.loadSegment(s, n, packs); err != nil {
			return fmt.Errorf("segment %s: %w", s.name, err)
		}
		ix.cat.list(s)
	}
	sorted := make([]*pack, 0, len(packs))
	for _, p := range packs {
		sorted = append(sorted, p)
	}
	slices.SortFunc(sorted, func(a, b *pack) int {
		return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.Chunks, b.Chunks))
	})
	end := uint64(0)
	for _, p := range sorted {
		if p.First < end || p.end() > ix.cat.next {
			return fmt.Errorf("pack %v: ordinals %d to %d", p.ID, p.First, p.end())
		}
		end = p.end()
		ix.cat.add(p)
	}
	return nil
}

// loadSegment reads the n packs of a segment. Those in packs are known already.
func (ix *Index) loadSegment(s *segment, n int, packs map[PackID]*pack) error {
	for _, k := range s.pieces(n) {
		v, _, err := ix.shelf.fetch(k, s.tag[:])
		if err != nil {
			return err
		}
		for row := range slices.Chunk(v, packRow) {
			if len(row) != packRow {
				return errors.New("half a pack")
			}
			p := decodePack(row)
			if packs[p.ID] == nil {
				packs[p.ID] = p
			}
			s.packs = append(s.packs, packs[p.ID])
		}
	}
	if len(s.packs) != n {
		return fmt.Errorf("%d packs instead of %d", len(s.packs), n)
	}
	return nil
}

// loadDelta enters the chunks that are not in the base.
func (ix *Index) loadDelta() error {
	var err error
	ix.delta.load(func(yield func(*chunk.ID, uint32) bool) {
		for _, p := range ix.cat.packs {
			if p.First < ix.base.below {
				continue
			}
			for n := range p.parts() {
				var v part
				if v, err = ix.part(n); err != nil {
					return
				}
				low, high := p.in(n)
				for i := low; i < high && yield(v.id(i), n*partChunks+uint32(i)); i++ {
				}
			}
		}
	})
	return err
}

// verify reads everything that the root leads to, because the process that had the cache before did not close it.
func (ix *Index) verify() error {
	for _, k := range ix.base.keys() {
		if _, _, err := ix.shelf.fetch(k, ix.base.tag[:]); err != nil {
			return err
		}
	}
	for n := range ix.partNumbers() {
		if _, _, err := ix.readPart(n); err != nil {
			return err
		}
	}
	return nil
}

// partNumbers yields the numbers of all parts that hold a pack's chunks, in order.
func (ix *Index) partNumbers() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		done := -1
		for _, p := range ix.cat.packs {
			for n := range p.parts() {
				if int(n) > done && !yield(n) {
					return
				}
				done = max(done, int(n))
			}
		}
	}
}

// sweep removes everything that the root does not lead to.
func (ix *Index) sweep() error {
	wanted := map[key]bool{rootKey: true}
	for _, k := range ix.base.keys() {
		wanted[k] = true
	}
	for _, s := range ix.cat.segments {
		for _, k := range s.pieces(len(s.packs)) {
			wanted[k] = true
		}
	}
	for n := range ix.partNumbers() {
		wanted[partKey(n)] = true
	}
	var stray []key
	err := ix.shelf.keys(func(k key) {
		if !wanted[k] {
			stray = append(stray, k)
		}
	})
	ix.shelf.remove(stray)
	return err
}
