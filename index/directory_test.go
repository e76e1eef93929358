package index

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// randomDirectory makes a valid directory of the given number of blocks.
func randomDirectory(rng *rand.Rand, blocks, chunksPerBlock int) *Directory {
	d := &Directory{Class: Class(1 + rng.IntN(2))}
	fill(rng, d.Pack[:])
	fill(rng, d.Session[:])
	end := uint32(rng.IntN(100))
	for range blocks {
		b := Block{Offset: end, Sealed: 29 + rng.Uint32N(1<<18), Codec: Codec(rng.IntN(2))}
		for range chunksPerBlock {
			c := Chunk{Length: 1 + rng.Uint32N(1<<14)}
			fill(rng, c.ID[:])
			b.Chunks = append(b.Chunks, c)
			b.Plain += c.Length
		}
		end = b.Offset + b.Sealed + rng.Uint32N(2)
		d.Blocks = append(d.Blocks, b)
	}
	d.Size = end + rng.Uint32N(1000)
	return d
}

func fill(rng *rand.Rand, p []byte) {
	for len(p) >= 8 {
		binary.LittleEndian.PutUint64(p, rng.Uint64())
		p = p[8:]
	}
	for i := range p {
		p[i] = byte(rng.Uint32())
	}
}

func TestDirectorySurvivesEncoding(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for blocks := range 20 {
		d := randomDirectory(rng, blocks, 1+rng.IntN(50))
		for _, withPack := range []bool{false, true} {
			want := *d
			if !withPack {
				want.Pack, want.Size = PackID{}, 0
			}
			b := AppendDirectory([]byte("before"), d, withPack)
			got, rest, err := DecodeDirectory(append(b[len("before"):], "after"...), withPack)
			if err != nil {
				t.Fatal(err)
			}
			if string(rest) != "after" {
				t.Fatalf("rest is %q", rest)
			}
			if blocks > 0 && !reflect.DeepEqual(&want, got) {
				t.Fatal(cmp.Diff(&want, got))
			}
		}
	}
}

func TestDirectoryIsCompact(t *testing.T) {
	d := randomDirectory(rand.New(rand.NewPCG(1, 2)), 64, 64)
	n := len(AppendDirectory(nil, d, true))
	if perChunk := float64(n) / float64(d.NumChunks()); perChunk > 34.2 {
		t.Fatalf("%.1f bytes a chunk", perChunk)
	}
}

func TestTruncatedDirectoryIsRefused(t *testing.T) {
	b := AppendDirectory(nil, randomDirectory(rand.New(rand.NewPCG(1, 2)), 3, 3), true)
	for n := range b {
		if _, _, err := DecodeDirectory(b[:n], true); err == nil {
			t.Fatalf("accepted %d of %d bytes", n, len(b))
		}
	}
}

func TestInvalidDirectoryIsRefused(t *testing.T) {
	for _, c := range []struct {
		name    string
		spoil   func(d *Directory)
		message string
	}{
		{"class", func(d *Directory) { d.Class = 3 }, "class 3"},
		{"codec", func(d *Directory) { d.Blocks[1].Codec = 2 }, "codec 2"},
		{"overlap", func(d *Directory) { d.Blocks[1].Offset = d.Blocks[0].Offset + d.Blocks[0].Sealed - 1 }, ""},
		{"order", func(d *Directory) { d.Blocks[0], d.Blocks[1] = d.Blocks[1], d.Blocks[0] }, ""},
		{"end", func(d *Directory) { d.Size = 100 }, "of a pack of 100"},
		{"offset", func(d *Directory) { d.Blocks[2].Offset = 1<<32 - 1 }, ""},
		{"empty block", func(d *Directory) { d.Blocks[2].Chunks, d.Blocks[2].Plain = nil, 0 }, "no chunks"},
		{"no bytes", func(d *Directory) { d.Blocks[2].Sealed = 0 }, "no bytes"},
		{"empty chunk", func(d *Directory) {
			d.Blocks[0].Plain -= d.Blocks[0].Chunks[0].Length
			d.Blocks[0].Chunks[0].Length = 0
		}, "is empty"},
		{"plain", func(d *Directory) {
			d.Blocks[0].Chunks = []Chunk{{Length: MaxPlain}, {Length: 1}}
			d.Blocks[0].Plain = MaxPlain + 1
		}, "of plaintext"},
	} {
		d := randomDirectory(rand.New(rand.NewPCG(1, 2)), 3, 3)
		if err := d.Check(true); err != nil {
			t.Fatal(err)
		}
		c.spoil(d)
		if err := d.Check(true); err == nil || !strings.Contains(err.Error(), c.message) {
			t.Errorf("%s: Check returned %v", c.name, err)
		}
		if _, _, err := DecodeDirectory(AppendDirectory(nil, d, true), true); err == nil {
			t.Errorf("%s: decoded", c.name)
		}
	}
	d := randomDirectory(rand.New(rand.NewPCG(1, 2)), 1, 1)
	d.Blocks[0].Plain++
	if d.Check(true) == nil {
		t.Error("a sum that does not agree was accepted")
	}
}

func TestLongFormNumbersAreRefused(t *testing.T) {
	head := append([]byte{directoryVersion}, make([]byte, 16)...)
	head = append(head, byte(Data))
	if _, _, err := DecodeDirectory(append(head, 0), false); err != nil {
		t.Fatal(err)
	}
	if _, _, err := DecodeDirectory(append(head, 0x80, 0), false); err == nil {
		t.Fatal("accepted zero in two bytes")
	}
}

func TestPackNamesAreCanonical(t *testing.T) {
	p := PackID{0xab, 31: 0x01}
	if got, err := ParsePackID(p.String()); err != nil || got != p {
		t.Fatal(got, err)
	}
	for _, s := range []string{"", "ab", strings.ToUpper(p.String()), p.String() + "00", "g" + p.String()[1:]} {
		if _, err := ParsePackID(s); err == nil {
			t.Errorf("accepted %q", s)
		}
	}
}

func FuzzDecodeDirectory(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 2))
	for blocks := range 4 {
		d := randomDirectory(rng, blocks, 2)
		f.Add(AppendDirectory(nil, d, true), true)
		f.Add(AppendDirectory(nil, d, false), false)
	}
	f.Fuzz(func(t *testing.T, b []byte, withPack bool) {
		d, rest, err := DecodeDirectory(b, withPack)
		if err != nil {
			return
		}
		if err := d.Check(withPack); err != nil {
			t.Fatal(err)
		}
		if again := AppendDirectory(nil, d, withPack); !bytes.Equal(append(again, rest...), b) {
			t.Fatal("encodes differently")
		}
	})
}
