//go:build amd64

package zst

import "slices"

// Patch is what can be marked as noise, bytes.
const Patch = 16 << 10

const (
	maxBlock = 128 << 10 // bytes of content, of one block
	tile     = 32 << 10  // bytes that are searched, then parsed
	tableLog = 16        // of positions; find has it as a constant
	minMatch = 6

	// reach is how far the search reads beyond what it looks at, bytes: content
	// ends with as many literals or more.
	reach = 32
	// margin is how far from the end of its stretch a match begins at the latest,
	// bytes, so that it has length enough there.
	margin = 8
	word   = 64 // positions of one word of bits
)

// Of a block's header: whether it is the last one, 1 bit; its kind, 2 bits; its
// length, or that of the content for blocks that are not compressed.
const (
	storedBlock     = 0
	compressedBlock = 2
)

// An Encoder makes blocks. It is some 1.2 MB large, and not safe for concurrent
// use. The zero value is ready.
type Encoder struct {
	last  [1 << tableLog]uint32 // position of a string's last occurrence, by hash
	cand  [tile]uint32          // of each position, a place before it
	match [tile / word]uint64   // whether six bytes there are equal, the first position's bit highest
	found [2][tile/2/minMatch + 1]sequence

	tables   codeTables
	records  []record
	literals []byte
	coder    literalCoder
	counts   [3]distribution
	states   [3]stateTable
	block    []byte
}

// sequence is a match that was found: length bytes at position at, as they stand
// distance bytes before.
//
//lint:ignore U1000 the steps in assembly know the fields
type sequence struct{ at, length, distance uint32 }

// AppendBlocks appends the blocks of b, the last of them marked, to what is to be
// a frame of a single segment. The patches that noisy marks are stored as they are;
// those behind its end are not marked. It wants Usable; b is not empty, and shorter
// than 4 GiB.
func (e *Encoder) AppendBlocks(dst, b []byte, noisy []bool) []byte {
	clear(e.last[:])
	for at := 0; at < len(b); {
		end, stored := stretch(at, len(b), noisy)
		if stored {
			dst = append(appendHeader(dst, end == len(b), storedBlock, end-at), b[at:end]...)
		} else {
			e.search(b, at, end)
			dst = e.appendBlock(dst, b[at:end], end == len(b))
		}
		at = end
	}
	return dst
}

// stretch returns where a block that begins at at ends: where patches of another kind
// begin, or where it is full.
func stretch(at, size int, noisy []bool) (end int, stored bool) {
	marked := func(at int) bool { return at/Patch < len(noisy) && noisy[at/Patch] }
	end = at + Patch
	for end < size && end-at < maxBlock && marked(end) == marked(at) {
		end += Patch
	}
	return min(end, size), marked(at)
}

func (e *Encoder) appendBlock(dst, content []byte, last bool) []byte {
	e.block = e.appendLiterals(e.block[:0])
	e.block = e.appendSequences(e.block)
	if len(e.block) >= len(content) {
		return append(appendHeader(dst, last, storedBlock, len(content)), content...)
	}
	return append(appendHeader(dst, last, compressedBlock, len(e.block)), e.block...)
}

func appendHeader(dst []byte, last bool, kind, size int) []byte {
	h := uint32(kind<<1 | size<<3)
	if last {
		h |= 1
	}
	return append(dst, byte(h), byte(h>>8), byte(h>>16))
}

// search divides b[at:end] into records and literals.
func (e *Encoder) search(b []byte, at, end int) {
	g := e.gatherer(b, at, end)
	limit := min(end, len(b)-reach)
	for from := at; limit-from >= 2*word; from += tile {
		to := from + min(tile, limit-from)&^(2*word-1)
		find(&e.last[0], &b[0], &e.cand[0], &e.match[0], from, to)
		if from == 0 {
			e.match[0] &= 1<<(word-1) - 1 // nothing stands before the first byte
		}
		mid := from + (to-from)/2
		j := parseJob{
			src: &b[0], cand: &e.cand[0], match: &e.match[0], from: from,
			lanes: [2]lane{{found: &e.found[0][0], from: from, to: mid - margin}, {found: &e.found[1][0], from: mid, to: to - margin}},
		}
		parse(&j)
		for i, l := range j.lanes {
			g.add(e.found[i][:l.n])
		}
	}
	g.finish(b[:end])
}

// gatherer collects the parts of a block.
type gatherer struct {
	e   *Encoder
	job gatherJob
}

func (e *Encoder) gatherer(b []byte, at, end int) *gatherer {
	e.tables.reset()
	e.literals = slices.Grow(e.literals[:0], end-at+reach)
	e.literals = e.literals[:cap(e.literals)]
	e.records = slices.Grow(e.records[:0], (end-at)/minMatch+1)
	e.records = e.records[:cap(e.records)]
	return &gatherer{e, gatherJob{src: &b[0], at: at, tables: &e.tables}}
}

func (g *gatherer) add(found []sequence) {
	if len(found) == 0 {
		return
	}
	g.job.found, g.job.n = &found[0], len(found)
	g.job.literals = &g.e.literals[g.job.numLiterals]
	g.job.records = &g.e.records[g.job.numRecords]
	gather(&g.job)
}

// finish adds what comes after the last match, up to the end of b.
func (g *gatherer) finish(b []byte) {
	n := copy(g.e.literals[g.job.numLiterals:], b[g.job.at:])
	g.e.literals = g.e.literals[:g.job.numLiterals+n]
	g.e.records = g.e.records[:g.job.numRecords]
}
