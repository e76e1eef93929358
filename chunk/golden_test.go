package chunk_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"chartkeep/chunk"

	"github.com/zeebo/blake3"
)

// A cut is the first length from Min on whose window's hash is low enough.
// The splitter finds it in steps of four bytes, and over reads; this finds it
// byte by byte in the whole.
func TestGearCutsAreWhatTheDocumentationSays(t *testing.T) {
	p := small(chunk.Gear)
	p.Fine.Min = 67 // steps begin anywhere
	c := cutter(t, p, 9)
	table := chunk.GearTable(c)
	limit := ^uint64(0) / uint64(p.Fine.Avg-p.Fine.Min)
	hit := func(window []byte) bool {
		var h uint64
		for _, b := range window {
			h = h<<1 + table[b]
		}
		return h < limit
	}
	data := slices.Concat(noise(5, 150_000), make([]byte, 5000), noise(6, 150_001))
	var want []int
	for rest := data; len(rest) > 0; {
		n := min(p.Fine.Min, len(rest))
		for n < min(len(rest), p.Fine.Max) && !hit(rest[n-chunk.Window:n]) {
			n++
		}
		want = append(want, n)
		rest = rest[n:]
	}
	if got := lengths(t, c.Split(bytes.NewReader(data), chunk.Fine), data); !slices.Equal(got, want) {
		t.Error("other cuts than by the definition")
	}
}

// Repositories depend on these numbers: if one changes, everything that a
// practice has is stored a second time. They are the first lengths, and the
// BLAKE3 of all lengths in decimal with a line feed after each.
func TestGoldenCuts(t *testing.T) {
	data := noise(42, 8<<20)
	each(t, chunk.DefaultParams, func(t *testing.T, p chunk.Params, profile chunk.Profile, _ chunk.Sizes) {
		c, err := chunk.NewCutter(p, [32]byte([]byte("0123456789abcdef0123456789abcdef")))
		if err != nil {
			t.Fatal(err)
		}
		all := lengths(t, c.Split(bytes.NewReader(data), profile), data)
		var text []byte
		for _, n := range all {
			text = fmt.Appendln(text, n)
		}
		sum := blake3.Sum256(text)
		got := fmt.Sprintf("%v %s", all[:5], hex.EncodeToString(sum[:8]))
		if want := golden[t.Name()]; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

var golden = map[string]string{
	"TestGoldenCuts/gear_fine":    "[5952 5223 5373 6848 5215] 643792b493363592",
	"TestGoldenCuts/gear_coarse":  "[172686 241160 177077 189981 173516] 0373911fa59d45d5",
	"TestGoldenCuts/rabin_fine":   "[16616 5190 10087 7596 8418] ab63f7de79f5bc89",
	"TestGoldenCuts/rabin_coarse": "[252869 149349 147177 212972 154118] 879c76969a4fb47d",
}
