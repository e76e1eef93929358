package wide

import (
	"encoding/binary"
	"math/bits"
	"sync"
)

// Bounds of inputs, bytes: least is from where on this is faster than the
// library, and most what there is memory for.
const (
	least = 16 << 10
	most  = 1 << 20
)

const (
	leaf  = 1024 // bytes of input that the tree's leaves hold ("chunks" in the specification)
	block = 64
	lanes = 16
	value = 32 // of a node, bytes
)

// Flags of a compression, as in the specification.
const (
	chunkStart = 1 << iota
	chunkEnd
	parent
	root
	keyed
)

var iv = [8]uint32{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}

// A Mode is how BLAKE3 begins.
type Mode struct {
	words [8]uint32
	flags uint32
}

// Plain is the mode without a key.
var Plain = &Mode{words: iv}

// Keyed returns the mode with a key.
func Keyed(key [32]byte) *Mode {
	m := &Mode{flags: keyed}
	for i := range m.words {
		m.words[i] = binary.LittleEndian.Uint32(key[4*i:])
	}
	return m
}

// Fits reports whether Sum can be called for so many bytes, and is worth it.
func Fits(n int) bool { return Available && least <= n && n <= most }

// A tree is the memory of one sum.
type tree struct {
	values  [most / leaf * value]byte // of a level, from left to right
	offsets [lanes]uint64             // of the lanes' inputs, bytes
	numbers [lanes]uint32             // of the leaves
	out     [8][lanes]uint32
}

var trees = sync.Pool{New: func() any { return new(tree) }}

// Sum returns the first 32 bytes of the hash of p, which has to fit.
func Sum(k *Mode, p []byte) (sum [32]byte) {
	t := trees.Get().(*tree)
	defer trees.Put(t)
	n := t.leaves(k, p)
	for n > 2 {
		n = t.level(k, n)
	}
	last := (*[block]byte)(t.values[:block])
	h := compress(&k.words, last, 0, block, k.flags|parent|root)
	for i, w := range h {
		binary.LittleEndian.PutUint32(sum[4*i:], w)
	}
	return sum
}

// leaves computes the values of the lowest level and returns how many they are.
func (t *tree) leaves(k *Mode, p []byte) int {
	whole := len(p) / leaf
	for first := 0; first < whole; first += lanes {
		some := min(lanes, whole-first)
		for i := range t.offsets {
			t.offsets[i] = uint64(min(i, some-1)) * leaf // no lane reads behind p
			t.numbers[i] = uint32(first + i)
		}
		sixteen(&p[first*leaf], &t.offsets, leaf/block, &k.words, &t.numbers, k.flags|chunkStart, k.flags, k.flags|chunkEnd, &t.out)
		t.keep(first, some)
	}
	rest := p[whole*leaf:]
	if len(rest) == 0 {
		return whole
	}
	h, flags := k.words, k.flags|chunkStart
	for len(rest) > block {
		h = compress(&h, (*[block]byte)(rest), uint64(whole), block, flags)
		rest, flags = rest[block:], k.flags
	}
	var last [block]byte
	n := copy(last[:], rest)
	h = compress(&h, &last, uint64(whole), uint32(n), flags|chunkEnd)
	for i, w := range h {
		binary.LittleEndian.PutUint32(t.values[whole*value+4*i:], w)
	}
	return whole + 1
}

// level replaces n values by those of the nodes above them. One without a
// neighbour goes up as it is.
func (t *tree) level(k *Mode, n int) int {
	pairs := n / 2
	for first := 0; first < pairs; first += lanes {
		some := min(lanes, pairs-first)
		for i := range t.offsets {
			t.offsets[i] = uint64(min(i, some-1)) * block
			t.numbers[i] = 0
		}
		sixteen(&t.values[first*block], &t.offsets, 1, &k.words, &t.numbers, k.flags|parent, 0, 0, &t.out)
		t.keep(first, some)
	}
	if n%2 == 1 {
		copy(t.values[pairs*value:], t.values[(n-1)*value:][:value])
	}
	return pairs + n%2
}

// keep writes the values of some lanes, of which the first has this number.
func (t *tree) keep(first, some int) {
	for lane := range some {
		at := t.values[(first+lane)*value:][:value]
		for w := range t.out {
			binary.LittleEndian.PutUint32(at[4*w:], t.out[w][lane])
		}
	}
}

// compress is the specification's compression function, and returns the first
// half of what it yields.
func compress(h *[8]uint32, b *[block]byte, counter uint64, length, flags uint32) [8]uint32 {
	var m [16]uint32
	for i := range m {
		m[i] = binary.LittleEndian.Uint32(b[4*i:])
	}
	v := [16]uint32{h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7], iv[0], iv[1], iv[2], iv[3], uint32(counter), uint32(counter >> 32), length, flags}
	for range 7 {
		mix(&v, 0, 4, 8, 12, m[0], m[1])
		mix(&v, 1, 5, 9, 13, m[2], m[3])
		mix(&v, 2, 6, 10, 14, m[4], m[5])
		mix(&v, 3, 7, 11, 15, m[6], m[7])
		mix(&v, 0, 5, 10, 15, m[8], m[9])
		mix(&v, 1, 6, 11, 12, m[10], m[11])
		mix(&v, 2, 7, 8, 13, m[12], m[13])
		mix(&v, 3, 4, 9, 14, m[14], m[15])
		m = [16]uint32{m[2], m[6], m[3], m[10], m[7], m[0], m[4], m[13], m[1], m[11], m[12], m[5], m[9], m[14], m[15], m[8]}
	}
	for i := range 8 {
		v[i] ^= v[i+8]
	}
	return [8]uint32(v[:8])
}

func mix(v *[16]uint32, a, b, c, d int, x, y uint32) {
	v[a] += v[b] + x
	v[d] = bits.RotateLeft32(v[d]^v[a], -16)
	v[c] += v[d]
	v[b] = bits.RotateLeft32(v[b]^v[c], -12)
	v[a] += v[b] + y
	v[d] = bits.RotateLeft32(v[d]^v[a], -8)
	v[c] += v[d]
	v[b] = bits.RotateLeft32(v[b]^v[c], -7)
}
