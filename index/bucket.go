package index

import (
	"encoding/binary"
	"slices"

	"chartkeep/chunk"
)

// buckets is how many buckets the fingerprint table has: a chunk's is given by the first 12 bits of its ID.
const buckets = 1 << 12

// fingerprint returns the bucket of a chunk and its fingerprint there: the next 32 bits of its ID. A miss among
// n chunks meets a false fingerprint with probability n/2⁴⁴, which for ten million is one in 1.7 million.
func fingerprint(id *chunk.ID) (bucket int, print uint32) {
	v := binary.BigEndian.Uint64(id[:])
	return int(v >> 52), uint32(v >> 20)
}

// A bucket is a sorted list of entries of 8 bytes, little endian: fingerprint << 32 | ordinal.
type bucket []byte

const entrySize = 8

func (b bucket) len() int                { return len(b) / entrySize }
func (b bucket) at(i int) uint64         { return binary.LittleEndian.Uint64(b[i*entrySize:]) }
func (b bucket) ordinal(i int) uint32    { return uint32(b.at(i)) }
func (b bucket) print(i int) uint32      { return uint32(b.at(i) >> 32) }
func entry(print, ordinal uint32) uint64 { return uint64(print)<<32 | uint64(ordinal) }

// find returns the index of the first entry that is not below e. Fingerprints are uniform, so it looks first
// where e ought to be, and goes on from there in growing steps: two cache misses, where bisecting takes six.
func (b bucket) find(e uint64) int {
	n := b.len()
	if n == 0 {
		return 0
	}
	low := int((e >> 32) * uint64(n) >> 32)
	high := low
	if b.at(low) < e {
		for step := 4; high < n && b.at(high) < e; step *= 2 {
			low, high = high+1, high+step
		}
		high = min(high, n)
	} else {
		for step := 4; low > 0 && b.at(low) >= e; step *= 2 {
			low, high = max(low-step, 0), low
		}
	}
	for low < high {
		if mid := int(uint(low+high) / 2); b.at(mid) < e {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// insert returns b with e in its place.
func (b bucket) insert(e uint64) bucket {
	var raw [entrySize]byte
	binary.LittleEndian.PutUint64(raw[:], e)
	return slices.Insert(b, b.find(e)*entrySize, raw[:]...)
}

// sort puts entries that were appended in any order into theirs, and returns scratch for the next bucket.
func (b bucket) sort(scratch []uint64) []uint64 {
	scratch = scratch[:0]
	for i := range b.len() {
		scratch = append(scratch, b.at(i))
	}
	slices.Sort(scratch)
	for i, e := range scratch {
		binary.LittleEndian.PutUint64(b[i*entrySize:], e)
	}
	return scratch
}

// merge appends to dst the entries of both buckets whose ordinals keep accepts, in order.
func merge(dst, a, b bucket, keep func(ordinal uint32) bool) bucket {
	for len(a)+len(b) > 0 {
		from := &a
		if len(a) == 0 || len(b) > 0 && b.at(0) < a.at(0) {
			from = &b
		}
		if keep(from.ordinal(0)) {
			dst = append(dst, (*from)[:entrySize]...)
		}
		*from = (*from)[entrySize:]
	}
	return dst
}
