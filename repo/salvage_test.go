package repo_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"chartkeep/chunk"
	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/repo/repotest"
	"chartkeep/repo/storage"
	"chartkeep/repo/storage/mem"
)

func TestSalvageSavesWhatCanBeRead(t *testing.T) {
	st := mem.New()
	r := repotest.New(t, repotest.Options{Store: st, Damaged: true})
	w := writer(t, r)
	lane := w.Lane(index.Data)
	var ids []chunk.ID
	for i := range 40 {
		data := make([]byte, 64<<10)
		_, _ = rand.NewChaCha8([32]byte{byte(i)}).Read(data)
		id, _, err := lane.Put(data)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	must(t, w.Flush())
	places, err := r.Places(t.Context(), ids[0])
	must(t, err)
	pack := places[0].Pack
	overwrite(t, st, "packs/"+pack.String()[:2]+"/"+pack.String(), 600<<10, 900<<10)

	r = repotest.Reopen(t, r, repo.Options{})
	w = writer(t, r)
	saved, lost, blocks, err := w.Salvage(t.Context(), pack)
	must(t, err)
	if saved+lost != len(ids) || lost == 0 || saved < len(ids)/2 {
		t.Errorf("of %d chunks %d were saved and %d lost", len(ids), saved, lost)
	}
	must(t, w.Flush())
	record(t, r, blocks...)

	// Without the old pack there is just as much.
	must(t, r.RemovePacks(t.Context(), map[index.PackID]bool{pack: true}))
	r = repotest.Reopen(t, r, repo.Options{})
	there := 0
	for _, id := range ids {
		if data, err := r.Load(t.Context(), id); err == nil && r.Hash(data) == id {
			there++
		}
	}
	if there != saved {
		t.Errorf("%d chunks are there, want the %d that were saved", there, saved)
	}
	repotest.CheckClean(t, r)
}

// overwrite ruins a part of a stored file.
func overwrite(t *testing.T, st *mem.Store, name string, from, to int) {
	t.Helper()
	b, err := storage.ReadAll(t.Context(), st, name, 64<<20)
	must(t, err)
	b = bytes.Clone(b)
	clear(b[from:to])
	must(t, st.Replace(t.Context(), name, b))
}
