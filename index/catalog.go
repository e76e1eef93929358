package index

import (
	"iter"
	"math"
	"slices"
	"sort"
)

// maxOrdinals is how many ordinals there are.
const maxOrdinals = math.MaxUint32

// PackInfo describes a pack.
type PackInfo struct {
	ID      PackID
	Session [16]byte
	Class   Class
	Size    uint32 // of the whole pack file, in bytes
	Chunks  uint32 // how many it holds
	First   uint64 // ordinal of its first chunk; the others follow in the order of the directory
}

// A pack is a known pack. Only listed ever changes.
type pack struct {
	PackInfo
	listed int // by how many segments
}

// end returns the first ordinal after the pack's.
func (p *pack) end() uint64 { return p.First + uint64(p.Chunks) }

// parts yields the numbers of the parts that the pack's chunks are in.
func (p *pack) parts() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		if p.Chunks == 0 {
			return
		}
		for n := p.First / partChunks; n*partChunks < p.end() && yield(uint32(n)); n++ {
		}
	}
}

// in returns where in a part the pack's chunks begin and end.
func (p *pack) in(part uint32) (low, high int) {
	start := uint64(part) * partChunks
	return int(max(p.First, start) - start), int(min(p.end(), start+partChunks) - start)
}

func partKey(number uint32) key { return newKey(partKind, number, 0) }

// A segment is an imported segment.
type segment struct {
	name   string
	number uint32
	tag    [8]byte // random; tells this segment's record from others that had the same number
	packs  []*pack
}

// A catalog knows all packs and segments.
//
// Packs have consecutive ordinals, in the order in which they became known. Those of packs that are gone stay unused.
type catalog struct {
	packs    []*pack  // in the order of their ordinals; readers may hold on to it, so it only grows or is replaced
	first    []uint32 // their first ordinals, side by side to be searched
	byID     map[PackID]*pack
	segments map[string]*segment

	chunks      uint64 // in all packs
	next        uint64 // first ordinal that was never given
	nextSegment uint32 // first segment number that was never given
}

func newCatalog() catalog {
	return catalog{byID: make(map[PackID]*pack), segments: make(map[string]*segment)}
}

// add enters a pack whose ordinals follow all others.
func (c *catalog) add(p *pack) {
	c.packs = append(c.packs, p)
	c.first = append(c.first, uint32(p.First))
	c.byID[p.ID] = p
	c.chunks += uint64(p.Chunks)
	c.next = max(c.next, p.end())
}

// inPart returns the packs that have chunks in a part.
func (c *catalog) inPart(n uint32) []*pack {
	low := uint64(n) * partChunks
	i := sort.Search(len(c.packs), func(i int) bool { return c.packs[i].end() > low })
	j := sort.Search(len(c.packs), func(j int) bool { return c.packs[j].First >= low+partChunks })
	return c.packs[i:max(i, j)]
}

// at returns the pack that has the ordinal, or nil.
func (c *catalog) at(ordinal uint32) *pack {
	n := sort.Search(len(c.first), func(i int) bool { return c.first[i] > ordinal })
	if n == 0 || uint64(ordinal) >= c.packs[n-1].end() {
		return nil
	}
	return c.packs[n-1]
}

// list enters a segment.
func (c *catalog) list(s *segment) {
	c.segments[s.name] = s
	for _, p := range s.packs {
		p.listed++
	}
}

// unlist removes segments and the packs that no other segment lists, and returns both.
func (c *catalog) unlist(names []string) (gone []*segment, dropped []*pack) {
	for _, name := range names {
		s, ok := c.segments[name]
		if !ok {
			continue
		}
		delete(c.segments, name)
		gone = append(gone, s)
		for _, p := range s.packs {
			if p.listed--; p.listed == 0 {
				dropped = append(dropped, p)
			}
		}
	}
	c.drop(dropped)
	return gone, dropped
}

func (c *catalog) drop(packs []*pack) {
	if len(packs) == 0 {
		return
	}
	for _, p := range packs {
		delete(c.byID, p.ID)
		c.chunks -= uint64(p.Chunks)
	}
	c.packs = slices.DeleteFunc(slices.Clone(c.packs), func(p *pack) bool { return c.byID[p.ID] != p })
	c.first = c.first[:0]
	for _, p := range c.packs {
		c.first = append(c.first, uint32(p.First))
	}
}
