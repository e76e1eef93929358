package pack

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"chartkeep/index"
)

// framed puts a frame together by hand, of which n bytes are literals, and has it
// read as every payload is.
func framed(t *testing.T, b []byte, n int) []byte {
	t.Helper()
	w := newCoder(Fastest)
	payload := w.appendFrame([]byte{byte(asItWas)}, b, n, nil)
	back, err := testCodec(t, Fastest).Decode(nil, payload, index.Zstd, len(b))
	if err != nil || !bytes.Equal(back, b) {
		t.Errorf("%d of %d bytes as literals: %v", n, len(b), err)
	}
	return payload
}

func TestFramesPutTogetherComeBack(t *testing.T) {
	contents := map[string][]byte{"text": dumpText(BlockSize), "zeros": make([]byte, BlockSize), "noise": random(BlockSize, 9), "letters": letters(BlockSize), "volume": volume(BlockSize)}
	for name, b := range contents {
		for _, n := range []int{1, 5, 1023, 1024, 70_000, 128 << 10, 128<<10 + 1, 256 << 10, 300_001, BlockSize - 1} {
			t.Run(fmt.Sprint(name, " ", n), func(t *testing.T) { framed(t, b, n) })
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		size := 2 + r.IntN(100_000)
		framed(t, bytes.Repeat(letters(size), 2)[:size], 1+r.IntN(size-1))
	}
}

func TestNoiseOfFewBytesBecomesLiterals(t *testing.T) {
	b := letters(BlockSize)
	if n := len(framed(t, b, BlockSize/2)); n > BlockSize*77/100 {
		t.Errorf("%d bytes became %d", len(b), n)
	}
}

// A picture of samples with margins has runs, which literals would cost a bit each.
func TestMarginsOfPicturesAreMatches(t *testing.T) {
	b := volume(BlockSize)
	for row := 0; row < len(b); row += 1024 {
		clear(b[row : row+300])
	}
	payload, codec, err := testCodec(t, Fastest).Encode(nil, b)
	if err != nil || codec != index.Zstd || payload[0] == byte(asItWas) {
		t.Fatal(codec, payload[0], err)
	}
	if ratio := float64(len(payload)) / float64(len(b)); ratio > 0.40 {
		t.Errorf("%.3f of its size", ratio)
	}
}

func TestMatchesAreSeen(t *testing.T) {
	margins := random(BlockSize, 3)
	for at := 0; at < len(margins); at += 1000 {
		clear(margins[at:][:min(100, len(margins)-at)])
	}
	for name, c := range map[string]struct {
		b    []byte
		want bool
	}{
		"noise": {random(BlockSize, 1), true}, "noise of six bits": {letters(BlockSize), true}, "text": {dumpText(BlockSize), false},
		"zeros": {make([]byte, BlockSize), false}, "a tenth of zeros": {margins, false}, "too little": {random(4095, 1), false},
	} {
		if matchless(c.b) != c.want {
			t.Errorf("%s: %v", name, !c.want)
		}
	}
}
