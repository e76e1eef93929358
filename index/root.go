package index

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
)

// rootVersion is the first byte of every root. A cache with another one is rebuilt.
const rootVersion = 1

// appendRoot encodes the root, on which everything else on the shelf depends:
//
//	version      1 byte
//	next         uvarint, first ordinal that was never given
//	nextSegment  uvarint, first segment number that was never given
//	base:
//	  generation uvarint
//	  tag        8 bytes
//	  pages      uvarint
//	  entries    uvarint
//	  below      uvarint, chunks with lower ordinals are in it
//	segments     uvarint, number of segments; in the order of their numbers
//	  number     uvarint
//	  tag        8 bytes
//	  packs      uvarint, number of packs
//	  name       uvarint length, bytes
func appendRoot(dst []byte, c *catalog, base *base) []byte {
	dst = append(dst, rootVersion)
	dst = binary.AppendUvarint(dst, c.next)
	dst = binary.AppendUvarint(dst, uint64(c.nextSegment))
	dst = binary.AppendUvarint(dst, uint64(base.generation))
	dst = append(dst, base.tag[:]...)
	dst = binary.AppendUvarint(dst, uint64(len(base.pages)))
	dst = binary.AppendUvarint(dst, base.entries)
	dst = binary.AppendUvarint(dst, base.below)
	dst = binary.AppendUvarint(dst, uint64(len(c.segments)))
	inOrder := func(a, b *segment) int { return cmp.Compare(a.number, b.number) }
	for _, s := range slices.SortedFunc(maps.Values(c.segments), inOrder) {
		dst = binary.AppendUvarint(dst, uint64(s.number))
		dst = append(dst, s.tag[:]...)
		dst = binary.AppendUvarint(dst, uint64(len(s.packs)))
		dst = binary.AppendUvarint(dst, uint64(len(s.name)))
		dst = append(dst, s.name...)
	}
	return dst
}

// decodeRoot returns the catalog and base that a root describes, and the segments' names with the packs still
// missing: their number is given.
func decodeRoot(b []byte) (c catalog, bs *base, missing map[*segment]int, err error) {
	r := reader{b: b}
	if v := r.byte(); v != rootVersion {
		r.fail(fmt.Errorf("version %d", v))
	}
	c, bs = newCatalog(), new(base)
	c.next = r.uvarint(math.MaxUint32)
	c.nextSegment = r.uint32()
	bs.generation = r.uint32()
	r.copy(bs.tag[:])
	pages := int(r.uvarint(buckets))
	if pages&(pages-1) != 0 {
		r.fail(fmt.Errorf("%d pages", pages))
	}
	bs.pages = make([]slot, pages)
	bs.entries = r.uvarint(math.MaxUint32)
	bs.below = r.uvarint(c.next)
	missing = readSegments(&r, &c)
	if r.err == nil && len(r.b) > 0 {
		r.err = errors.New("trailing bytes")
	}
	return c, bs, missing, r.err
}

func readSegments(r *reader, c *catalog) (missing map[*segment]int) {
	missing = make(map[*segment]int)
	least := uint64(0)
	for range r.count(1 + 8 + 1 + 1) {
		s := &segment{number: r.uint32()}
		r.copy(s.tag[:])
		packs := int(r.uint32())
		name := make([]byte, r.count(1))
		r.copy(name)
		s.name = string(name)
		if uint64(s.number) < least || s.number >= c.nextSegment || c.segments[s.name] != nil {
			r.fail(fmt.Errorf("segment %q has number %d", s.name, s.number))
		}
		if r.err != nil {
			return nil
		}
		least = uint64(s.number) + 1
		c.segments[s.name] = s
		missing[s] = packs
	}
	return missing
}

// piecePacks is the number of packs in one piece of a segment's record.
const piecePacks = 1024

// records returns the pieces of a segment's record, which describe its packs one after the other:
//
//	id       32 bytes
//	session  16 bytes
//	class     1 byte
//	size, chunks, first
//	         4 bytes each, little endian
func (s *segment) records() []record {
	var records []record
	for packs := range slices.Chunk(s.packs, piecePacks) {
		value := make([]byte, 0, len(packs)*packRow)
		for _, p := range packs {
			value = appendPack(value, p)
		}
		records = append(records, record{key: s.piece(len(records)), tag: s.tag[:], value: value})
	}
	return records
}

func (s *segment) piece(i int) key { return newKey(segmentKind, s.number, i) }

// pieces returns the keys of the record of a segment of so many packs.
func (s *segment) pieces(packs int) []key {
	keys := make([]key, (packs+piecePacks-1)/piecePacks)
	for i := range keys {
		keys[i] = s.piece(i)
	}
	return keys
}

// packRow is the length of a pack's description.
const packRow = 32 + 16 + 1 + 3*4

func appendPack(dst []byte, p *pack) []byte {
	dst = append(dst, p.ID[:]...)
	dst = append(dst, p.Session[:]...)
	dst = append(dst, byte(p.Class))
	dst = binary.LittleEndian.AppendUint32(dst, p.Size)
	dst = binary.LittleEndian.AppendUint32(dst, p.Chunks)
	return binary.LittleEndian.AppendUint32(dst, uint32(p.First))
}

func decodePack(row []byte) *pack {
	p := new(pack)
	numbers := row[copy(p.ID[:], row)+copy(p.Session[:], row[32:])+1:]
	p.Class = Class(row[48])
	p.Size = binary.LittleEndian.Uint32(numbers)
	p.Chunks = binary.LittleEndian.Uint32(numbers[4:])
	p.First = uint64(binary.LittleEndian.Uint32(numbers[8:]))
	return p
}
