package repo_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"testing"
	"time"

	"chartkeep/repo"
	"chartkeep/repo/crypt"
	"chartkeep/repo/repotest"
	"chartkeep/repo/storage"
	"chartkeep/repo/storage/mem"
	"chartkeep/repo/storage/storagetest"
)

var sunday = time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)

// saved puts a document in the place of a snapshot: the bin does not care what is
// in it.
func saved(t *testing.T, r *repo.Repository, what string) repo.DocumentID {
	t.Helper()
	w := writer(t, r)
	defer w.Abort()
	id, err := w.PutDocument(t.Context(), repo.Snapshots, []byte(what))
	must(t, err)
	return id
}

// discard forgets snapshots and reports of each whether the bin has it.
func discard(t *testing.T, r *repo.Repository, d repo.Discard, ids ...repo.DocumentID) (kept []bool, err error) {
	t.Helper()
	d.Now = sunday
	err = r.Discard(t.Context(), ids, d, func(_ repo.DocumentID, k bool) { kept = append(kept, k) })
	return kept, err
}

func inBin(t *testing.T, r *repo.Repository) (all, stale []repo.Discarded) {
	t.Helper()
	all, stale, broken, err := r.Discarded(t.Context())
	must(t, err)
	for _, b := range broken {
		t.Errorf("entry %s: %v", b.Entry.Short(), b.Err)
	}
	return all, stale
}

func TestWhatIsTakenBackIsWhatItWas(t *testing.T) {
	st := mem.New()
	r := repotest.New(t, repotest.Options{Store: st})
	id, other := saved(t, r, "monday"), saved(t, r, "tuesday")
	file := content(t, st, "snapshots/"+string(id))

	until := sunday.AddDate(0, 0, 7)
	kept, err := discard(t, r, repo.Discard{Who: "reed", Why: "keeping 2 daily", Until: until}, id)
	must(t, err)
	if !slices.Equal(kept, []bool{true}) || documents(t, r, repo.Snapshots) != 1 {
		t.Fatalf("kept %v, and %d snapshots are listed, want the other one", kept, documents(t, r, repo.Snapshots))
	}
	r = repotest.Reopen(t, r, repo.Options{})
	all, _ := inBin(t, r)
	if len(all) != 1 {
		t.Fatalf("%d snapshots are in the bin, want one", len(all))
	}
	d := all[0]
	if d.Snapshot != id || d.Who != "reed" || d.Why != "keeping 2 daily" || !d.At.Equal(sunday) || !d.Until.Equal(until) {
		t.Errorf("the bin says %+v", d)
	}
	if d.Over(until.Add(-time.Second)) || !d.Over(until) {
		t.Errorf("it is over at another time than %v", until)
	}
	plain, err := r.OpenDiscarded(t.Context(), &d)
	if err != nil || string(plain) != "monday" {
		t.Errorf("it holds %q (%v)", plain, err)
	}

	must(t, r.TakeBack(t.Context(), id))
	for _, name := range []string{"snapshots/", "copies/snapshots/"} {
		if !bytes.Equal(content(t, st, name+string(id)), file) {
			t.Errorf("%s holds other bytes than before", name)
		}
	}
	if all, stale := inBin(t, r); len(all)+len(stale) > 0 {
		t.Errorf("the bin still has %d entries", len(all)+len(stale))
	}
	if err := r.TakeBack(t.Context(), other); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is not in the bin is taken back: %v", err)
	}
}

func content(t *testing.T, st storage.Store, name string) []byte {
	t.Helper()
	b, err := storage.ReadAll(t.Context(), st, name, 1<<20)
	must(t, err)
	return b
}

// Both sessions are needed: that of the run that saved it, and that of the run
// that forgot it.
func TestSessionsOfWhatIsInTheBinStay(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	id := saved(t, r, "monday")
	_, err := discard(t, r, repo.Discard{}, id)
	must(t, err)
	r = repotest.Reopen(t, r, repo.Options{})
	_, err = r.Index(t.Context())
	must(t, err)
	must(t, r.RemovePacks(t.Context(), nil))
	r = repotest.Reopen(t, r, repo.Options{})
	must(t, r.TakeBack(t.Context(), id))
	if plain, err := r.GetDocument(t.Context(), repo.Snapshots, id); err != nil || string(plain) != "monday" {
		t.Errorf("it holds %q (%v)", plain, err)
	}
}

// Whatever change of the store is the last, a snapshot is listed or in the bin,
// and whoever tries again succeeds.
func TestForgettingAndTakingBackCanBeKilledAnywhere(t *testing.T) {
	model := mem.New()
	r := repotest.New(t, repotest.Options{Store: model})
	code := crypt.NewRecoveryCode() // opens without a costly derivation
	_, err := r.AddRecovery(t.Context(), code, "")
	must(t, err)
	key := []byte(code.String())
	id := saved(t, r, "monday")
	forget := func(r *repo.Repository) error {
		_, err := discard(t, r, repo.Discard{}, id)
		return err
	}
	takeBack := func(r *repo.Repository) error { return r.TakeBack(t.Context(), id) }

	killEverywhere(t, model, key, forget, func(r *repo.Repository) error {
		if all, _ := inBin(t, r); len(all) == 1 {
			return nil
		}
		return forget(r)
	}, id, false)
	must(t, forget(r))
	killEverywhere(t, model, key, takeBack, func(r *repo.Repository) error {
		if all, stale := inBin(t, r); len(all)+len(stale) == 0 {
			return nil
		}
		return takeBack(r)
	}, id, true)
}

