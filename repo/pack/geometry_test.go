package pack

import (
	"bytes"
	"testing"
)

// everyGeometry calls f with every data length and some strengths of parity.
func everyGeometry(f func(geometry)) {
	for n := Padded(1); n <= maxData; n = Padded(n + 1) {
		for _, percent := range []int{0, 1, 3, 10, MaxParity} {
			f(newGeometry(n, percent))
		}
	}
}

func TestGeometryKeepsItsBounds(t *testing.T) {
	everyGeometry(func(g geometry) {
		n := g.dataShards()
		switch {
		case g.data%g.shard != 0, g.shard > minShard && n < shardsWanted, g.shard < maxShard && n >= 2*shardsWanted:
			t.Errorf("%+v: %d shards", g, n)
		case g.longest() > stripeData, g.longest()+g.parity > 256, g.parity > stripeParity:
			t.Errorf("%+v: stripes of %d", g, g.longest())
		case g.fileSize() > MaxSize:
			t.Errorf("%+v: %d bytes", g, g.fileSize())
		}
		back, err := parseGeometry(g.append(nil))
		if err != nil || back != g {
			t.Errorf("%+v comes back as %+v: %v", g, back, err)
		}
	})
}

func TestGeometryIsStrict(t *testing.T) {
	good := newGeometry(1<<20, 3).append(nil)
	for i := range good {
		for bit := range 8 {
			b := bytes.Clone(good)
			b[i] ^= 1 << bit
			g, err := parseGeometry(b)
			if err == nil && !bytes.Equal(g.append(nil), b) {
				t.Errorf("bit %d of byte %d: %+v", bit, i, g)
			}
		}
	}
	for _, g := range []geometry{{}, {data: 2 * maxData, shard: maxShard, stripes: 16}, {data: 1500, shard: 1024, stripes: 1}, {data: 1 << 20, shard: 1 << 14, stripes: 1, parity: 17}} {
		if _, err := parseGeometry(g.append(nil)); err == nil {
			t.Errorf("%+v accepted", g)
		}
	}
}

// Any run of stripes·parity shards hits every stripe parity times at most, also
// where data ends and parity begins.
func TestBurstsAreSpreadOverStripes(t *testing.T) {
	everyGeometry(func(g geometry) {
		if g.parity == 0 || g.stripes == 1 {
			return
		}
		found := make([]int, g.shards())
		for s := range g.stripes {
			for _, i := range g.stripe(s) {
				if i < 0 {
					continue
				}
				found[i]++
				if i%g.stripes != s {
					t.Errorf("%+v: shard %d in stripe %d", g, i, s)
				}
			}
			if got := len(g.stripe(s)); got != g.longest()+g.parity {
				t.Errorf("%+v: stripe %d of %d", g, s, got)
			}
		}
		for i, n := range found {
			if n != 1 {
				t.Errorf("%+v: shard %d in %d stripes", g, i, n)
			}
		}
	})
}

func TestPartsOfAFileDoNotOverlap(t *testing.T) {
	everyGeometry(func(g geometry) {
		if g.parityOffset() != g.data+g.tableSize() || g.offset(g.dataShards()-1)+g.shard != g.data ||
			g.shards() > g.dataShards() && (g.offset(g.dataShards()) != g.parityOffset() || g.offset(g.shards()-1)+g.shard != g.tableOffset(1)) ||
			g.endOffset() != g.tableOffset(1)+g.tableSize() {
			t.Errorf("%+v", g)
		}
	})
}

func TestPaddingIsSmallAndHides(t *testing.T) {
	last, lengths := 0, 0
	for n := 1; n < 3<<20; n += 7 {
		p := Padded(n)
		if p < n || p < last || Padded(p) != p || p-n >= max(n/8, 1024) || p-n >= 64<<10 {
			t.Fatalf("%d is padded to %d", n, p)
		}
		if p != last {
			lengths++
		}
		last = p
	}
	if lengths > 160 {
		t.Errorf("%d lengths up to 3 MiB", lengths)
	}
}

func TestFileSizeLeadsBackToTheGeometry(t *testing.T) {
	for _, n := range []int{1 << 10, 100 << 10, 1 << 20, TargetSize} {
		for _, percent := range []int{0, 3, MaxParity} {
			want, found, all := newGeometry(n, percent), false, 0
			geometriesOf(int64(want.fileSize()), func(g geometry) bool {
				found = found || g == want
				all++
				return true
			})
			if !found || all > stripeParity+1 {
				t.Errorf("%+v: found %v among %d", want, found, all)
			}
		}
	}
}
