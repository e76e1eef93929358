//go:build unix

package pack

import "golang.org/x/sys/unix"

// Region returns zeroed memory outside the collector's heap: what holds a whole
// pack is by far the largest thing in a run, and inside the heap it would let the
// garbage grow in proportion. release gives it back.
func Region(n int) (region []byte, release func()) {
	b, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return make([]byte, n), func() {}
	}
	return b, func() { unix.Munmap(b) }
}
