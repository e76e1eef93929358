//go:build !race

package chunk_test

import (
	"bytes"
	"io"
	"testing"

	"chartkeep/chunk"
)

// The race detector makes sync.Pool drop what it is given at random.

func TestSumAllocatesNothing(t *testing.T) {
	h := chunk.NewHasher([32]byte{1})
	p := noise(1, 10_000)
	if n := testing.AllocsPerRun(200, func() { h.Sum(p) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestResetSplitterAllocatesNothing(t *testing.T) {
	data := noise(1, 3<<20)
	r := bytes.NewReader(data)
	s := cutter(t, chunk.DefaultParams(chunk.Gear), 1).Split(r, chunk.Coarse)
	for _, p := range []chunk.Profile{chunk.Coarse, chunk.Fine} {
		n := testing.AllocsPerRun(5, func() {
			r.Reset(data)
			s.Reset(r, p)
			for _, err := s.Next(); err != io.EOF; _, err = s.Next() {
			}
		})
		if n != 0 {
			t.Errorf("%v: %v allocations", p, n)
		}
	}
}

func TestClassifyAllocatesNothing(t *testing.T) {
	head := sqlDump()
	if n := testing.AllocsPerRun(200, func() { chunk.Classify(head) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
