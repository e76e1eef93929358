//go:build amd64 && !linux

package argon2

// inHeap says that room's memory is the heap's.
const inHeap = true

// room returns zeroed memory for n blocks, and how it is given back.
func room(n int) (memory []block, release func()) { return make([]block, n), func() {} }
