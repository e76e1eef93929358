package pack

import (
	"encoding/binary"
	"slices"

	"github.com/klauspost/compress/huff0"
	"github.com/klauspost/compress/zstd"

	"chartkeep/repo/pack/zst"
)

// A frame of zstd (RFC 8878) is put together here, of what the library's encoder
// makes, or our own, and for blocks whose first part is known to have no matches
// worth looking for: that part becomes blocks of nothing but Huffman-coded literals.
// No block of either part refers to what the other one left behind, neither to its
// bytes, nor its tables, nor its offsets. Every decoder of zstd reads it.
//
//	header ‖ blocks of literals ‖ blocks of the encoder

const (
	zstdMagic     = 0xfd2fb528
	maxFrameBlock = 128 << 10 // bytes of content
	minLiterals   = 1 << 10   // for four streams
)

// Of a block's header: whether it is the last one, 1 bit; its kind, 2 bits; its
// length, or that of the content for blocks that are not compressed.
const (
	storedBlock     = 0
	runBlock        = 1
	compressedBlock = 2
)

// minOwn is what our own encoder is used from, bytes: it clears a table first.
const minOwn = 16 << 10

// appendFrame appends the frame of b, of which an encoder looks at what comes after
// the first n bytes only. That part is not empty; our own encoder stores the patches
// of it that noisy marks.
func (w *coder) appendFrame(dst, b []byte, n int, noisy []bool) []byte {
	own := w.useOwn && len(b)-n >= minOwn
	if n == 0 && !own {
		return w.encoder.EncodeAll(b, dst)
	}
	dst = binary.LittleEndian.AppendUint32(dst, zstdMagic)
	const contentSize4, singleSegment = 2 << 6, 1 << 5
	dst = append(dst, contentSize4|singleSegment)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(b)))
	if n > 0 {
		pieces := (n + maxFrameBlock - 1) / maxFrameBlock
		for piece := range slices.Chunk(b[:n], (n+pieces-1)/pieces) {
			dst = w.appendLiterals(dst, piece)
		}
	}
	if own {
		if w.own == nil {
			w.own = new(zst.Encoder)
		}
		return w.own.AppendBlocks(dst, b[n:], noisy)
	}
	return w.appendBlocks(dst, b[n:])
}

// appendBlocks appends the blocks that the library's encoder makes of b.
func (w *coder) appendBlocks(dst, b []byte) []byte {
	w.rest = w.encoder.EncodeAll(b, w.rest[:0])
	var h zstd.Header
	if err := h.Decode(w.rest); err != nil {
		panic(err) // it was made this moment
	}
	return append(dst, w.rest[h.HeaderSize:]...)
}

// appendLiterals appends a block that is not the last one.
func (w *coder) appendLiterals(dst, content []byte) []byte {
	var coded []byte
	err := huff0.ErrIncompressible
	if len(content) >= minLiterals {
		coded, _, err = huff0.Compress4X(content, &w.huffman)
	}
	switch {
	case err == huff0.ErrUseRLE:
		return append(appendBlockHeader(dst, runBlock, len(content)), content[0])
	case err != nil || len(coded)+literalsHead >= len(content):
		return append(appendBlockHeader(dst, storedBlock, len(content)), content...)
	}
	dst = appendBlockHeader(dst, compressedBlock, literalsHead+len(coded)+1)
	const compressed, fourStreams18 = 2, 3 << 2
	sizes := compressed | fourStreams18 | uint64(len(content))<<4 | uint64(len(coded))<<22
	dst = binary.LittleEndian.AppendUint64(dst, sizes)[:len(dst)+literalsHead]
	dst = append(dst, coded...)
	return append(dst, 0) // sequences
}

// literalsHead is the longest head of literals, which says two lengths of 18 bits.
const literalsHead = 5

func appendBlockHeader(dst []byte, kind, size int) []byte {
	h := uint32(kind<<1 | size<<3)
	return append(dst, byte(h), byte(h>>8), byte(h>>16))
}
