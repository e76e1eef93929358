//go:build amd64

package argon2

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// inHeap says that room's memory is the heap's.
const inHeap = false

// room returns zeroed memory for n blocks, in large pages where the system has
// them: blocks are read all over it. release gives it back.
func room(n int) (memory []block, release func()) {
	b, err := unix.Mmap(-1, 0, n*int(unsafe.Sizeof(block{})), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return make([]block, n), func() {}
	}
	_ = unix.Madvise(b, unix.MADV_HUGEPAGE) // or it is slower
	return unsafe.Slice((*block)(unsafe.Pointer(unsafe.SliceData(b))), n), func() { unix.Munmap(b) }
}
