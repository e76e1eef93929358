package pack

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

const (
	// TargetSize is the size that a pack is filled up to, without its trailer,
	// in bytes.
	TargetSize = 32 << 20

	// MaxSize bounds every pack file, in bytes; a longer one is no pack.
	MaxSize = maxData + maxData/2

	// MaxParity is the most parity that can be asked for, in percent.
	MaxParity = 25
)

// The numbers are part of the format.
const (
	maxData      = 2 * TargetSize // of a data region; room for packs to grow
	minShard     = 1 << 10
	maxShard     = 64 << 10
	shardsWanted = 64  // shards are as large as leaves this many, or minShard
	stripeData   = 128 // data shards of a stripe at most
	stripeParity = stripeData * MaxParity / 100
	maxUnit      = 64 << 10
)

// Padded returns the length that n bytes are padded to: up to the next multiple
// of a sixteenth of the power of two below n, but at least of 1 KiB and at most
// of 64 KiB. What a file's length then still tells is small.
func Padded(n int) int {
	unit := min(max(1<<bits.Len(uint(n))>>5, minShard), maxUnit)
	return max((n+unit-1)/unit, 1) * unit
}

// geometry says how a data region is cut into shards. Shards are numbered
// through: those of the data region, then those of parity. Shard i belongs to
// stripe i mod stripes, so that neighbours never share a stripe.
type geometry struct {
	data    int // length of the data region, bytes
	shard   int // length of a shard, bytes; divides data
	stripes int
	parity  int // parity shards of each stripe
}

// newGeometry cuts a padded length of data.
func newGeometry(data, percent int) geometry {
	g := geometry{data: data, shard: maxShard}
	for g.shard > minShard && data/g.shard < shardsWanted {
		g.shard /= 2
	}
	g.stripes = (g.dataShards() + stripeData - 1) / stripeData
	g.parity = (g.longest()*percent + 99) / 100
	return g
}

func (g geometry) dataShards() int   { return g.data / g.shard }
func (g geometry) parityShards() int { return g.stripes * g.parity }
func (g geometry) shards() int       { return g.dataShards() + g.parityShards() }

// offset returns where shard i begins in the file.
func (g geometry) offset(i int) int {
	if i < g.dataShards() {
		return i * g.shard
	}
	return g.parityOffset() + (i-g.dataShards())*g.shard
}

// Where the parts of a file begin:
//
//	data region ‖ table A ‖ parity ‖ table B ‖ second head
func (g geometry) tableOffset(which int) int {
	if which == 0 {
		return g.data
	}
	return g.parityOffset() + g.parityShards()*g.shard
}

func (g geometry) parityOffset() int { return g.data + g.tableSize() }
func (g geometry) endOffset() int    { return g.tableOffset(1) + g.tableSize() }
func (g geometry) fileSize() int     { return g.endOffset() + headSize }

const geometrySize = 4 + 4 + 2 + 2

// append appends the encoding: data length and shard length as 32 bits, stripes
// and parity shards per stripe as 16 bits, little endian.
func (g geometry) append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(g.data))
	b = binary.LittleEndian.AppendUint32(b, uint32(g.shard))
	b = binary.LittleEndian.AppendUint16(b, uint16(g.stripes))
	return binary.LittleEndian.AppendUint16(b, uint16(g.parity))
}

var errGeometry = errors.New("impossible geometry")

// parseGeometry accepts only what newGeometry can have made.
func parseGeometry(b []byte) (geometry, error) {
	data, parity := binary.LittleEndian.Uint32(b), int(binary.LittleEndian.Uint16(b[10:]))
	if data == 0 || data > maxData || Padded(int(data)) != int(data) || parity > stripeParity {
		return geometry{}, errGeometry
	}
	g := newGeometry(int(data), 0)
	g.parity = parity
	if g.parity > newGeometry(g.data, MaxParity).parity || string(g.append(nil)) != string(b[:geometrySize]) {
		return geometry{}, errGeometry
	}
	return g, nil
}

// geometriesOf yields every geometry of a file of this size: one for each
// strength of parity, at most.
func geometriesOf(size int64, yield func(geometry) bool) {
	for data := Padded(1); data <= maxData && int64(data) < size; data = Padded(data + 1) {
		g := newGeometry(data, 0)
		each := int64(g.stripes * (g.shard + 2*len(sum{}))) // that one more parity shard adds
		more := size - int64(g.fileSize())
		g.parity = int(more / each)
		if more >= 0 && more%each == 0 && g.parity <= newGeometry(data, MaxParity).parity && !yield(g) {
			return
		}
	}
}
