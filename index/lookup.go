package index

import (
	"fmt"
	"io/fs"
	"iter"

	"chartkeep/chunk"
)

// DamagedBlock names a block that cannot be read.
type DamagedBlock struct {
	Pack   PackID
	Offset uint32 // of the block in the pack file, in bytes
}

// SetDamaged says which blocks are damaged, in place of those named before. Chunks that have no other place count
// as missing for Has and Claim, so that they are stored again; Lookup still returns their places, last. It is not
// kept over Close.
func (ix *Index) SetDamaged(blocks []DamagedBlock) {
	damaged := make(map[DamagedBlock]struct{}, len(blocks))
	for _, b := range blocks {
		damaged[b] = struct{}{}
	}
	ix.mu.Lock()
	ix.damaged = damaged
	ix.mu.Unlock()
}

// A find is a chunk found: number i of a part of a pack.
type find struct {
	pack    *pack
	part    part
	i       int
	ordinal uint32
}

func (f *find) place() Place {
	at := Place{Pack: f.pack.ID, Session: f.pack.Session, Class: f.pack.Class}
	f.part.place(f.i, &at)
	return at
}

// sound reports whether the block is not known to be damaged.
func (ix *Index) sound(f *find) bool {
	if len(ix.damaged) == 0 {
		return true
	}
	b, _ := f.part.block(f.part.blockOf(f.i))
	_, ok := ix.damaged[DamagedBlock{f.pack.ID, b.Offset}]
	return !ok
}

// each calls fn with every place of a chunk, in the order of ordinals, until it returns false.
// The caller holds ix.mu.
func (ix *Index) each(id *chunk.ID, fn func(find) bool) error {
	i, print := fingerprint(id)
	old, err := ix.shelf.bucket(ix.base, i)
	if err != nil {
		return err
	}
	for _, b := range [...]bucket{old, ix.delta.buckets[i]} {
		for i := b.find(entry(print, 0)); i < b.len() && b.print(i) == print; i++ {
			p := ix.cat.at(b.ordinal(i))
			if p == nil {
				continue
			}
			f, err := ix.open(p, b.ordinal(i))
			if err != nil {
				return err
			}
			if *f.part.id(f.i) == *id && !fn(f) {
				return nil
			}
		}
	}
	return nil
}

// open returns the chunk of p that has the ordinal.
func (ix *Index) open(p *pack, ordinal uint32) (find, error) {
	v, err := ix.part(ordinal / partChunks)
	return find{pack: p, part: v, i: int(ordinal % partChunks), ordinal: ordinal}, err
}

// part returns a part, and keeps it at hand. The caller holds ix.mu.
func (ix *Index) part(number uint32) (part, error) {
	if v, ok := ix.shelf.parts.get(partKey(number)); ok {
		return v, nil
	}
	v, stored, err := ix.readPart(number)
	if err == nil && stored {
		ix.shelf.parts.add(partKey(number), v, nil)
	}
	return v, err
}

// partOnce returns a part that is not wanted again: directories are read for whole
// repositories, and would fill what is at hand. The caller holds ix.mu.
func (ix *Index) partOnce(number uint32) (part, error) {
	if v, ok := ix.shelf.parts.get(partKey(number)); ok {
		return v, nil
	}
	v, _, err := ix.readPart(number)
	return v, err
}

// readPart returns a part, and whether it came from disk. The caller holds ix.mu.
func (ix *Index) readPart(number uint32) (v part, stored bool, err error) {
	if number == ix.last {
		return ix.tail, false, nil
	}
	v, stored, err = ix.shelf.fetch(partKey(number), nil)
	if err == nil && stored {
		err = ix.checkPart(number, v)
	}
	return v, stored, err
}

// checkPart returns an error unless a part holds what the catalog says. It could be one that was written before
// a crash, under a number that was given again.
func (ix *Index) checkPart(number uint32, v part) error {
	if !v.whole() {
		return ix.shelf.damage(fmt.Errorf("part %d", number))
	}
	for _, p := range ix.cat.inPart(number) {
		low, high := p.in(number)
		if low < high && (high > v.chunks() || v.packOf(low) != p.ID) {
			return ix.shelf.damage(fmt.Errorf("part %d: pack %v is not in it", number, p.ID))
		}
	}
	return nil
}

// Has reports whether a chunk is stored, in a block that is not known to be damaged.
func (ix *Index) Has(id chunk.ID) (bool, error) {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	found := false
	err := ix.each(&id, func(f find) bool {
		found = ix.sound(&f)
		return !found
	})
	return found, wrap("look up chunk", err)
}

// Lookup returns all places of a chunk, the best first and damaged ones last; none when it is not stored.
func (ix *Index) Lookup(id chunk.ID) ([]Place, error) {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	var places, damaged []Place
	err := ix.each(&id, func(f find) bool {
		if ix.sound(&f) {
			places = append(places, f.place())
		} else {
			damaged = append(damaged, f.place())
		}
		return true
	})
	if err != nil {
		return nil, wrap("look up chunk", err)
	}
	return append(places, damaged...), nil
}

// Ordinal returns the number of a chunk, of the place that Lookup returns first, and whether the chunk is stored.
// Numbers are below Chunks, and stay the same until the index is closed.
func (ix *Index) Ordinal(id chunk.ID) (uint64, bool, error) {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	var best find
	err := ix.each(&id, func(f find) bool {
		sound := ix.sound(&f)
		if best.pack == nil || sound {
			best = f
		}
		return !sound
	})
	return uint64(best.ordinal), best.pack != nil, wrap("look up chunk", err)
}

// Chunks returns a number above all ordinals. It is at most about twice the number of chunks.
func (ix *Index) Chunks() uint64 {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	return ix.cat.next
}

// Packs returns every pack that is known when it is called, added ones included, in the order of ordinals.
func (ix *Index) Packs() iter.Seq2[PackInfo, error] {
	return func(yield func(PackInfo, error) bool) {
		ix.mu.RLock()
		packs := ix.cat.packs
		ix.mu.RUnlock()
		if err := ix.shelf.usable(); err != nil {
			yield(PackInfo{}, fmt.Errorf("list packs: %w", err))
			return
		}
		for _, p := range packs {
			if !yield(p.PackInfo, nil) {
				return
			}
		}
	}
}

// Directory returns the directory of a pack; the error is fs.ErrNotExist when the pack is not known.
func (ix *Index) Directory(id PackID) (*Directory, error) {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	p, ok := ix.cat.byID[id]
	if !ok {
		return nil, fmt.Errorf("directory of pack %v: %w", id, fs.ErrNotExist)
	}
	d := &Directory{Pack: p.ID, Session: p.Session, Class: p.Class, Size: p.Size}
	chunks := make([]Chunk, 0, p.Chunks)
	for n := range p.parts() {
		v, err := ix.partOnce(n)
		if err != nil {
			return nil, fmt.Errorf("directory of pack %v: %w", id, err)
		}
		low, high := p.in(n)
		d.Blocks, chunks = v.appendTo(d.Blocks, chunks, low, high)
	}
	return d, nil
}

func wrap(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
