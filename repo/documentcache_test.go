package repo_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"chartkeep/repo"
	"chartkeep/repo/crypt"
	"chartkeep/repo/repotest"
)

// opened returns what OpenDocuments gives, by place, and how many it could not
// open.
func opened(t *testing.T, r *repo.Repository, ids []repo.DocumentID) (plains []string, failed int) {
	t.Helper()
	plains = make([]string, len(ids))
	var mu sync.Mutex
	must(t, r.OpenDocuments(t.Context(), repo.Snapshots, ids, func(i int, plain []byte, err error) {
		mu.Lock()
		defer mu.Unlock()
		if plains[i] = string(plain); err != nil {
			failed++
		}
	}))
	return plains, failed
}

// fifty stores as many documents, and returns what is in them in the order of
// their names.
func fifty(t *testing.T, r *repo.Repository) (ids []repo.DocumentID, plains []string) {
	t.Helper()
	w := writer(t, r)
	by := map[repo.DocumentID]string{}
	for i := range 50 {
		plain := fmt.Sprintf("document %d", i)
		id, err := w.PutDocument(t.Context(), repo.Snapshots, []byte(plain))
		must(t, err)
		by[id] = plain
		ids = append(ids, id)
	}
	must(t, w.Flush())
	slices.Sort(ids)
	for _, id := range ids {
		plains = append(plains, by[id])
	}
	return ids, plains
}

func TestDocumentsReadBeforeAreNotReadAgain(t *testing.T) {
	cache := t.TempDir()
	r := repotest.New(t, repotest.Options{Damaged: true})
	ids, want := fifty(t, r)
	first := repotest.Reopen(t, r, repo.Options{CacheDir: cache})
	if got, failed := opened(t, first, ids); failed > 0 || !slices.Equal(got, want) {
		t.Fatalf("%d failed: %q", failed, got)
	}
	for _, id := range ids {
		must(t, r.RemoveDocument(t.Context(), repo.Snapshots, id))
	}
	if got, failed := opened(t, repotest.Reopen(t, r, repo.Options{CacheDir: cache}), ids); failed > 0 || !slices.Equal(got, want) {
		t.Errorf("from the local copy: %d failed: %q", failed, got)
	}
	if _, failed := opened(t, repotest.Reopen(t, r, repo.Options{}), ids); failed != len(ids) {
		t.Errorf("without a local copy %d of %d removed documents failed", failed, len(ids))
	}
}

func TestDamagedCopyOfDocumentsIsReadAnew(t *testing.T) {
	cache := t.TempDir()
	r := repotest.New(t, repotest.Options{})
	ids, want := fifty(t, r)
	opened(t, repotest.Reopen(t, r, repo.Options{CacheDir: cache}), ids)
	files, err := filepath.Glob(filepath.Join(cache, "*.snapshots"))
	must(t, err)
	if len(files) != 1 {
		t.Fatalf("local copies: %v", files)
	}
	raw, err := os.ReadFile(files[0])
	must(t, err)
	raw[len(raw)/2] ^= 1
	must(t, os.WriteFile(files[0], raw, 0o600))
	if got, failed := opened(t, repotest.Reopen(t, r, repo.Options{CacheDir: cache}), ids); failed > 0 || !slices.Equal(got, want) {
		t.Errorf("%d failed: %q", failed, got)
	}
}

func TestCopyOfDocumentsTellsAWriterNothing(t *testing.T) {
	cache := t.TempDir()
	r := repotest.New(t, repotest.Options{})
	ids, _ := fifty(t, r)
	opened(t, repotest.Reopen(t, r, repo.Options{CacheDir: cache}), ids)
	_, err := r.AddPassword(t.Context(), []byte("may only add"), crypt.Writer, "server")
	must(t, err)
	w, err := repo.Open(t.Context(), r.Store(), []byte("may only add"), repo.Options{CacheDir: cache})
	must(t, err)
	defer w.Close()
	if got, failed := opened(t, w, ids); failed != len(ids) {
		t.Errorf("a writer reads %q", got)
	}
}
