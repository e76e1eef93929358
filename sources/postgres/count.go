package postgres

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"
	"sync"
)

// A Count is how much a table held.
type Count struct {
	Rows, Bytes int64
	Digest      Digest
}

// A Digest is the sum of all rows' hashes (the first 16 bytes of SHA-256), so
// that the order of the rows does not count.
type Digest [2]uint64

func (d Digest) String() string { return fmt.Sprintf("%016x%016x", d[1], d[0]) }

// add counts a row, its newline included.
func (c *Count) add(row []byte) {
	sum := sha256.Sum256(row)
	c.addSum(sum[:])
	c.Bytes += int64(len(row))
}

// addSum counts a row whose hash is sum, but not its bytes.
func (c *Count) addSum(sum []byte) {
	c.Rows++
	c.Digest = c.Digest.plus(Digest{binary.LittleEndian.Uint64(sum), binary.LittleEndian.Uint64(sum[8:])})
}

// A reading is one file that has to be read, and what it held.
type reading struct {
	table *Table // nil: the list of large objects

	mu    sync.Mutex
	done  bool
	count Count
}

func (r *reading) finish(c Count) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done, r.count = true, c
}

func (r *reading) complete() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.done
}

// seen notes which large objects were read.
type seen struct {
	mu    sync.Mutex
	done  []bool
	bytes int64
}

func (s *seen) add(i int, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.done[i] {
		s.done[i] = true
		s.bytes += bytes
	}
}

func (s *seen) missing() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.done {
		if !d {
			n++
		}
	}
	return n
}

// plus counts two tables as one.
func (c Count) plus(o Count) Count {
	c.Rows += o.Rows
	c.Bytes += o.Bytes
	c.Digest = c.Digest.plus(o.Digest)
	return c
}

func (d Digest) plus(o Digest) Digest {
	low, carry := bits.Add64(d[0], o[0], 0)
	high, _ := bits.Add64(d[1], o[1], carry)
	return Digest{low, high}
}
