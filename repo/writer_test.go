package repo_test

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/repo/repotest"
	"chartkeep/repo/storage/mem"
)

// However small its chunks are, a pack's directory stays small enough to be held in
// memory.
func TestAPackHoldsABoundedNumberOfChunks(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	w, err := r.NewWriter(t.Context(), repo.WriterOptions{})
	must(t, err)
	lane := w.Lane(index.Data)
	var b [16]byte
	for i := range uint64(250_000) {
		binary.LittleEndian.PutUint64(b[:], i)
		_, _, err := lane.Put(b[:])
		must(t, err)
	}
	must(t, w.Flush())
	ix, err := r.Index(t.Context())
	must(t, err)
	for info, err := range ix.Packs() {
		must(t, err)
		if info.Chunks > 100_000 {
			t.Errorf("a pack holds %d chunks", info.Chunks)
		}
	}
}

// All of a pack is in memory while it is filled, and trees fill theirs over hours.
func TestAPackOfTreesIsSmall(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	putNoise(t, r, index.Meta, 30<<10, 1<<10)
	ix, err := r.Index(t.Context())
	must(t, err)
	packs := 0
	for info, err := range ix.Packs() {
		must(t, err)
		packs++
		if info.Size > 10<<20 {
			t.Errorf("a pack of trees has %d bytes", info.Size)
		}
	}
	if packs > 5 {
		t.Errorf("30 MiB are in %d packs", packs)
	}
}

// Segments are cut before they are longer than what a reader is meant to hold, and
// not only before they begin to be.
func TestSegmentsKeepToTheirLength(t *testing.T) {
	st := mem.New()
	r := repotest.New(t, repotest.Options{Store: st})
	putNoise(t, r, index.Data, 100_000, 800) // packs with directories of 1.4 MB, published together
	putNoise(t, r, index.Data, 100_000, 16)  // and with the longest that there are
	segments := 0
	for info, err := range st.List(t.Context(), "index") {
		must(t, err)
		segments++
		if info.Size > 11<<18 {
			t.Errorf("a segment has %d bytes", info.Size)
		}
	}
	t.Logf("%d segments", segments)
}

// putNoise stores chunks of so many bytes that nobody has seen before.
func putNoise(t *testing.T, r *repo.Repository, c index.Class, chunks, length int) {
	t.Helper()
	w, err := r.NewWriter(t.Context(), repo.WriterOptions{})
	must(t, err)
	lane := w.Lane(c)
	b := make([]byte, length)
	for range chunks {
		for i := 0; i < length; i += 8 {
			binary.LittleEndian.PutUint64(b[i:], rand.Uint64())
		}
		_, _, err := lane.Put(b)
		must(t, err)
	}
	must(t, w.Flush())
}
