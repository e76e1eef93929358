package index

import (
	"encoding/binary"
	"sort"

	"chartkeep/chunk"
)

// partChunks is the number of chunks in a part: few enough that one look-up far from all others reads little
// (18 KiB), enough that a run of look-ups reads seldom.
const partChunks = 512

// A part describes the chunks of one stretch of partChunks ordinals, as many of them as are given, and is laid out
// to be searched as it is:
//
//	packs   4 bytes: q
//	blocks  4 bytes: m
//	chunks  4 bytes: n
//	pack    q × 36 bytes, each
//	          first   4 bytes, index in this part of the pack's first chunk here
//	          id     32 bytes
//	block   m × 24 bytes, each six numbers of 4 bytes
//	          first   index in this part of the block's first chunk here
//	          begin   where that chunk begins in the block's plaintext: above 0 when the block began in an earlier part
//	          offset, sealed, plain, codec as in Block
//	end     n × 4 bytes: where each chunk ends in its block's plaintext
//	id      n × 32 bytes
//
// All numbers are little endian.
type part []byte

const (
	partHeader = 3 * 4
	partPack   = 4 + 32
	partBlock  = 6 * 4
	partChunk  = 4 + 32
)

// whole reports whether p is as long as it says.
func (p part) whole() bool {
	const limit = partChunks
	return len(p) >= partHeader && p.packs() <= limit && p.blocks() <= limit && p.chunks() <= limit &&
		len(p) == partHeader+p.packs()*partPack+p.blocks()*partBlock+p.chunks()*partChunk
}

func (p part) number(at int) uint32 { return binary.LittleEndian.Uint32(p[at:]) }

func (p part) packs() int  { return int(p.number(0)) }
func (p part) blocks() int { return int(p.number(4)) }
func (p part) chunks() int { return int(p.number(8)) }

func (p part) packAt(i int) int  { return partHeader + i*partPack }
func (p part) blockAt(i int) int { return partHeader + p.packs()*partPack + i*partBlock }
func (p part) endAt(i int) int   { return p.blockAt(p.blocks()) + 4*i }
func (p part) idAt(i int) int    { return p.endAt(p.chunks()) + 32*i }

// id returns the name of chunk i.
func (p part) id(i int) *chunk.ID {
	at := p.idAt(i)
	return (*chunk.ID)(p[at : at+32])
}

// end returns where chunk i ends in its block's plaintext.
func (p part) end(i int) uint32 { return p.number(p.endAt(i)) }

// first returns the index of the first chunk here of block i, or after the last block the number of chunks.
func (p part) first(i int) int {
	if i == p.blocks() {
		return p.chunks()
	}
	return int(p.number(p.blockAt(i)))
}

// block returns block i without its chunks, and where the first of its chunks here begins.
func (p part) block(i int) (b Block, begin uint32) {
	at := p.blockAt(i)
	b = Block{Offset: p.number(at + 8), Sealed: p.number(at + 12), Plain: p.number(at + 16), Codec: Codec(p.number(at + 20))}
	return b, p.number(at + 4)
}

// blockOf returns the number of the block that holds chunk i.
func (p part) blockOf(i int) int {
	return sort.Search(p.blocks(), func(b int) bool { return p.first(b) > i }) - 1
}

// packOf returns the name of the pack that holds chunk i.
func (p part) packOf(i int) PackID {
	at := p.packAt(sort.Search(p.packs(), func(n int) bool { return int(p.number(p.packAt(n))) > i }) - 1)
	return PackID(p[at+4 : at+partPack])
}

// place fills in where chunk i is in its pack.
func (p part) place(i int, at *Place) {
	n := p.blockOf(i)
	b, begin := p.block(n)
	if i > p.first(n) {
		begin = p.end(i - 1)
	}
	at.BlockOffset, at.BlockSealed, at.BlockPlain, at.Codec = b.Offset, b.Sealed, b.Plain, b.Codec
	at.Offset, at.Length = begin, p.end(i)-begin
}

// appendTo adds the chunks from index low to high, which are those of one pack, to its blocks. Room for all of the
// pack's chunks is in chunks, from which the blocks' are cut.
func (p part) appendTo(blocks []Block, chunks []Chunk, low, high int) ([]Block, []Chunk) {
	for n := p.blockOf(low); n < p.blocks() && p.first(n) < high; n++ {
		b, begin := p.block(n)
		if begin == 0 {
			blocks = append(blocks, b)
		}
		last := &blocks[len(blocks)-1]
		for i := p.first(n); i < p.first(n+1); i++ {
			chunks = append(chunks, Chunk{ID: *p.id(i), Length: p.end(i) - begin})
			begin = p.end(i)
		}
		held := len(last.Chunks) + p.first(n+1) - p.first(n)
		last.Chunks = chunks[len(chunks)-held : len(chunks) : len(chunks)]
	}
	return blocks, chunks
}

// A partWriter collects the tables of a part.
type partWriter struct{ packs, blocks, ends, ids []byte }

func (w *partWriter) chunks() int { return len(w.ids) / 32 }

// appendPack adds the chunks of a pack. Each part that becomes full is handed to full; the last stays unfinished.
func (w *partWriter) appendPack(d *Directory, full func(part)) {
	started := false
	for i := range d.Blocks {
		b := &d.Blocks[i]
		begin := uint32(0)
		for j, c := range b.Chunks {
			if w.chunks() == partChunks {
				full(w.part())
				w.reset()
			}
			if !started || w.chunks() == 0 {
				w.startPack(&d.Pack)
				started = true
			}
			if j == 0 || w.chunks() == 0 {
				w.startBlock(b, begin)
			}
			begin += c.Length
			w.ends = binary.LittleEndian.AppendUint32(w.ends, begin)
			w.ids = append(w.ids, c.ID[:]...)
		}
	}
}

func (w *partWriter) startPack(id *PackID) {
	w.packs = binary.LittleEndian.AppendUint32(w.packs, uint32(w.chunks()))
	w.packs = append(w.packs, id[:]...)
}

func (w *partWriter) startBlock(b *Block, begin uint32) {
	for _, n := range [...]uint32{uint32(w.chunks()), begin, b.Offset, b.Sealed, b.Plain, uint32(b.Codec)} {
		w.blocks = binary.LittleEndian.AppendUint32(w.blocks, n)
	}
}

// part returns what was collected.
func (w *partWriter) part() part {
	p := make(part, 0, partHeader+len(w.packs)+len(w.blocks)+len(w.ends)+len(w.ids))
	p = binary.LittleEndian.AppendUint32(p, uint32(len(w.packs)/partPack))
	p = binary.LittleEndian.AppendUint32(p, uint32(len(w.blocks)/partBlock))
	p = binary.LittleEndian.AppendUint32(p, uint32(w.chunks()))
	return append(append(append(append(p, w.packs...), w.blocks...), w.ends...), w.ids...)
}

func (w *partWriter) reset() {
	w.packs, w.blocks, w.ends, w.ids = w.packs[:0], w.blocks[:0], w.ends[:0], w.ids[:0]
}
