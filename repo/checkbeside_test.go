package repo_test

import (
	"context"
	"iter"
	"testing"

	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/repo/repotest"
	"chartkeep/repo/storage"
	"chartkeep/repo/storage/mem"
)

// meanwhile is a store in which something happens when a folder is listed, before
// or after.
type meanwhile struct {
	*mem.Store
	dir           string
	before, after func()
}

func (m *meanwhile) List(ctx context.Context, dir string) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		before, after := m.before, m.after
		if dir != m.dir {
			m.Store.List(ctx, dir)(yield)
			return
		}
		m.dir = ""
		before()
		m.Store.List(ctx, dir)(yield)
		after()
	}
}

// A run that stores a pack, a segment and a document while a check goes on, at
// whatever moment, is not damage.
func TestACheckBesideAWholeRunFindsNoDamage(t *testing.T) {
	for _, dir := range []string{"keys", "sessions", "copies/sessions", "checks", "copies/checks", "packs", "index"} {
		for _, first := range []bool{true, false} {
			st := &meanwhile{Store: mem.New()}
			r := repotest.New(t, repotest.Options{Store: st})
			run(t, r, "before")
			beside := repotest.Reopen(t, r, repo.Options{})
			checked := repotest.Reopen(t, r, repo.Options{})
			_, err := checked.Index(t.Context())
			must(t, err)
			act, rest := func() { run(t, beside, "meanwhile") }, func() {}
			if !first {
				act, rest = rest, act
			}
			st.before, st.after, st.dir = act, rest, dir
			for _, f := range repotest.Check(t, checked) {
				t.Errorf("with a run when %s is listed (before it: %v): %s: %v", dir, first, f.File, f.Problem)
			}
			if st.dir != "" {
				t.Errorf("the check does not list %s", dir)
			}
		}
	}
}

// run is a run that stores a chunk and a document.
func run(t *testing.T, r *repo.Repository, data string) {
	t.Helper()
	w, err := r.NewWriter(t.Context(), repo.WriterOptions{})
	must(t, err)
	defer w.Abort()
	_, _, err = w.Lane(index.Data).Put([]byte(data))
	must(t, err)
	must(t, w.Flush())
	_, err = w.PutDocument(t.Context(), repo.Checks, []byte(data))
	must(t, err)
}
