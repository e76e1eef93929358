package index

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"

	"chartkeep/chunk"
)

// MaxPlain is the largest plaintext of one block, in bytes.
const MaxPlain = 8 << 20

// directoryVersion is the first byte of every encoded directory.
const directoryVersion = 1

// PackID names a pack.
type PackID [32]byte

// String returns the name in lower-case hexadecimal digits.
func (p PackID) String() string { return hex.EncodeToString(p[:]) }

// IsZero reports whether p names no pack.
func (p PackID) IsZero() bool { return p == PackID{} }

// ParsePackID reads what String writes, and nothing else.
func ParsePackID(s string) (PackID, error) {
	var p PackID
	if len(s) != 2*len(p) {
		return PackID{}, fmt.Errorf("pack name %q: not %d digits", s, 2*len(p))
	}
	if _, err := hex.Decode(p[:], []byte(s)); err != nil {
		return PackID{}, fmt.Errorf("pack name %q: %w", s, err)
	}
	if p.String() != s {
		return PackID{}, fmt.Errorf("pack name %q: upper-case digits", s)
	}
	return p, nil
}

// Class says what the chunks of a pack hold.
type Class uint8

const (
	Data Class = 1 // file content
	Meta Class = 2 // trees and content lists
)

// String returns the class's name.
func (c Class) String() string {
	switch c {
	case Data:
		return "data"
	case Meta:
		return "meta"
	}
	return fmt.Sprintf("class %d", uint8(c))
}

func (c Class) valid() bool { return c == Data || c == Meta }

// Codec says how a block's plaintext became the payload that was sealed.
type Codec uint8

const (
	Raw  Codec = 0 // unchanged
	Zstd Codec = 1 // one zstd frame (RFC 8878)
)

// String returns the codec's name.
func (c Codec) String() string {
	switch c {
	case Raw:
		return "raw"
	case Zstd:
		return "zstd"
	}
	return fmt.Sprintf("codec %d", uint8(c))
}

func (c Codec) valid() bool { return c == Raw || c == Zstd }

// Chunk is one piece of a block's plaintext.
type Chunk struct {
	ID     chunk.ID
	Length uint32 // bytes of plaintext, at least 1
}

// Block is a run of chunks that were compressed and sealed together.
// Their plaintexts stand back to back, in this order, in the plaintext of the block.
type Block struct {
	Offset uint32 // of the sealed block in the pack file, in bytes
	Sealed uint32 // length of the sealed block in bytes, nonce and tag included
	Plain  uint32 // length of the plaintext in bytes: the sum of the chunks' lengths, at most MaxPlain
	Codec  Codec
	Chunks []Chunk // at least one
}

// Directory says what a pack holds. Its blocks stand in the order of the file and do not overlap.
type Directory struct {
	Pack    PackID
	Session [16]byte // the session whose keys sealed the blocks
	Class   Class
	Size    uint32 // of the whole pack file, in bytes
	Blocks  []Block
}

// Place is where a chunk can be read.
type Place struct {
	Pack    PackID
	Session [16]byte
	Class   Class
	Codec   Codec

	BlockOffset, BlockSealed, BlockPlain uint32 // as in Block

	Offset, Length uint32 // of the chunk in the block's plaintext, in bytes
}

// NumChunks returns how many chunks the pack holds.
func (d *Directory) NumChunks() int {
	n := 0
	for i := range d.Blocks {
		n += len(d.Blocks[i].Chunks)
	}
	return n
}

// Encoded returns how many bytes AppendDirectory appends at most, a few percent above what it does.
func (d *Directory) Encoded() int {
	return directoryBound + blockBound*len(d.Blocks) + chunkBound*d.NumChunks()
}

// Check returns what is wrong with d: exactly the directories it accepts survive
// encoding and decoding. withPack says whether Pack and Size are known.
func (d *Directory) Check(withPack bool) error {
	if !d.Class.valid() {
		return fmt.Errorf("directory of %v", d.Class)
	}
	end := uint64(0)
	for i := range d.Blocks {
		b := &d.Blocks[i]
		if err := b.check(end); err != nil {
			return fmt.Errorf("directory block %d: %w", i, err)
		}
		end = uint64(b.Offset) + uint64(b.Sealed)
	}
	if withPack && end > uint64(d.Size) {
		return fmt.Errorf("directory ends at byte %d of a pack of %d", end, d.Size)
	}
	return nil
}

// check returns what is wrong with a block that has to start at or after offset after.
func (b *Block) check(after uint64) error {
	switch end := uint64(b.Offset) + uint64(b.Sealed); {
	case uint64(b.Offset) < after:
		return fmt.Errorf("starts at byte %d, before byte %d where its predecessor ends", b.Offset, after)
	case b.Sealed == 0:
		return errors.New("no bytes")
	case end > math.MaxUint32:
		return fmt.Errorf("ends at byte %d", end)
	case !b.Codec.valid():
		return fmt.Errorf("%v", b.Codec)
	}
	return b.checkChunks()
}

