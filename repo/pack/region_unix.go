//go:build unix

package pack

import (
	"sync/atomic"

	"golang.org/x/sys/unix"
)

var mapped atomic.Int64

// Mapped returns how much memory regions take outside the heap, bytes.
func Mapped() uint64 { return uint64(mapped.Load()) }

// Region returns zeroed memory outside the collector's heap: what holds a whole
// pack is by far the largest thing in a run, and inside the heap it would let the
// garbage grow in proportion. release gives it back.
func Region(n int) (region []byte, release func()) {
	b, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return make([]byte, n), func() {}
	}
	large(b)
	mapped.Add(int64(n))
	return b, func() {
		mapped.Add(-int64(n))
		unix.Munmap(b)
	}
}

// shed gives the memory of a region back to the system. What was in it is lost, and it
// takes memory again where it is written to.
func shed(region []byte) { _ = unix.Madvise(region, unix.MADV_DONTNEED) }
