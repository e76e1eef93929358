package pack

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"chartkeep/index"
)

// addFiles adds the golden packs, what damage makes of them, and their heads in
// front of little.
func addFiles(f *testing.F) (ids []index.PackID) {
	names, err := filepath.Glob(filepath.Join("testdata", "*.pack"))
	if err != nil || len(names) == 0 {
		f.Fatal("no golden packs")
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(b[:headSize])
		f.Add(b[1000:])
		f.Add(flip(b, 20))
		h := must(parseHead(b, packMagic))
		ids = append(ids, h.packID(h.parseTable(b[h.tableOffset(0):][:h.tableSize()]).sums))
	}
	f.Add(hugeHead())
	return ids
}

// hugeHead claims the longest file there can be, nearly all of it directory.
func hugeHead() []byte {
	locator := newBox().SealLocator(nil, []byte{100, 0, 0, 0})
	h := head{newGeometry(maxData, MaxParity), newLabel(new(index.Directory), locator)}
	return append(h.append(nil, packMagic), random(500, 1)...)
}

func FuzzPackFile(f *testing.F) {
	ids := addFiles(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, id := range ids {
			size := int64(len(b))
			report := Verify(b, id)
			healed, err := Repair(bytes.NewReader(b), size, id)
			if err == nil {
				if err := Verify(healed, id).Err(); err != nil {
					t.Fatalf("healed to %v", err)
				}
			} else if !errors.Is(err, ErrDamaged) || report.Err() == nil {
				t.Fatalf("report %v, repair %v", report.Err(), err)
			}
			data, unsure, err := Mend(bytes.NewReader(b), size, id)
			if err != nil || len(unsure) == 0 && healed == nil {
				t.Fatalf("mended to %d bytes, unsure %v, %v", len(data), unsure, err)
			}
			if d, err := ReadDirectory(bytes.NewReader(b), size, id, newBox()); err == nil && d.Check(true) != nil {
				t.Fatal("impossible directory", d.Check(true))
			}
		}
	})
}

func FuzzUnprotect(f *testing.F) {
	for _, n := range []int{0, 10, 3000} {
		for _, percent := range []int{0, 10} {
			b := protect(random(n, 1), percent)
			f.Add(b)
			f.Add(flip(b, 100))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		payload, healed, err := Unprotect(testMagic, b)
		if err != nil {
			return
		}
		again, _, err := Unprotect(testMagic, b)
		if err != nil || !bytes.Equal(payload, again) {
			t.Fatalf("another payload the second time, healed %v: %v", healed, err)
		}
	})
}

func FuzzDecode(f *testing.F) {
	c := testCodec(f, Fastest)
	for name, plain := range testBlocks {
		if len(plain) > 1<<20 {
			continue
		}
		payload, codec, err := c.Encode(nil, plain)
		if err != nil {
			f.Fatal(name, err)
		}
		if len(payload) < 10_000 {
			f.Add(payload, uint8(codec), uint32(len(plain)))
		}
	}
	payload, codec, _ := c.Encode(nil, volume(9000))
	f.Add(payload, uint8(codec), uint32(9000))
	f.Fuzz(func(t *testing.T, payload []byte, codec uint8, plain uint32) {
		b, err := c.Decode(nil, payload, index.Codec(codec), int(plain))
		if err == nil && len(b) != int(plain) {
			t.Fatalf("%d bytes instead of %d", len(b), plain)
		}
	})
}

func TestHostileFileTakesLittleMemory(t *testing.T) {
	b := hugeHead()
	id := index.PackID{1}
	for name, read := range map[string]func(){
		"verify":    func() { Verify(b, id) },
		"repair":    func() { Repair(bytes.NewReader(b), int64(len(b)), id) },
		"mend":      func() { Mend(bytes.NewReader(b), int64(len(b)), id) },
		"directory": func() { ReadDirectory(bytes.NewReader(b), int64(len(b)), id, newBox()) },
		"unprotect": func() { Unprotect(packMagic, b) },
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		read()
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 2<<20 {
			t.Errorf("%s: %d bytes for a file of %d", name, got, len(b))
		}
	}
}
