package pack

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// shapeReference follows the words of the format.
func shapeReference(s shape, b []byte) []byte {
	p := s.phase()
	n := (len(b) - p) / 2
	at := func(i int) int {
		if i < 0 {
			return 0
		}
		return int(binary.LittleEndian.Uint16(b[p+2*i:]))
	}
	low, high := make([]byte, n), make([]byte, n)
	for i := range n {
		r := uint16(at(i) - at(i-1) + 128)
		low[i], high[i] = byte(r), byte(r>>8)
	}
	return bytes.Join([][]byte{b[:p], low, high, b[p+2*n:]}, nil)
}

func TestSamplesAreStoredAsTheFormatSays(t *testing.T) {
	for _, s := range []shape{sampled, sampled1} {
		for n := 1; n < 300; n++ {
			b := random(n, byte(n))
			stored, back := make([]byte, n), make([]byte, n)
			s.apply(stored, b)
			if want := shapeReference(s, b); !bytes.Equal(stored, want) {
				t.Fatalf("shape %#x of %d bytes: %x, want %x", s, n, stored, want)
			}
			s.undo(back, stored)
			if !bytes.Equal(back, b) {
				t.Fatalf("shape %#x of %d bytes does not come back", s, n)
			}
		}
	}
}

func TestNoOtherShapes(t *testing.T) {
	for c := range 256 {
		want := c == 0 || c == 0x10 || c == 0x11
		if shape(c).valid() != want {
			t.Errorf("shape %#x valid: %v", c, !want)
		}
	}
}