func (b *Block) checkChunks() error {
	sum := uint64(0)
	for i := range b.Chunks {
		if b.Chunks[i].Length == 0 {
			return fmt.Errorf("chunk %d is empty", i)
		}
		sum += uint64(b.Chunks[i].Length)
	}
	switch {
	case len(b.Chunks) == 0:
		return errors.New("no chunks")
	case sum > MaxPlain:
		return fmt.Errorf("%d bytes of plaintext", sum)
	case sum != uint64(b.Plain):
		return fmt.Errorf("chunks of %d bytes in a plaintext of %d", sum, b.Plain)
	}
	return nil
}

// AppendDirectory appends the encoding of d to dst:
//
//	version   1 byte: 1
//	pack     32 bytes                          only withPack
//	session  16 bytes
//	class     1 byte
//	size      uvarint                          only withPack
//	blocks    uvarint, number of blocks
//	  gap     uvarint, bytes between the end of the block before and this one
//	  sealed  uvarint
//	  codec   1 byte
//	  chunks  uvarint, number of chunks
//	    id     32 bytes
//	    length uvarint
//
// A uvarint is that of encoding/binary in its shortest form, so that equal directories have equal
// encodings. A chunk takes 33 to 36 bytes. Within a pack, whose name and size are not known before it is
// finished, a directory is stored without them. Directories that Check refuses have no encoding.
func AppendDirectory(dst []byte, d *Directory, withPack bool) []byte {
	dst = append(dst, directoryVersion)
	if withPack {
		dst = append(dst, d.Pack[:]...)
	}
	dst = append(dst, d.Session[:]...)
	dst = append(dst, byte(d.Class))
	if withPack {
		dst = binary.AppendUvarint(dst, uint64(d.Size))
	}
	dst = binary.AppendUvarint(dst, uint64(len(d.Blocks)))
	end := uint32(0)
	for i := range d.Blocks {
		b := &d.Blocks[i]
		dst = appendBlock(dst, b, b.Offset-end)
		end = b.Offset + b.Sealed
	}
	return dst
}

func appendBlock(dst []byte, b *Block, gap uint32) []byte {
	dst = binary.AppendUvarint(dst, uint64(gap))
	dst = binary.AppendUvarint(dst, uint64(b.Sealed))
	dst = append(dst, byte(b.Codec))
	dst = binary.AppendUvarint(dst, uint64(len(b.Chunks)))
	for i := range b.Chunks {
		dst = append(dst, b.Chunks[i].ID[:]...)
		dst = binary.AppendUvarint(dst, uint64(b.Chunks[i].Length))
	}
	return dst
}

// Least lengths of an encoded block and chunk, which bound their numbers before anything is allocated.
const (
	minBlock = 1 + 1 + 1 + 1 + minChunk
	minChunk = 32 + 1
)

// Greatest lengths, of a directory without its blocks, a block without its chunks, and a chunk.
const (
	directoryBound = 1 + 32 + 16 + 1 + 2*binary.MaxVarintLen32
	blockBound     = 1 + 3*binary.MaxVarintLen32
	chunkBound     = 32 + 4 // MaxPlain takes four bytes
)

// DecodeDirectory decodes the directory that b begins with and returns what follows it. It accepts
// exactly the encodings of AppendDirectory with the same withPack; the directory keeps no reference to b.
func DecodeDirectory(b []byte, withPack bool) (d *Directory, rest []byte, err error) {
	r := reader{b: b}
	d = readDirectory(&r, withPack)
	if r.err == nil {
		r.err = d.Check(withPack)
	}
	if r.err != nil {
		return nil, nil, fmt.Errorf("decode directory: %w", r.err)
	}
	return d, r.b, nil
}

func readDirectory(r *reader, withPack bool) *Directory {
	d := new(Directory)
	if v := r.byte(); v != directoryVersion {
		r.fail(fmt.Errorf("version %d", v))
	}
	if withPack {
		r.copy(d.Pack[:])
	}
	r.copy(d.Session[:])
	d.Class = Class(r.byte())
	if withPack {
		d.Size = r.uint32()
	}
	d.Blocks = make([]Block, r.count(minBlock))
	end := uint64(0)
	for i := range d.Blocks {
		readBlock(r, &d.Blocks[i], end)
		if r.err != nil {
			return nil
		}
		end = uint64(d.Blocks[i].Offset) + uint64(d.Blocks[i].Sealed)
	}
	return d
}

func readBlock(r *reader, b *Block, end uint64) {
	offset := end + uint64(r.uint32())
	b.Sealed = r.uint32()
	if offset+uint64(b.Sealed) > math.MaxUint32 {
		r.fail(fmt.Errorf("block at byte %d", offset))
		return
	}
	b.Offset = uint32(offset)
	b.Codec = Codec(r.byte())
	b.Chunks = make([]Chunk, r.count(minChunk))
	for i := range b.Chunks {
		c := &b.Chunks[i]
		r.copy(c.ID[:])
		if c.Length = r.uint32(); c.Length > MaxPlain-b.Plain {
			r.fail(fmt.Errorf("more than %d bytes of plaintext in a block", MaxPlain))
			return
		}
		b.Plain += c.Length
	}
}
