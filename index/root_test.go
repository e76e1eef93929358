package index

import (
	"bytes"
	"testing"
)

func sampleRoot() (catalog, *base) {
	c := newCatalog()
	c.next, c.nextSegment = 5000, 9
	for i, name := range []string{"b", "a", ""} {
		c.segments[name] = &segment{name: name, number: uint32(2*i + 1), tag: [8]byte{byte(i)}, packs: make([]*pack, 300*i)}
	}
	return c, &base{generation: 3, tag: [8]byte{7}, entries: 4000, below: 4500, pages: make([]slot, 16)}
}

func TestRootSurvivesEncoding(t *testing.T) {
	want, wantBase := sampleRoot()
	b := appendRoot(nil, &want, wantBase)
	got, gotBase, missing, err := decodeRoot(b)
	if err != nil {
		t.Fatal(err)
	}
	for s, n := range missing {
		s.packs = make([]*pack, n)
	}
	if !bytes.Equal(b, appendRoot(nil, &got, gotBase)) || len(got.segments) != 3 || len(gotBase.pages) != 16 {
		t.Fatalf("%+v %+v", got, gotBase)
	}
	for n := range b {
		if _, _, _, err := decodeRoot(b[:n]); err == nil {
			t.Fatalf("accepted %d of %d bytes", n, len(b))
		}
	}
	if _, _, _, err := decodeRoot(append(b, 0)); err == nil {
		t.Fatal("accepted a byte more")
	}
}

func FuzzDecodeRoot(f *testing.F) {
	c, bs := sampleRoot()
	f.Add(appendRoot(nil, &c, bs))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, bs, missing, err := decodeRoot(b)
		if err != nil {
			return
		}
		for s, n := range missing {
			if n > 1<<20 {
				return
			}
			s.packs = make([]*pack, n)
		}
		if !bytes.Equal(b, appendRoot(nil, &c, bs)) {
			t.Fatal("encodes differently")
		}
	})
}