// killEverywhere has do die at each change of the store, and looks at what is
// left before and after again.
func killEverywhere(t *testing.T, model storage.Store, key []byte, do, again func(*repo.Repository) error, id repo.DocumentID, listed bool) {
	t.Helper()
	for _, op := range []storagetest.Op{storagetest.Put, storagetest.Remove} {
		for skip := 0; ; skip++ {
			st := mem.New()
			copyAll(t, model, st)
			faulty := storagetest.NewFaulty(st)
			r, err := repo.Open(t.Context(), faulty, key, repo.Options{})
			must(t, err)
			faulty.Fail(storagetest.Fault{Op: op, Skip: skip, Forever: true})
			died := do(r)
			if err := aftermath(t, st, key, again, id, listed); err != nil {
				t.Fatalf("died at %s %d: %v", op, skip, err)
			}
			if died == nil {
				break
			}
		}
	}
}

func aftermath(t *testing.T, st storage.Store, key []byte, again func(*repo.Repository) error, id repo.DocumentID, listed bool) error {
	r, err := repo.Open(t.Context(), st, key, repo.Options{})
	if err != nil {
		return err
	}
	defer r.Close()
	if !isListed(t, r, id) && !isBinned(t, r, id) {
		return errors.New("the snapshot is neither listed nor in the bin")
	}
	if err := again(r); err != nil {
		return fmt.Errorf("a second time: %w", err)
	}
	if isListed(t, r, id) != listed || isBinned(t, r, id) == listed {
		return fmt.Errorf("after the second time it is listed: %v, in the bin: %v", isListed(t, r, id), isBinned(t, r, id))
	}
	_, stale := inBin(t, r)
	for _, d := range stale {
		if err := r.Purge(t.Context(), []repo.DocumentID{d.Entry}); err != nil {
			return err
		}
	}
	_, err = r.Index(t.Context())
	if err == nil {
		err = r.RemovePacks(t.Context(), nil)
	}
	if err != nil {
		return err
	}
	for _, f := range repotest.Check(t, r) {
		return fmt.Errorf("%s: %w", f.File, f.Problem)
	}
	return nil
}

func isListed(t *testing.T, r *repo.Repository, id repo.DocumentID) bool {
	ids, err := r.ListDocuments(t.Context(), repo.Snapshots)
	must(t, err)
	return slices.Contains(ids, id)
}

func isBinned(t *testing.T, r *repo.Repository, id repo.DocumentID) bool {
	all, _ := inBin(t, r)
	return slices.ContainsFunc(all, func(d repo.Discarded) bool { return d.Snapshot == id })
}

func copyAll(t *testing.T, from, to storage.Store) {
	t.Helper()
	for info, err := range from.List(t.Context(), "") {
		must(t, err)
		must(t, to.Put(t.Context(), info.Name, content(t, from, info.Name)))
	}
}

func TestForgettingOnAFullDriveUsesTheReserveThenForgetsForGood(t *testing.T) {
	st := mem.New()
	r := repotest.New(t, repotest.Options{Store: st})
	t.Cleanup(func() { st.Capacity = 0 })
	var ids []repo.DocumentID
	for i := range 6 {
		ids = append(ids, saved(t, r, fmt.Sprint("night ", i)))
	}
	must(t, r.KeepReserve(t.Context()))
	fillTo(st, t, 0)
	kept, err := discard(t, r, repo.Discard{Until: sunday.AddDate(0, 0, 7)}, ids[:2]...)
	if must(t, err); !slices.Equal(kept, []bool{true, true}) {
		t.Errorf("with a reserve: kept %v", kept)
	}
	if n := countFiles(t, st, "reserve"); n != 0 {
		t.Error("the reserve is still there")
	}

	fillTo(st, t, 0)
	if _, err := discard(t, r, repo.Discard{Until: sunday.AddDate(0, 0, 7)}, ids[2]); !errors.Is(err, storage.ErrNoSpace) {
		t.Errorf("without room it can be taken back for 7 days: %v", err)
	}
	if !isListed(t, r, ids[2]) {
		t.Error("it went without an entry in the bin")
	}
	kept, err = discard(t, r, repo.Discard{ForGood: true}, ids[2])
	if must(t, err); !slices.Equal(kept, []bool{false}) || isListed(t, r, ids[2]) {
		t.Errorf("for good: kept %v, listed %v", kept, isListed(t, r, ids[2]))
	}
}

// fillTo leaves so much room in a store.
func fillTo(st *mem.Store, t *testing.T, room uint64) {
	t.Helper()
	st.Capacity = 0
	free, total, err := st.Space(t.Context())
	must(t, err)
	st.Capacity = total - free + room
}

func countFiles(t *testing.T, st storage.Store, name string) (n int) {
	t.Helper()
	for info, err := range st.List(t.Context(), "") {
		if must(t, err); info.Name == name {
			n++
		}
	}
	return n
}
