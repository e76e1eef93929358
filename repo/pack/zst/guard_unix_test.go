//go:build unix && amd64

package zst

import (
	"math/rand/v2"
	"testing"

	"golang.org/x/sys/unix"
)

// fenced is n bytes with memory before and behind that may not be touched; they
// lie at its end, or at its beginning.
func fenced(t *testing.T, n int, atEnd bool) []byte {
	t.Helper()
	page := unix.Getpagesize()
	size := (n + page - 1) / page * page
	m, err := unix.Mmap(-1, 0, size+2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(m) })
	for _, fence := range [][]byte{m[:page], m[page+size:]} {
		if err := unix.Mprotect(fence, unix.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	if atEnd {
		return m[page+size-n : page+size]
	}
	return m[page : page+n]
}

func TestNothingBesideTheContentIsRead(t *testing.T) {
	e := new(Encoder)
	r := rand.New(rand.NewPCG(1, 1))
	lengths := []int{4096, 20_000, tile + 33, maxBlock, maxBlock + 1, maxBlock + 160, 2*maxBlock + 31}
	for n := range 3 * 2 * word {
		lengths = append(lengths, 1+n)
	}
	for _, n := range lengths {
		for _, content := range [][]byte{make([]byte, n), random(r, n), text(r, n), patched(r, n, 50, 2, 3), patched(r, n, 5000, 100, 256)} {
			for _, atEnd := range []bool{true, false} {
				b := fenced(t, n, atEnd)
				copy(b, content)
				comesBack(t, e, b)
			}
		}
	}
}
