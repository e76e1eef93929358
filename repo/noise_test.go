package repo

import (
	"bytes"
	"testing"
)

// A file system that keeps equal blocks once must find none in the reserve.
func TestTheReserveDoesNotRepeatItself(t *testing.T) {
	b := bytes.Join(noise(maxReserve), nil)
	if len(b) != maxReserve {
		t.Fatalf("%d bytes, want %d", len(b), maxReserve)
	}
	const block = 4096
	seen := map[[32]byte]bool{}
	for ; len(b) > 0; b = b[block:] {
		seen[[32]byte(b)] = true
	}
	if len(seen) < maxReserve/block {
		t.Errorf("of %d blocks only %d are different", maxReserve/block, len(seen))
	}
}
