package repo_test

import (
	"testing"

	"chartkeep/index"
	"chartkeep/repo/repotest"
	"chartkeep/repo/storage"
	"chartkeep/repo/storage/mem"
)

// What shows of a pack without reading it is not said again when it is read; the
// packs beside it are read all the same.
func TestAPackIsToldOnce(t *testing.T) {
	st := mem.New()
	r := repotest.New(t, repotest.Options{Store: st, Damaged: true})
	packs := store(t, r, "gone", "short", "turned", "whole")
	name := func(p index.PackID) string { return "packs/" + p.String()[:2] + "/" + p.String() }
	spoil := func(p index.PackID, damage func([]byte) []byte) {
		b, err := storage.ReadAll(t.Context(), st, name(p), 1<<20)
		must(t, err)
		must(t, storage.Replace(t.Context(), st, name(p), damage(b)))
	}
	must(t, st.Remove(t.Context(), name(packs[0])))
	spoil(packs[1], func(b []byte) []byte { return b[:len(b)-1] })
	spoil(packs[2], func(b []byte) []byte { b[len(b)/2] ^= 1; return b })
	told := map[index.PackID]int{}
	for _, f := range repotest.Check(t, r) {
		told[f.Pack]++
	}
	for i, want := range []int{1, 1, 1, 0} {
		if got := told[packs[i]]; got != want {
			t.Errorf("pack %d is told %d times, want %d", i, got, want)
		}
	}
}
