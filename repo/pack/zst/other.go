//go:build !amd64

package zst

// Patch is what can be marked as noise, bytes.
const Patch = 16 << 10

// Usable reports whether this processor can do it.
func Usable() bool { return false }

// An Encoder makes blocks, elsewhere.
type Encoder struct{}

// AppendBlocks wants Usable.
func (e *Encoder) AppendBlocks(dst, b []byte, noisy []bool) []byte {
	panic("zst: not on this processor")
}
