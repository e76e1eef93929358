package repo_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/repo/repotest"
	"chartkeep/repo/storage/mem"
	"chartkeep/repo/storage/storagetest"
)

// fill puts noise, chunk by chunk, until n packs of content are in the store.
func fill(t *testing.T, st *storagetest.Recorder, w *repo.Writer, n int) {
	t.Helper()
	lane := w.Lane(index.Data)
	rng := rand.NewChaCha8([32]byte{1})
	chunk := make([]byte, 1<<20)
	for range 36 * (n + 1) {
		rng.Read(chunk)
		_, _, err := lane.Put(chunk)
		must(t, err)
	}
	for stored := 0; stored < n; stored = packs(st) {
		time.Sleep(time.Millisecond)
	}
}

func packs(st *storagetest.Recorder) (n int) {
	for _, c := range st.Calls(storagetest.Put) {
		if len(c.Name) > 6 && c.Name[:6] == "packs/" {
			n++
		}
	}
	return n
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A run that is asked to stop leaves what it stored to the next one, which may
// come long before the packs would have been published anyway.
func TestTheNextRunUsesWhatAnInterruptedOneStored(t *testing.T) {
	st := storagetest.NewRecorder(mem.New())
	r := repotest.New(t, repotest.Options{Store: st, Init: repo.InitOptions{}})
	ctx, cancel := context.WithCancelCause(t.Context())
	w, err := r.NewWriter(ctx, repo.WriterOptions{})
	must(t, err)
	fill(t, st, w, 1)
	cancel(errors.New("interrupted"))
	w.Abort()

	again := repotest.Reopen(t, r, repo.Options{})
	next, err := again.NewWriter(t.Context(), repo.WriterOptions{DryRun: true})
	must(t, err)
	defer next.Abort()
	rng := rand.NewChaCha8([32]byte{1})
	chunk := make([]byte, 1<<20)
	known := 0
	for range 36 {
		rng.Read(chunk)
		_, fresh, err := next.Lane(index.Data).Put(chunk)
		must(t, err)
		if !fresh {
			known++
		}
	}
	if known < 28 {
		t.Errorf("of the first 36 MiB, of which at least a pack was stored, %d MiB are known", known)
	}
}
