package chunk

import (
	"encoding/binary"
	"math/bits"
)

// HeadSize is how much of a file's beginning Classify looks at.
const HeadSize = 64 << 10

// Classify says how to cut a file that begins with head: HeadSize bytes, or
// the whole file if it is shorter. It depends on these bytes alone, so that
// one file is cut alike every night.
//
// The question is not whether the file compresses but whether it will change
// in place or share parts with others. Images, films and archives do neither,
// and are known by their first bytes. What is unknown is Fine if anything in
// it repeats: a wrong Fine costs 1.5 % of the file in bookkeeping, a wrong
// Coarse stores 256 KiB again for every changed row.
func Classify(head []byte) Profile {
	head = head[:min(len(head), HeadSize)]
	if p, ok := known(head); ok {
		return p
	}
	if paged(head) || repetitive(head) {
		return Fine
	}
	return Coarse
}

const (
	// pageStride is a multiple of every usual page size (4, 8 and 16 KiB).
	pageStride = 16 << 10
	pageHeader = 16 // bytes looked at in each page
)

// paged finds the pages of a database file whose content is noise, as with
// images kept in PostgreSQL or with encrypted InnoDB tables: pages begin
// alike, but a place in their middle differs. (In raster images both are
// alike, as rows are.) It takes a whole head to tell.
func paged(head []byte) bool {
	if len(head) < HeadSize {
		return false
	}
	const compared = (HeadSize/pageStride - 1) * pageHeader
	headers, middles := alike(head), alike(head[pageStride/3:])
	return headers >= compared/8 && headers > 4*middles
}

// alike counts the bytes in the first pageHeader of every page that equal
// those of the page before.
func alike(pages []byte) (n int) {
	for ; len(pages) >= pageStride+pageHeader; pages = pages[pageStride:] {
		for i, b := range pages[:pageHeader] {
			if pages[pageStride+i] == b {
				n++
			}
		}
	}
	return n
}

// repetitive says whether samples of head have few different bytes, or the
// same 8 bytes at several places. It counts in whole numbers, so that all
// machines agree.
func repetitive(head []byte) bool {
	switch e := entropy(head); {
	case e < lowEntropy:
		return true
	case e > noiseEntropy:
		return false
	}
	return repeats(head)
}

const (
	samples    = 8
	sampleSize = 256

	// bit is the unit of entropy.
	bit = 256
	// Text has 4.2 to 5.1 bits a byte, hexadecimal 4.0, digits 3.6; raw
	// 12-bit volumes have 5.2 and more, and nothing in them repeats.
	lowEntropy = 4.75 * bit
	// So many samples of noise come to 7.95 bits, of deflated text to 7.9.
	// It is an early answer for what is most of the data.
	noiseEntropy = 7.875 * bit
	// Of the 8-byte strings in text and databases 4 to 90 % were seen before,
	// in noise and raw volumes none.
	repeatShare = 32 // one in
)

// sample returns where the i-th sample of head lies. They are spread over all
// of it; a short head they cover.
func sample(head []byte, i int) (from, to int) {
	step := max(sampleSize, (len(head)-sampleSize)/(samples-1))
	from = min(i*step, len(head))
	return from, min(from+sampleSize, len(head))
}

// entropy returns the information in a byte of the samples taken by itself
// (Shannon's of order 0).
func entropy(head []byte) int {
	var counts [256]uint16
	total := 0
	for i := range samples {
		from, to := sample(head, i)
		for _, b := range head[from:to] {
			counts[b]++
		}
		total += to - from
	}
	sum := total * log2(total)
	for _, n := range counts {
		sum -= int(n) * log2(int(n))
	}
	return sum / max(total, 1)
}

// log2 returns the logarithm of n, straight lines between powers of two: at
// most 0.09 bits too low. That of 0 is only multiplied by 0.
func log2(n int) int {
	whole := bits.Len(uint(n)|1) - 1
	return whole*bit + (n*bit)>>whole - bit
}

// repeats says whether enough of the 8-byte strings in the samples were at
// another place before.
func repeats(head []byte) bool {
	enough := min(len(head), samples*sampleSize) / repeatShare
	var places [2048]uint16 // by hash: where such a string was last; at first 0, which is as good as any
	for i := range samples {
		from, to := sample(head, i)
		for ; from+8 <= to; from++ {
			v := binary.LittleEndian.Uint64(head[from:])
			place := &places[v*0x9E3779B97F4A7C15>>(64-11)]
			if v == binary.LittleEndian.Uint64(head[*place:]) {
				enough--
			}
			*place = uint16(from)
		}
		if enough < 0 {
			return true
		}
	}
	return false
}
