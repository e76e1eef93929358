package pack

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
)

var testMagic = [8]byte{'C', 'H', 'R', 'T', 'T', 'S', 'T', 1}

func protect(payload []byte, percent int) (file []byte) {
	for _, part := range Protect(testMagic, payload, percent) {
		file = append(file, part...)
	}
	return file
}

func TestProtectedPayloadComesBack(t *testing.T) {
	for _, n := range []int{0, 1, 900, 936, 937, 5000, 100_000, 3 << 20} {
		for _, percent := range []int{0, 3, 10, 25} {
			payload := random(n, 1)
			got, healed, err := Unprotect(testMagic, protect(payload, percent))
			if err != nil || healed || !bytes.Equal(got, payload) {
				t.Errorf("%d bytes, parity %d %%: %d bytes, healed %v, %v", n, percent, len(got), healed, err)
			}
		}
	}
}

func TestProtectedFileHealsAnyPlace(t *testing.T) {
	payload := random(2500, 1)
	file := protect(payload, 10)
	for i := range file {
		b := bytes.Clone(file)
		clear(b[i:min(i+300, len(b))])
		got, healed, err := Unprotect(testMagic, b)
		if err != nil || !bytes.Equal(got, payload) || !healed && !bytes.Equal(b, file) {
			// 300 bytes can lie across two shards, of which one can be mended.
			if i/1024 != (i+299)/1024 && i < 3<<10 {
				continue
			}
			t.Fatalf("300 bytes at %d: healed %v, %v", i, healed, err)
		}
	}
}

func TestProtectedFileThatCannotHealSaysSo(t *testing.T) {
	payload := random(2500, 1)
	file := protect(payload, 0)
	for _, b := range [][]byte{nil, file[:50], file[:1000], append([]byte{1}, file[1000:]...), flip(file, 500), random(5000, 2)} {
		if _, _, err := Unprotect(testMagic, b); !errors.Is(err, ErrDamaged) {
			t.Errorf("%d bytes: %v", len(b), err)
		}
	}
	if _, _, err := Unprotect([8]byte{1}, file); !errors.Is(err, ErrDamaged) {
		t.Errorf("with another magic: %v", err)
	}
}

func flip(b []byte, i int) []byte {
	b = bytes.Clone(b)
	b[i] ^= 1
	return b
}

func TestProtectedFileCutBehindItsDataHeals(t *testing.T) {
	payload := random(700, 1)
	file := protect(payload, 25)
	cut := 0
	for n := range file {
		if got, healed, err := Unprotect(testMagic, file[:n]); err == nil {
			if !bytes.Equal(got, payload) || !healed {
				t.Fatalf("cut to %d: %d bytes, healed %v", n, len(got), healed)
			}
			cut++
		}
	}
	g, err := parseHead(file, testMagic)
	if err != nil {
		t.Fatal(err)
	}
	if want := len(file) - g.tableOffset(0) - g.tableSize(); cut < want {
		t.Errorf("heals after %d of %d cuts", cut, want)
	}
	if _, healed, err := Unprotect(testMagic, append(file, 0)); err != nil || !healed {
		t.Error(fmt.Errorf("a byte too many: healed %v, %w", healed, err))
	}
}

func TestForgedProtectedFileIsRefused(t *testing.T) {
	forged := func(l label, content ...byte) []byte {
		h := head{newGeometry(4<<10, 3), l}
		data := append(h.append(nil, testMagic), content...)
		data = append(data, make([]byte, h.data-len(data))...)
		file, _ := h.appendTrailer(data, data)
		return file
	}
	if _, healed, err := Unprotect(testMagic, forged(lengthLabel(3500), 1, 2, 3)); err != nil || healed {
		t.Fatal(err)
	}
	more := lengthLabel(3500)
	more[40] = 1
	for name, b := range map[string][]byte{
		"longer than its file": forged(lengthLabel(4<<10 - headSize + 1)),
		"far longer":           forged(lengthLabel(1<<32 - 1)),
		"shorter":              forged(lengthLabel(2000)),
		"more in the label":    forged(more),
		"other padding":        forged(lengthLabel(3500), bytes.Repeat([]byte{1}, 3501)...),
	} {
		if _, _, err := Unprotect(testMagic, b); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
