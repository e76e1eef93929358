//go:build amd64

package zst

import (
	"encoding/binary"

	"github.com/klauspost/compress/huff0"
)

// literalCoder is what Huffman coding needs; each block has its own table.
type literalCoder = huff0.Scratch

const (
	minLiterals  = 64 // that are worth a table
	literalsHead = 5  // bytes of the longest head, which says two lengths of 18 bits
)

// Of a literals section: its kind, 2 bits, and how long the lengths are, 2 bits.
const (
	storedLiterals     = 0
	repeatedLiterals   = 1
	compressedLiterals = 2
	length20           = 3 << 2 // one length, 20 bits
	fourStreams18      = 3 << 2 // two lengths, 18 bits each
)

func (e *Encoder) appendLiterals(dst []byte) []byte {
	n := len(e.literals)
	if n >= minLiterals {
		e.coder.Reuse = huff0.ReusePolicyNone
		coded, _, err := huff0.Compress4X(e.literals, &e.coder)
		switch {
		case err == huff0.ErrUseRLE:
			return append(appendLength(dst, repeatedLiterals, n), e.literals[0])
		case err == nil && len(coded)+literalsHead < n:
			sizes := compressedLiterals | fourStreams18 | uint64(n)<<4 | uint64(len(coded))<<22
			dst = binary.LittleEndian.AppendUint64(dst, sizes)[:len(dst)+literalsHead]
			return append(dst, coded...)
		}
	}
	return append(appendLength(dst, storedLiterals, n), e.literals...)
}

func appendLength(dst []byte, kind, n int) []byte {
	h := uint32(kind | length20 | n<<4)
	return append(dst, byte(h), byte(h>>8), byte(h>>16))
}
