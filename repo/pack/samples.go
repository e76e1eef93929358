package pack

import "encoding/binary"

// A shape says how a block was rearranged before zstd saw it. X-ray volumes, CT
// slices and sound are 16-bit samples whose low bits are noise: zstd finds hardly
// a match in them, and at its fastest level stores them as they are. But
// neighbours differ little, so that in the differences nearly all high bytes are
// equal.
//
// A block of samples (16 bits, little endian) is stored as
//
//	first p bytes ‖ low bytes of all differences ‖ their high bytes ‖ odd last byte, if any
//
// where p is 0 or 1, and difference i is sample i − sample i−1 + 128 modulo 2¹⁶;
// sample −1 is 0. The 128 keeps small negative differences from having other
// high bytes than small positive ones.
type shape byte

// The numbers are part of the format.
const (
	asItWas  shape = 0x00
	sampled  shape = 0x10 // p = 0
	sampled1 shape = 0x11 // p = 1
)

func (s shape) valid() bool { return s == asItWas || s == sampled || s == sampled1 }

// phase is p.
func (s shape) phase() int { return int(s & 1) }

// planes returns where the low and the high bytes of the differences stand in a
// stored block.
func (s shape) planes(stored []byte) (low, high []byte) {
	p := s.phase()
	n := (len(stored) - p) / 2
	return stored[p : p+n], stored[p+n : p+2*n]
}

// samples returns the part of a block that consists of whole samples.
func (s shape) samples(block []byte) []byte {
	p := s.phase()
	return block[p : p+(len(block)-p)/2*2]
}

// copyEnds copies what is not part of a sample, at most a byte at either end.
func (s shape) copyEnds(dst, src []byte) {
	p := s.phase()
	copy(dst[:p], src)
	end := p + len(s.samples(src))
	copy(dst[end:], src[end:])
}

// apply rearranges src into dst, which is as long; neither is empty.
func (s shape) apply(dst, src []byte) {
	s.copyEnds(dst, src)
	low, high := s.planes(dst)
	src = s.samples(src)
	var before uint64
	for len(src) >= 8 && len(low) >= 4 && len(high) >= 4 {
		v := binary.LittleEndian.Uint64(src)
		d := differences(v, before)
		binary.LittleEndian.PutUint32(low, lowBytes(d))
		binary.LittleEndian.PutUint32(high, lowBytes(d>>8))
		before, src, low, high = v, src[8:], low[4:], high[4:]
		if n := splitMany(low, high, src); n > 0 {
			before = binary.LittleEndian.Uint64(src[2*n-8:])
			src, low, high = src[2*n:], low[n:], high[n:]
		}
	}
	var last [8]byte
	copy(last[:], src)
	d := differences(binary.LittleEndian.Uint64(last[:]), before)
	for i := range low {
		low[i], high[i] = byte(d>>(16*i)), byte(d>>(16*i+8))
	}
}

// undo puts src back into order, into dst, which is as long; neither is empty.
func (s shape) undo(dst, src []byte) {
	s.copyEnds(dst, src)
	low, high := s.planes(src)
	dst = s.samples(dst)
	var before uint64
	if n := joinMany(dst, low, high); n > 0 {
		before = binary.LittleEndian.Uint64(dst[2*n-8:])
		dst, low, high = dst[2*n:], low[n:], high[n:]
	}
	for len(dst) >= 8 && len(low) >= 4 && len(high) >= 4 {
		l, h := binary.LittleEndian.Uint32(low), binary.LittleEndian.Uint32(high)
		before = sums(spread(l)|spread(h)<<8, before)
		binary.LittleEndian.PutUint64(dst, before)
		dst, low, high = dst[8:], low[4:], high[4:]
	}
	var d uint64
	for i := range low {
		d |= (uint64(low[i]) | uint64(high[i])<<8) << (16 * i)
	}
	var last [8]byte
	binary.LittleEndian.PutUint64(last[:], sums(d, before))
	copy(dst, last[:])
}

// Four samples are worked on at a time in one word, the first in the lowest 16
// bits; tops keeps the borrow of one from running into the next.
const (
	tops    = 0x8000_8000_8000_8000
	centre  = 0x0080
	centred = 0x0080_0080_0080_0080
)

// differences of four samples that come after the four of before.
func differences(v, before uint64) uint64 {
	p := v<<16 | before>>48
	d := (v | tops - p&^tops) ^ (v^^p)&tops // v − p
	return (d&^tops + centred) ^ d&tops
}

// sums is the inverse of differences.
func sums(d, before uint64) uint64 {
	v := before>>48 + d - centre
	w := v + d>>16 - centre
	x := w + d>>32 - centre
	y := x + d>>48 - centre
	return v&0xffff | w&0xffff<<16 | x&0xffff<<32 | y<<48
}

// lowBytes gathers the low bytes of four samples.
func lowBytes(x uint64) uint32 {
	x &= 0x00ff_00ff_00ff_00ff
	x = (x | x>>8) & 0x0000_ffff_0000_ffff
	return uint32(x | x>>16)
}

// spread is the inverse of lowBytes.
func spread(b uint32) uint64 {
	x := uint64(b)
	x = (x | x<<16) & 0x0000_ffff_0000_ffff
	return (x | x<<8) & 0x00ff_00ff_00ff_00ff
}
