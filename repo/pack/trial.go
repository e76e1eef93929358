package pack

import "github.com/klauspost/compress/zstd"

// trial finds out on a small part of a block whether zstd does better when the
// block is taken for 16-bit samples.
type trial struct {
	encoder *zstd.Encoder
	part    [trialPieces * trialPiece]byte
	shaped  [trialPieces * trialPiece]byte
	out     []byte
}

const (
	trialPieces = 4
	trialPiece  = 2 << 10
)

// shape chooses. Only where even and odd bytes are unlike each other does it
// try; text costs it a few microseconds.
func (t *trial) shape(block []byte) shape {
	if len(block) < len(t.part) {
		return asItWas
	}
	for i := range trialPieces {
		at := (len(block) - trialPiece) * i / (trialPieces - 1) &^ 1
		copy(t.part[i*trialPiece:][:trialPiece], block[at:])
	}
	s := likelyShape(t.part[:])
	if s == asItWas {
		return asItWas
	}
	s.apply(t.shaped[:], t.part[:])
	before, after := t.size(t.part[:]), t.size(t.shaped[:])
	if after < before-before/16 {
		return s
	}
	return asItWas
}

func (t *trial) size(b []byte) int {
	t.out = t.encoder.EncodeAll(b, t.out[:0])
	return len(t.out)
}

// likelyShape takes the more even distributed half of the bytes for the low
// bytes of samples. It compares the sums of the squared counts, which are
// smallest for a flat histogram.
func likelyShape(b []byte) shape {
	var counts [2][256]int
	for i, c := range b {
		counts[i&1][c]++
	}
	var peaks [2]int
	for c := range 256 {
		peaks[0] += counts[0][c] * counts[0][c]
		peaks[1] += counts[1][c] * counts[1][c]
	}
	switch {
	case peaks[1] > 2*peaks[0]:
		return sampled
	case peaks[0] > 2*peaks[1]:
		return sampled1
	}
	return asItWas
}
