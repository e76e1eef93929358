package wide

import (
	"encoding/binary"
	"sync"
)

// Bounds of inputs, bytes: least is from where on this is faster than the
// library, and most what there is memory for.
const (
	least = 9 << 10
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

// iv is the key of the mode without one.
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

// A job is what is to be hashed: so many blocks of 64 bytes in each of sixteen lanes,
// from the key on, with the flags first for the first block, between for those
// between, and last for the last one, to which first is added when there is only
// one. One lane may end before: the one whose bit is in short, when so many blocks
// are left, its last one included, with a block of that length. What it came to is
// in shortOut, and that of the others in out, word by word.
type job struct {
	inputs               [lanes]*byte
	numbers              [lanes]uint32 // of the leaves
	key                  [8]uint32
	blocks, shortLeft    int
	first, between, last uint32
	short, shortLength   uint32
	_                    uint32
	out, shortOut        [8][lanes]uint32
}

// Fits reports whether Sum can be called for so many bytes, and is worth it.
func Fits(n int) bool { return Available && least <= n && n <= most }

// A tree is the memory of one sum.
type tree struct {
	values [most / leaf * value]byte // of a level, from left to right
	rest   [leaf]byte                // what is behind the last whole leaf, and zeros
	job    job
}

var trees = sync.Pool{New: func() any { return new(tree) }}

// Sum returns the first 32 bytes of the hash of p, which has to fit.
func Sum(k *Mode, p []byte) (sum [32]byte) {
	t := trees.Get().(*tree)
	defer trees.Put(t)
	t.job.key = k.words
	n := t.leaves(k, p)
	for n > 2 {
		n = t.level(k.flags|parent, n)
	}
	t.level(k.flags|parent|root, n)
	return [32]byte(t.values[:value])
}

// leaves computes the values of the lowest level and returns how many they are.
func (t *tree) leaves(k *Mode, p []byte) int {
	whole, rest := len(p)/leaf, len(p)%leaf
	n := whole
	if rest > 0 {
		clear(t.rest[copy(t.rest[:], p[whole*leaf:]):])
		n++
	}
	j := &t.job
	defer func() { j.inputs = [lanes]*byte{} }() // p is the caller's
	for first := 0; first < n; first += lanes {
		some := min(lanes, n-first)
		for i := range some {
			j.inputs[i] = &t.rest[0]
			if first+i < whole {
				j.inputs[i] = &p[(first+i)*leaf]
			}
		}
		t.idle(some)
		for i := range j.numbers {
			j.numbers[i] = uint32(first + i)
		}
		j.blocks, j.first, j.between, j.last = leaf/block, k.flags|chunkStart, k.flags, k.flags|chunkEnd
		j.short = 0
		if first+some > whole {
			t.shorten(some-1, rest)
		}
		sixteen(j)
		t.keep(&j.out, first, 0, some)
		if j.short != 0 {
			t.keep(&j.shortOut, first, some-1, some)
		}
	}
	return n
}

// shorten has a lane, the last one in use, end after so many bytes.
func (t *tree) shorten(lane, length int) {
	j := &t.job
	blocks := (length + block - 1) / block
	if lane == 0 {
		j.blocks = blocks
	}
	j.short, j.shortLength = 1<<lane, uint32(length-(blocks-1)*block)
	j.shortLeft = j.blocks - blocks + 1
}

// idle has the lanes from some on read what the one before them does.
func (t *tree) idle(some int) {
	for i := some; i < lanes; i++ {
		t.job.inputs[i] = t.job.inputs[some-1]
	}
}

// level replaces n values by those of the nodes above them. One without a
// neighbour goes up as it is.
func (t *tree) level(flags uint32, n int) int {
	pairs := n / 2
	j := &t.job
	j.numbers = [lanes]uint32{}
	j.blocks, j.first, j.last, j.short = 1, flags, 0, 0
	for first := 0; first < pairs; first += lanes {
		some := min(lanes, pairs-first)
		for i := range some {
			j.inputs[i] = &t.values[(first+i)*block]
		}
		t.idle(some)
		sixteen(j)
		t.keep(&j.out, first, 0, some)
	}
	if n%2 == 1 {
		copy(t.values[pairs*value:], t.values[(n-1)*value:][:value])
	}
	return pairs + n%2
}

// keep writes the values of the lanes from i up to end, of which the very first
// has this number.
func (t *tree) keep(out *[8][lanes]uint32, first, i, end int) {
	for ; i < end; i++ {
		at := t.values[(first+i)*value:][:value]
		for w := range out {
			binary.LittleEndian.PutUint32(at[4*w:], out[w][i])
		}
	}
}
