//go:build unix

package pack

import "golang.org/x/sys/unix"

// newRegion returns zeroed memory outside the collector's heap: a pack's region
// is by far the largest thing in a run, and inside the heap it would let the
// garbage grow in proportion. release gives it back.
func newRegion(n int) (region []byte, release func()) {
	b, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return make([]byte, n), func() {}
	}
	return b, func() { unix.Munmap(b) }
}
