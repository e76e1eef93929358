//go:build amd64

package zst

import (
	"encoding/binary"
	"slices"
)

// The alphabets, in the order in which a block describes them.
const (
	literalLengths = iota
	offsets
	matchLengths
)

// record is a sequence as it is written: its three symbols, and their extra bits,
// 51 at most, in the order of the stream.
type record struct {
	extra  uint64
	symbol [3]uint8 // by alphabet
	bits   uint8    // how many are in extra
	_      [4]byte
}

// recordBits bounds what a record takes: states and extra bits.
const recordBits = 2*maxLog + maxOffsetLog + 51

// codeTables are the symbols of lengths, where tables know them, with what is
// taken off and how many bits that leaves (RFC 8878, 3.1.1.3.2.1.1); and how often
// each came in this block.
type codeTables struct {
	literal     [64]uint8
	match       [128]uint8 // of the length less 3
	literalBase [numSymbols]uint32
	literalBits [numSymbols]uint8
	matchBase   [numSymbols]uint32
	matchBits   [numSymbols]uint8
	count       [3][numSymbols]uint32
}

var (
	literalBits = [...]uint8{16: 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	matchBits   = [...]uint8{32: 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
)

// reset begins a block. The tables of codes are the same for each.
func (t *codeTables) reset() {
	t.count = [3][numSymbols]uint32{}
	if t.matchBits[len(matchBits)-1] == 0 {
		fillCodes(t.literal[:], t.literalBase[:], t.literalBits[:], literalBits[:])
		fillCodes(t.match[:], t.matchBase[:], t.matchBits[:], matchBits[:])
	}
}

func fillCodes(symbols []uint8, bases []uint32, extra, bits []uint8) {
	copy(extra, bits)
	base := 0
	for s, n := range bits {
		bases[s] = uint32(base)
		for v := base; v < min(base+1<<n, len(symbols)); v++ {
			symbols[v] = uint8(s)
		}
		base += 1 << n
	}
}

// appendSequences writes the sequences section (RFC 8878, 3.1.1.3.2).
func (e *Encoder) appendSequences(dst []byte) []byte {
	n := len(e.records)
	if n < 128 {
		dst = append(dst, byte(n))
	} else { // fewer than 0x7f00
		dst = append(dst, byte(n>>8)+128, byte(n))
	}
	if n == 0 {
		return dst
	}
	modes := len(dst)
	dst = append(dst, 0)
	for i := range e.counts {
		const onlySymbol, described = 1, 2
		d, shift := &e.counts[i], 6-2*i
		d.count = &e.tables.count[i]
		d.scale(n, [...]uint{maxLog, maxOffsetLog, maxLog}[i])
		e.states[i].build(d)
		if d.only {
			dst[modes] |= onlySymbol << shift
			dst = append(dst, byte(d.n-1))
			continue
		}
		dst[modes] |= described << shift
		dst = d.appendShares(dst)
	}
	return e.appendBits(dst)
}

// appendBits writes the records, which a decoder reads from the end: the last one
// first, of which the states need no bits.
func (e *Encoder) appendBits(dst []byte) []byte {
	n := len(e.records)
	dst = slices.Grow(dst, n*recordBits/8+16)
	out := dst[len(dst):cap(dst)]
	last := &e.records[n-1]
	j := encodeJob{records: &e.records[0], n: n - 1, out: &out[0], states: &e.states, bits: last.extra, numBits: int(last.bits)}
	for i := range j.state {
		j.state[i] = e.states[i].begin(last.symbol[i])
	}
	encode(&j)
	for _, i := range []int{matchLengths, offsets, literalLengths} {
		log := e.counts[i].log
		j.bits |= uint64(j.state[i]&(1<<log-1)) << j.numBits
		j.numBits += int(log)
	}
	j.bits |= 1 << j.numBits
	binary.LittleEndian.PutUint64(out[j.written:], j.bits)
	return dst[:len(dst)+j.written+j.numBits/8+1]
}
