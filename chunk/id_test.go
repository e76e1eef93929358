package chunk_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"chartkeep/chunk"

	"github.com/zeebo/blake3"
)

func TestIDComesBackFromItsString(t *testing.T) {
	id := chunk.NewHasher([32]byte{7}).Sum([]byte("x"))
	got, err := chunk.ParseID(id.String())
	if err != nil || got != id {
		t.Errorf("ParseID(%q) = %v, %v", id.String(), got, err)
	}
	if id.IsZero() || !(chunk.ID{}).IsZero() {
		t.Error("IsZero does not tell the zero ID from another")
	}
}

func TestParseIDRefusesWhatStringNeverWrites(t *testing.T) {
	for _, s := range []string{"", "ab", strings.Repeat("a", 63), strings.Repeat("a", 65), strings.Repeat("A", 64), strings.Repeat("g", 64)} {
		if _, err := chunk.ParseID(s); err == nil {
			t.Errorf("ParseID(%q) succeeded", s)
		}
	}
}

func TestSumIsKeyedBLAKE3(t *testing.T) {
	key := [32]byte(noise(3, 32))
	h := chunk.NewHasher(key)
	data := noise(1, 1<<20)
	for _, n := range []int{0, 1, 64, 1023, 1024, 1025, 8191, 8192, 8193, 16384, 100_000, 1 << 20} {
		reference, err := blake3.NewKeyed(key[:])
		if err != nil {
			t.Fatal(err)
		}
		for p := data[:n]; len(p) > 0; p = p[min(len(p), 1000):] {
			reference.Write(p[:min(len(p), 1000)])
		}
		if got := h.Sum(data[:n]); !bytes.Equal(got[:], reference.Sum(nil)) {
			t.Errorf("%d bytes: %v instead of %x", n, got, reference.Sum(nil))
		}
	}
}

// The key, the input 0, 1, … 250, 0, 1, … and the hashes are those of the
// BLAKE3 authors (test_vectors.json of the reference implementation).
func TestSumKnowsTheOfficialVectors(t *testing.T) {
	h := chunk.NewHasher([32]byte([]byte("whats the Elvish word for friend")))
	input := make([]byte, 1024)
	for i := range input {
		input[i] = byte(i % 251)
	}
	for n, want := range map[int]string{
		0:    "92b2b75604ed3c761f9d6f62392c8a9227ad0ea3f09573e783f1498a4ed60d26",
		1:    "6d7878dfff2f485635d39013278ae14f1454b8c0a3a2d34bc1ab38228a80c95b",
		1024: "75c46f6f3d9eb4f55ecaaee480db732e6c2105546f1e675003687c31719c7ba4",
	} {
		if got := h.Sum(input[:n]); got.String() != want {
			t.Errorf("%d bytes: %v instead of %s", n, got, want)
		}
	}
}

func TestHasherServesManyAtOnce(t *testing.T) {
	h := chunk.NewHasher([32]byte{1})
	data := noise(1, 64<<10)
	want := make([]chunk.ID, 64)
	for i := range want {
		want[i] = h.Sum(data[:i<<10])
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range want {
				if h.Sum(data[:i<<10]) != want[i] {
					t.Errorf("%d KiB: another ID than alone", i)
				}
			}
		})
	}
	wg.Wait()
}
