package repo_test

import (
	"testing"

	"chartkeep/repo"
	"chartkeep/repo/repotest"
	"chartkeep/repo/storage"
)

// Who only leaves a record behind a check mends nothing on the way.
func TestAWriterAsideLeavesTheRestAlone(t *testing.T) {
	r := repotest.New(t, repotest.Options{Damaged: true})
	must(t, r.Store().Remove(t.Context(), "config"))
	w, err := r.NewWriter(t.Context(), repo.WriterOptions{Aside: true})
	must(t, err)
	must(t, w.Log(t.Context(), repo.Record{Time: night}))
	w.Abort()
	if _, err := storage.ReadAll(t.Context(), r.Store(), "config", 1<<20); err == nil {
		t.Error("the config has its copy again")
	}
	must(t, writer(t, r).Flush())
	if _, err := storage.ReadAll(t.Context(), r.Store(), "config", 1<<20); err != nil {
		t.Errorf("a run that stores data does not write it again: %v", err)
	}
}
