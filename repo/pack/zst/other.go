//go:build !amd64

package zst

// Usable reports whether this processor can do it.
func Usable() bool { return false }

// An Encoder makes blocks, elsewhere.
type Encoder struct{}

// AppendBlocks wants Usable.
func (e *Encoder) AppendBlocks(dst, b []byte) []byte { panic("zst: not on this processor") }
