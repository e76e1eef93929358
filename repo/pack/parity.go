package pack

import (
	"slices"

	"github.com/klauspost/reedsolomon"
)

// Parity is Reed-Solomon over GF(2⁸) with the polynomial 0x11d and a Cauchy
// matrix: byte x of parity shard j of a stripe is the sum over its data shards c
// of
//
//	1 / ((128 + j) ⊕ c) · byte x of data shard c
//
// Data shard c of stripe s is shard c·stripes + s of the file. A stripe that has
// a data shard less than others has one of zeros.

// zeros stands for a shard that a stripe does not have.
var zeros [maxShard]byte

// code returns the code of stripes of that many data shards.
func code(data, parity int) reedsolomon.Encoder {
	matrix := make([][]byte, parity)
	for j := range matrix {
		matrix[j] = make([]byte, data)
		for c := range matrix[j] {
			matrix[j][c] = inverse(byte(stripeData+j) ^ byte(c))
		}
	}
	return must(reedsolomon.New(data, parity, reedsolomon.WithCustomMatrix(matrix),
		reedsolomon.WithMaxGoroutines(1), reedsolomon.WithInversionCache(false)))
}

// inverse returns 1/x, which is x²⁵⁴.
func inverse(x byte) byte {
	y := byte(1)
	for range 7 {
		x = multiply(x, x)
		y = multiply(y, x)
	}
	return y
}

func multiply(x, y byte) (product byte) {
	for ; y != 0; y >>= 1 {
		if y&1 != 0 {
			product ^= x
		}
		carry := x >> 7
		x = x<<1 ^ carry*0x1d
	}
	return product
}

// longest is how many data shards the longest stripes have.
func (g geometry) longest() int { return (g.dataShards() + g.stripes - 1) / g.stripes }

// stripe returns the numbers of the shards of stripe s, data before parity; one
// that it does not have is -1.
func (g geometry) stripe(s int) []int {
	k := g.longest()
	shards := make([]int, k+g.parity)
	shards[k-1] = -1
	for i := s; i < g.shards(); i += g.stripes {
		if i < g.dataShards() {
			shards[i/g.stripes] = i
		}
	}
	for i := g.dataShards(); i < g.shards(); i++ {
		if i%g.stripes == s {
			shards[k+(i-g.dataShards())/g.stripes] = i
		}
	}
	return shards
}

// views returns these shards within data and parity, without copying.
func (g geometry) views(shards []int, data, parity []byte) [][]byte {
	v := make([][]byte, len(shards))
	for c, i := range shards {
		switch {
		case i < 0:
			v[c] = zeros[:g.shard]
		case i < g.dataShards():
			v[c] = data[i*g.shard:][:g.shard:g.shard]
		default:
			v[c] = parity[(i-g.dataShards())*g.shard:][:g.shard:g.shard]
		}
	}
	return v
}

// encodeParity computes parity from data.
func (g geometry) encodeParity(data, parity []byte) {
	if g.parity == 0 {
		return
	}
	c := code(g.longest(), g.parity)
	for s := range g.stripes {
		if err := c.Encode(g.views(g.stripe(s), data, parity)); err != nil {
			panic(err) // all shards are there and equally long
		}
	}
}

// mendStripe computes the bad data shards of stripe s from the good shards, in
// place, if there are enough of them.
func (g geometry) mendStripe(s int, data, parity []byte, good func(shard int) bool) {
	if g.parity == 0 {
		return
	}
	shards := g.stripe(s)
	v := g.views(shards, data, parity)
	for c, i := range shards {
		if i >= 0 && !good(i) {
			v[c] = v[c][:0]
		}
	}
	_ = code(g.longest(), g.parity).ReconstructData(v) // too few good shards: all stay as they are
}

// appendTrailer appends what comes after a data region, and returns the sums of
// its shards, from which a pack's name follows.
func (g geometry) appendTrailer(b, data []byte) ([]byte, []sum) {
	b = slices.Grow(b, g.fileSize()-g.data)
	start := len(b) + g.tableSize()
	parity := b[start : start+g.parityShards()*g.shard : cap(b)]
	g.encodeParity(data, parity)
	sums := g.appendSums(g.appendSums(make([]sum, 0, g.shards()), data), parity)
	b = g.appendTable(b, sums)
	b = b[:len(b)+len(parity)]
	b = g.appendTable(b, sums)
	return append(b, data[:headSize]...), sums
}
