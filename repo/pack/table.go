package pack

import (
	"slices"

	"github.com/zeebo/blake3"

	"chartkeep/index"
)

// A table holds the sums of all shards, in their order:
//
//	geometry  12 bytes
//	sums      16 bytes for each shard: its BLAKE3, cut off
//	checksum  16 bytes   BLAKE3 of the above, cut off
//
// Two equal ones stand before and behind the parity.
func (g geometry) tableSize() int { return geometrySize + (g.shards()+1)*len(sum{}) }

func (g geometry) appendTable(b []byte, sums []sum) []byte {
	start := len(b)
	b = g.append(b)
	for i := range sums {
		b = append(b, sums[i][:]...)
	}
	s := sumOf(b[start:])
	return append(b, s[:]...)
}

// table is what lies where a table ought to be. The sums of one that is damaged
// are still of use: a shard that has the sum which a table says is good, however
// much of the table around it is not.
type table struct {
	whole bool
	sums  []sum
}

func (g geometry) parseTable(b []byte) table {
	body := b[:len(b)-len(sum{})]
	t := table{
		whole: string(body[:geometrySize]) == string(g.append(nil)) && sumOf(body) == sum(b[len(body):]),
		sums:  make([]sum, g.shards()),
	}
	for i := range t.sums {
		t.sums[i] = sum(body[geometrySize+i*len(sum{}):])
	}
	return t
}

// packID names a pack after its content: BLAKE3 of magic, geometry and the sums
// of the data shards. Parity and tables follow from these, so that a pack that
// was healed still has its name, and the name vouches for a table.
func (g geometry) packID(sums []sum) (id index.PackID) {
	b := append(make([]byte, 0, len(packMagic)+geometrySize+g.dataShards()*len(sum{})), packMagic[:]...)
	b = g.append(b)
	for _, s := range sums[:g.dataShards()] {
		b = append(b, s[:]...)
	}
	return blake3.Sum256(b)
}

// appendSums appends the sums of the shards that b consists of.
func (g geometry) appendSums(sums []sum, b []byte) []sum {
	for ; len(b) > 0; b = b[g.shard:] {
		sums = append(sums, sumOf(b[:g.shard]))
	}
	return sums
}

func (t table) equal(u table) bool { return slices.Equal(t.sums, u.sums) }
