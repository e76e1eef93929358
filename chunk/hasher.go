package chunk

import (
	"sync"

	"github.com/zeebo/blake3"

	"chartkeep/chunk/wide"
)

// Hasher computes the IDs of one repository. It may be used by any number of
// goroutines at once, and allocates nothing once it is warm.
type Hasher struct {
	wide   *wide.Mode
	states sync.Pool // of *blake3.Hasher: 11 KB each, so they are not made per call
}

// NewHasher returns the Hasher of a key.
func NewHasher(key [32]byte) *Hasher {
	h := &Hasher{wide: wide.Keyed(key)}
	h.states.New = func() any { return keyed(key) }
	return h
}

// Sum returns the ID of a chunk.
func (h *Hasher) Sum(p []byte) ID {
	if wide.Fits(len(p)) {
		return wide.Sum(h.wide, p)
	}
	s := h.states.Get().(*blake3.Hasher)
	s.Reset()
	s.Write(p)
	var id ID
	s.Sum(id[:0])
	h.states.Put(s)
	return id
}

// keyed returns BLAKE3 in keyed mode. The library refuses only keys of
// another length, which the type rules out.
func keyed(key [32]byte) *blake3.Hasher {
	s, err := blake3.NewKeyed(key[:])
	if err != nil {
		panic(err)
	}
	return s
}
