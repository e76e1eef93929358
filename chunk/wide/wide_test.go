package wide

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"testing"

	"github.com/zeebo/blake3"
)

func needsAVX512(t testing.TB) {
	if !Available {
		t.Skip("this processor has no AVX-512, so the library does it all")
	}
}

func library(t testing.TB, key [32]byte, p []byte) (sum [32]byte) {
	h, err := blake3.NewKeyed(key[:])
	if err != nil {
		t.Fatal(err)
	}
	h.Write(p)
	h.Sum(sum[:0])
	return sum
}

// TestKnownAnswers are from the test vectors that come with the specification.
func TestKnownAnswers(t *testing.T) {
	needsAVX512(t)
	key := Keyed([32]byte([]byte("whats the Elvish word for friend")))
	for size, want := range map[int]string{
		31744:  "efa53b389ab67c593dba624d898d0f7353ab99e4ac9d42302ee64cbf9939a419",
		102400: "1c35d1a5811083fd7119f5d5d1ba027b4d01c0c6c49fb6ff2cf75393ea5db4a7",
	} {
		p := make([]byte, size)
		for i := range p {
			p[i] = byte(i % 251)
		}
		if got := Sum(key, p); hex.EncodeToString(got[:]) != want {
			t.Errorf("%d bytes: %x, want %s", size, got, want)
		}
	}
}

func TestWithoutAKey(t *testing.T) {
	needsAVX512(t)
	p := bytes.Repeat([]byte("scan "), 20_000)
	for n := least; n < len(p); n += 977 {
		if got, want := Sum(Plain, p[:n]), blake3.Sum256(p[:n]); got != want {
			t.Fatalf("%d bytes: %x, the library says %x", n, got, want)
		}
	}
}

func TestTheLibrarySaysTheSame(t *testing.T) {
	needsAVX512(t)
	random := rand.NewChaCha8([32]byte{1})
	var key [32]byte
	random.Read(key[:])
	all := make([]byte, most+1)
	random.Read(all)
	sizes := []int{least, least + 1, most, most - 1, most - 1024}
	for n := least; n < 70<<10; n += 61 {
		sizes = append(sizes, n)
	}
	for range 100 {
		sizes = append(sizes, least+int(random.Uint64()%(most-least)))
	}
	for _, n := range sizes {
		p := all[1:][:n] // not aligned
		if got, want := Sum(Keyed(key), p), library(t, key, p); got != want {
			t.Fatalf("%d bytes: %x, the library says %x", n, got, want)
		}
	}
}

// TestShorterInputs than Sum is meant for: the tree has all shapes there.
func TestShorterInputs(t *testing.T) {
	needsAVX512(t)
	var key [32]byte
	for n := 1025; n < least; n += 13 {
		p := bytes.Repeat([]byte{byte(n), byte(n >> 8)}, n/2+1)[:n]
		if got, want := Sum(Keyed(key), p), library(t, key, p); got != want {
			t.Fatalf("%d bytes: %x, the library says %x", n, got, want)
		}
	}
}

func FuzzSum(f *testing.F) {
	needsAVX512(f)
	f.Add(uint32(least), uint64(1))
	f.Fuzz(func(t *testing.T, size uint32, seed uint64) {
		random := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), 3})
		var key [32]byte
		random.Read(key[:])
		p := make([]byte, 1025+size%(most-1024))
		random.Read(p)
		if got, want := Sum(Keyed(key), p), library(t, key, p); got != want {
			t.Fatalf("%d bytes: %x, the library says %x", len(p), got, want)
		}
	})
}

func BenchmarkSum(b *testing.B) {
	needsAVX512(b)
	key := [32]byte{1}
	h, err := blake3.NewKeyed(key[:])
	if err != nil {
		b.Fatal(err)
	}
	for name, n := range map[string]int{"8KiB": 8 << 10, "16KiB": 16 << 10, "24KiB": 24 << 10, "32KiB": 32 << 10, "64KiB": 64 << 10, "250KiB": 250<<10 + 500, "1MiB": 1 << 20} {
		p := make([]byte, n)
		b.Run(name+"/wide", func(b *testing.B) {
			b.SetBytes(int64(n))
			for b.Loop() {
				Sum(Keyed(key), p)
			}
		})
		b.Run(name+"/library", func(b *testing.B) {
			b.SetBytes(int64(n))
			var out [32]byte
			for b.Loop() {
				h.Reset()
				h.Write(p)
				h.Sum(out[:0])
			}
		})
	}
}
