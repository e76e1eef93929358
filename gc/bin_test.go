package gc_test

import (
	"errors"
	"testing"
	"time"

	"chartkeep/gc"
	"chartkeep/repo"
	"chartkeep/repo/crypt"
	"chartkeep/repo/repotest"
	"chartkeep/repo/storage/mem"
	"chartkeep/repo/storage/storagetest"
	"chartkeep/snapshot"
)

var sunday = time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)

// discard moves a snapshot into the bin for some days, or until the next prune.
func discard(t *testing.T, r *repo.Repository, s *snapshot.Snapshot, days int) {
	t.Helper()
	d := repo.Discard{Now: sunday}
	if days > 0 {
		d.Until = sunday.AddDate(0, 0, days)
	}
	if err := r.Discard(t.Context(), []repo.DocumentID{s.ID}, d, func(repo.DocumentID, bool) {}); err != nil {
		t.Fatal(err)
	}
}

func takeBack(t *testing.T, r *repo.Repository, s *snapshot.Snapshot, n evening) {
	t.Helper()
	if err := r.TakeBack(t.Context(), s.ID); err != nil {
		t.Fatal(err)
	}
	again := repotest.Reopen(t, r, repo.Options{})
	back, err := snapshot.Load(t.Context(), again, s.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantAll(t, again, back, n)
}

func TestPruneKeepsWhatCanStillBeTakenBack(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	monday, tuesday, wednesday := evening{"/x/a": noise(1, 3*mib), "/x/b": noise(2, mib)}, evening{"/x/b": noise(2, mib), "/c": noise(3, 3*mib)}, evening{"/d": noise(4, mib)}
	first, second, third := backup(t, r, monday), backup(t, r, tuesday), backup(t, r, wednesday)
	discard(t, r, first, 7)
	discard(t, r, second, 3)

	p := prune(t, r, gc.PruneOptions{Now: sunday.AddDate(0, 0, 2)})
	if p.Binned != 2 || p.Over != 0 || p.Freed > mib {
		t.Errorf("on the second day %d are kept, %d not, and %d bytes are freed", p.Binned, p.Over, p.Freed)
	}
	p = prune(t, r, gc.PruneOptions{Now: sunday.AddDate(0, 0, 3)})
	if p.Binned != 1 || p.Over != 1 || p.Freed < 3*mib {
		t.Errorf("on the third day %d are kept, %d not, and %d bytes are freed", p.Binned, p.Over, p.Freed)
	}
	if err := r.TakeBack(t.Context(), second.ID); err == nil {
		t.Error("it can be taken back after its time")
	}
	takeBack(t, r, first, monday)
	wantEvening(t, r, third, wednesday)
	discard(t, r, first, 0)
	prune(t, r, gc.PruneOptions{Now: sunday.AddDate(0, 0, -1)})
	if n := files(t, r, "bin"); n != 0 {
		t.Errorf("%d entries are in the bin after the next prune", n)
	}
	wantUnused(t, r, 0.05)
	if n := files(t, r, "sessions"); n > 2 {
		t.Errorf("%d sessions are left for one snapshot", n)
	}
}

// A dry run counts what is over as gone, and leaves it.
func TestAPlanLeavesTheBin(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	n := evening{"/a": noise(1, 3*mib)}
	s := backup(t, r, n)
	backup(t, r, evening{"/b": noise(2, 100)})
	discard(t, r, s, 0)
	if p := plan(t, r, gc.PruneOptions{}); p.Freed < 3*mib {
		t.Errorf("%d bytes are freed, want 3 MiB", p.Freed)
	}
	takeBack(t, r, s, n)
}

// Between the plan and the deleting, people change their minds.
func TestPruneSeesWhatTheBinGetsAndGivesMeanwhile(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	back, late := evening{"/a": noise(1, 3*mib)}, evening{"/b": noise(2, 3*mib)}
	over, gone := backup(t, r, back), backup(t, r, evening{"/b": noise(2, 3*mib)})
	stays := backup(t, r, evening{"/c": noise(3, 100)})
	discard(t, r, over, 0)
	discard(t, r, gone, 0)
	p := plan(t, r, gc.PruneOptions{})

	other := repotest.Reopen(t, r, repo.Options{})
	takeBack(t, other, over, back)
	made := backup(t, other, late) // builds on what is to go
	discard(t, other, made, 0)
	if err := p.Run(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	wantEvening(t, r, over, back)
	takeBack(t, r, made, late)
	wantEvening(t, r, stays, evening{"/c": noise(3, 100)})
}

func TestPruneDeletesNothingWhileTheBinCannotBeRead(t *testing.T) {
	r := repotest.New(t, repotest.Options{Damaged: true})
	s := backup(t, r, evening{"/a": noise(1, mib)})
	discard(t, r, s, 7)
	ids, err := r.ListDocuments(t.Context(), repo.Bin)
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"bin/", "copies/bin/"} {
		spoil(t, r, folder+string(ids[0]), 40)
	}
	_, err = gc.PlanPrune(t.Context(), r, gc.PruneOptions{})
	wantError(t, err, gc.ErrUnsureBin)
}

// Whatever call of the store is the last one of a prune that dies, what can be
// taken back can, and no session of it is gone.
func TestWhatIsInTheBinOutlivesAPruneThatIsKilled(t *testing.T) {
	model := mem.New()
	r := repotest.New(t, repotest.Options{Store: model})
	binned := evening{"/x/b": noise(2, 130<<10), "/x/c": noise(3, 600)}
	over := backup(t, r, evening{"/x/a": noise(1, 130<<10), "/x/b": noise(2, 130<<10)})
	kept := backup(t, r, binned)
	stays := evening{"/d": noise(4, 90<<10), "/x/c": noise(3, 600)}
	s := backup(t, r, stays)
	discard(t, r, over, 0)
	discard(t, r, kept, 7)
	code := crypt.NewRecoveryCode()
	if _, err := r.AddRecovery(t.Context(), code, ""); err != nil {
		t.Fatal(err)
	}
	key := []byte(code.String())
	for _, last := range []storagetest.Op{storagetest.Put, storagetest.Remove} {
		for skip := 0; ; skip++ {
			st := clone(t, model)
			faulty := storagetest.NewFaulty(st)
			faulty.Fail(storagetest.Fault{Op: last, Skip: skip, Forever: true})
			died := tryPruneOn(t, faulty, key, sunday)
			if died != nil && !errors.Is(died, storagetest.ErrInjected) {
				t.Fatalf("killed at %s %d: %v", last, skip, died)
			}
			after := reopen(t, st, key)
			wantHalvesOnly(t, after)
			prune(t, after, gc.PruneOptions{Now: sunday})
			if err := after.TakeBack(t.Context(), kept.ID); err != nil {
				t.Fatalf("killed at %s %d: %v", last, skip, err)
			}
			wantAll(t, reopen(t, st, key), kept, binned)
			wantPruned(t, reopen(t, st, key), s, stays)
			if t.Failed() {
				t.Fatalf("killed at %s %d", last, skip)
			}
			if died == nil {
				break
			}
		}
	}
}
