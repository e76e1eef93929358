//go:build !unix

package pack

// Region returns zeroed memory. release gives it back.
func Region(n int) (region []byte, release func()) { return make([]byte, n), func() {} }

// Mapped returns how much memory regions take outside the heap, bytes.
func Mapped() uint64 { return 0 }

// shed would give the memory of a region back to the system.
func shed([]byte) {}
