package repo_test

import (
	"testing"
	"time"

	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/repo/repotest"
	"chartkeep/repo/storage/mem"
	"chartkeep/repo/storage/storagetest"
)

// store puts chunks into packs of their own, one run each.
func store(t *testing.T, r *repo.Repository, chunks ...string) (packs []index.PackID) {
	t.Helper()
	for _, c := range chunks {
		w := writer(t, r)
		if _, _, err := w.Lane(index.Data).Put([]byte(c)); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		places, err := r.Places(t.Context(), r.Hash([]byte(c)))
		if err != nil || len(places) == 0 {
			t.Fatalf("%q is not stored: %v", c, err)
		}
		packs = append(packs, places[0].Pack)
	}
	return packs
}

func writer(t *testing.T, r *repo.Repository) *repo.Writer {
	t.Helper()
	w, err := r.NewWriter(t.Context(), repo.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Abort)
	return w
}

func readLog(t *testing.T, r *repo.Repository) *repo.CheckLog {
	t.Helper()
	l, err := r.CheckLog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func documents(t *testing.T, r *repo.Repository, kind repo.DocumentKind) int {
	t.Helper()
	ids, err := r.ListDocuments(t.Context(), kind)
	if err != nil {
		t.Fatal(err)
	}
	return len(ids)
}

func TestCheckLogSaysWhenPacksWereRead(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	packs := store(t, r, "first", "second", "third", "fourth", "fifth")
	log := readLog(t, r)
	if !log.Empty() || !log.Verified(packs[0]).IsZero() {
		t.Error("a new repository has a log of checks")
	}
	monday, tuesday := time.Unix(1_700_000_000, 0), time.Unix(1_700_086_400, 0)
	must(t, writer(t, r).PutCheckLog(t.Context(), log, monday, packs[:4]))
	must(t, writer(t, r).PutCheckLog(t.Context(), readLog(t, r), tuesday, packs[3:4]))
	log = readLog(t, repotest.Reopen(t, r, repo.Options{}))
	for i, want := range []time.Time{monday, monday, monday, tuesday, {}} {
		if got := log.Verified(packs[i]); !got.Equal(want) {
			t.Errorf("pack %d was read at %v, want %v", i, got, want)
		}
	}
	if n := documents(t, r, repo.Checks); n != 1 {
		t.Errorf("%d records of checks, want the last one", n)
	}
}

// Two checks at once leave two records; both count, and the next check makes
// one of them.
func TestCheckLogJoinsRecords(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	packs := store(t, r, "first", "second")
	one, other := readLog(t, r), readLog(t, r)
	for i, log := range []*repo.CheckLog{one, other} {
		if err := writer(t, r).PutCheckLog(t.Context(), log, time.Unix(int64(100+i), 0), packs[i:i+1]); err != nil {
			t.Fatal(err)
		}
	}
	log := readLog(t, r)
	for i, p := range packs {
		if got := log.Verified(p); got.Unix() != int64(100+i) {
			t.Errorf("pack %d was read at %v, want %d", i, got, 100+i)
		}
	}
	must(t, writer(t, r).PutCheckLog(t.Context(), log, time.Unix(200, 0), nil))
	if n := documents(t, r, repo.Checks); n != 1 {
		t.Errorf("%d records of checks, want one", n)
	}
}

func TestCheckLogForgetsPacksThatAreGone(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	packs := store(t, r, "first", "second")
	must(t, writer(t, r).PutCheckLog(t.Context(), readLog(t, r), time.Unix(100, 0), packs))
	must(t, r.RemovePacks(t.Context(), map[index.PackID]bool{packs[0]: true}))
	must(t, writer(t, r).PutCheckLog(t.Context(), readLog(t, r), time.Unix(200, 0), nil))
	log := readLog(t, r)
	if !log.Verified(packs[0]).IsZero() {
		t.Error("the log still has a pack that is gone")
	}
	if log.Verified(packs[1]).IsZero() {
		t.Error("the log has lost a pack that is there")
	}
}

// The new record is durable before the old one goes.
func TestCheckLogSurvivesACut(t *testing.T) {
	faulty := storagetest.NewFaulty(mem.New())
	r := repotest.New(t, repotest.Options{Store: faulty})
	packs := store(t, r, "first")
	must(t, writer(t, r).PutCheckLog(t.Context(), readLog(t, r), time.Unix(100, 0), packs))
	for _, op := range []storagetest.Op{storagetest.Put, storagetest.Remove} {
		w := writer(t, r)
		must(t, w.RecordDamage(t.Context(), nil)) // so that the session is durable
		faulty.Fail(storagetest.Fault{Op: op, Forever: true})
		if err := w.PutCheckLog(t.Context(), readLog(t, r), time.Unix(200, 0), nil); err == nil {
			t.Errorf("%s failed, and nobody says so", op)
		}
		faulty.Heal()
		if got := readLog(t, r).Verified(packs[0]); got.Unix() != 100 {
			t.Errorf("cut off at a %s the log says %v", op, got)
		}
	}
}
