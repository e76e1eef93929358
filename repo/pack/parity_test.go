package pack

import (
	"bytes"
	"testing"
)

// product is multiplication in GF(2⁸) modulo x⁸+x⁴+x³+x²+1, by logarithms.
func product(a, b byte) byte {
	if a == 0 || b == 0 {
		return 0
	}
	exp, log := [512]byte{}, [256]int{}
	for i, x := 0, 1; i < 255; i++ {
		exp[i], exp[i+255], log[x] = byte(x), byte(x), i
		if x <<= 1; x > 255 {
			x ^= 0x11d
		}
	}
	return exp[log[a]+log[b]]
}

func TestParityIsWhatTheFormatSays(t *testing.T) {
	g := newGeometry(5<<10, 25)
	if g.stripes != 1 || g.parity != 2 {
		t.Fatalf("%+v", g)
	}
	data, parity := random(g.data, 1), make([]byte, 2<<10)
	g.encodeParity(data, parity)
	for j := range 2 {
		for x := 0; x < g.shard; x += 97 {
			var want byte
			for c := range 5 {
				var factor byte // 1 / ((128+j) xor c)
				for product(factor, byte(128+j)^byte(c)) != 1 {
					factor++
				}
				want ^= product(factor, data[c*g.shard+x])
			}
			if got := parity[j*g.shard+x]; got != want {
				t.Fatalf("byte %d of parity %d: %d, want %d", x, j, got, want)
			}
		}
	}
}

func TestInverse(t *testing.T) {
	for x := 1; x < 256; x++ {
		if product(byte(x), inverse(byte(x))) != 1 {
			t.Errorf("1/%d = %d", x, inverse(byte(x)))
		}
	}
}

// Stripes of unequal length: shards that are not there count as zeros.
func TestEveryStripeMendsItsStrength(t *testing.T) {
	for _, n := range []int{3 << 10, 127 << 10, 8<<20 + 64<<10, 17<<20 + 192<<10} {
		g := newGeometry(n, 3)
		data := random(g.data, 4)
		whole := bytes.Clone(data)
		parity := make([]byte, g.parityShards()*g.shard)
		g.encodeParity(data, parity)
		for s := range g.stripes {
			lost := map[int]bool{}
			for j := range g.parity {
				i := s + g.stripes*j
				lost[i] = true
				clear(data[i*g.shard:][:g.shard])
			}
			g.mendStripe(s, data, parity, func(i int) bool { return !lost[i] })
		}
		if !bytes.Equal(data, whole) {
			t.Errorf("%+v: not mended", g)
		}
	}
}
