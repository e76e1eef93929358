package repo_test

import (
	"encoding/binary"
	"testing"

	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/repo/repotest"
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
