package pack

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"chartkeep/index"
)

// Overhead is how many bytes a seal adds.
const Overhead = 12 + 16

// A Sealer seals what a pack says about itself: both append the sealed bytes to
// dst, which are Overhead longer than plain. Neither kind may open as the other.
type Sealer interface {
	SealDirectory(dst, plain []byte) []byte
	SealLocator(dst, plain []byte) []byte
}

// A Builder fills packs, one after the other, in memory that it keeps. Its
// methods must not be called concurrently; the room that Reserve gave may be
// filled meanwhile, by anyone, until Finish.
type Builder struct {
	box     Sealer
	percent int
	region  []byte // of TargetSize
	release func() // of region
	plain   []byte // the directory
	trailer []byte

	used      int // bytes of region
	directory index.Directory
	bound     int // of the encoded directory, bytes
}

// NewBuilder returns a builder of packs with that much parity, in percent from 0
// to MaxParity. Reset comes first.
func NewBuilder(percent int, box Sealer) *Builder {
	if percent < 0 || percent > MaxParity {
		panic(fmt.Sprintf("pack: parity of %d %%", percent))
	}
	b := &Builder{box: box, percent: percent}
	b.region, b.release = Region(TargetSize)
	return b
}

// Close gives the builder's memory back, and with it what Finish returned.
func (b *Builder) Close() {
	b.release()
	b.region, b.release = nil, func() {}
}

// Shed gives back the memory of the pack that was stored last, and with it what
// Finish returned, but for the directory. It is taken again as the next pack grows,
// for some 10 ms of the processor.
func (b *Builder) Shed() {
	shed(b.region)
	b.plain = nil
}

// What index.AppendDirectory takes for a directory without blocks, at most.
const directoryBound = 1 + 16 + 1 + binary.MaxVarintLen32

// directorySize is what it takes for a block that follows its predecessor
// without a gap.
func directorySize(sealed int, blk index.Block) int {
	n := 1 + uvarintLen(sealed) + 1 + uvarintLen(len(blk.Chunks))
	for _, c := range blk.Chunks {
		n += len(c.ID) + uvarintLen(int(c.Length))
	}
	return n
}

func uvarintLen(n int) int { return (bits.Len(uint(n)|1) + 6) / 7 }

// Reset begins a pack. What Finish returned before is overwritten from now on,
// but for the directory.
func (b *Builder) Reset(session [16]byte, class index.Class) {
	b.used, b.bound = headSize, directoryBound
	b.directory = index.Directory{Session: session, Class: class}
}

// Reserve gives room for a block in the pack: exactly sealed bytes, for the
// caller to seal into. It is false when the pack has not that much left; an empty
// pack has room for any block of up to index.MaxPlain bytes and 256,000 chunks.
// Of blk, Codec, Plain and Chunks count; the builder keeps Chunks.
func (b *Builder) Reserve(sealed int, blk index.Block) ([]byte, bool) {
	bound := b.bound + directorySize(sealed, blk)
	end := b.used + sealed
	if sealed <= 0 || end+Overhead+bound > len(b.region) {
		return nil, false
	}
	room := b.region[b.used:end:end]
	blk.Offset, blk.Sealed = uint32(b.used), uint32(sealed)
	b.directory.Blocks = append(b.directory.Blocks, blk)
	b.used, b.bound = end, bound
	return room, true
}

// Finished is a pack to be stored. Its parts are valid until Reset.
type Finished struct {
	ID        index.PackID
	Parts     [][]byte // of the file, in order
	Directory *index.Directory
}

// Finish closes the pack: every room that Reserve gave has been filled.
func (b *Builder) Finish() (Finished, error) {
	d := b.directory
	if len(d.Blocks) == 0 {
		return Finished{}, errors.New("finish pack: it has no blocks")
	}
	if err := d.Check(false); err != nil {
		return Finished{}, fmt.Errorf("finish pack: %w", err)
	}
	g, err := b.close(&d)
	if err != nil {
		return Finished{}, fmt.Errorf("finish pack: %w", err)
	}
	data := b.region[:g.data]
	trailer, sums := g.appendTrailer(b.trailer[:0], data)
	b.trailer = trailer
	d.Pack, d.Size = g.packID(sums), uint32(g.fileSize())
	return Finished{ID: d.Pack, Parts: [][]byte{data, trailer}, Directory: &d}, nil
}

// close seals directory and locator into the data region and writes the head.
func (b *Builder) close(d *index.Directory) (geometry, error) {
	b.plain = index.AppendDirectory(b.plain[:0], d, false)
	g := newGeometry(Padded(b.used+Overhead+len(b.plain)), b.percent)
	b.plain = append(b.plain, make([]byte, g.data-b.used-Overhead-len(b.plain))...)
	if sealed := b.box.SealDirectory(b.region[b.used:b.used:g.data], b.plain); len(sealed) != g.data-b.used {
		return g, fmt.Errorf("directory of %d bytes became %d", len(b.plain), len(sealed))
	}
	locator := b.box.SealLocator(nil, binary.LittleEndian.AppendUint32(nil, uint32(b.used)))
	if len(locator) != locatorSize {
		return g, fmt.Errorf("locator became %d bytes", len(locator))
	}
	h := head{g, newLabel(d, locator)}
	h.append(b.region[:0], packMagic)
	return g, nil
}
