package repo_test

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"chartkeep/repo"
	"chartkeep/repo/crypt"
	"chartkeep/repo/repotest"
)

var night = time.Date(2026, 3, 14, 19, 30, 0, 0, time.UTC)

// logged writes a record of each of these plans, one run each.
func logged(t *testing.T, r *repo.Repository, plans ...string) {
	t.Helper()
	for i, plan := range plans {
		rec := repo.Record{Time: night.AddDate(0, 0, i), Host: "server", Plan: plan, Kind: repo.RecordRun, Result: repo.ResultDone}
		must(t, writer(t, r).Log(t.Context(), rec))
	}
}

func records(t *testing.T, r *repo.Repository, newest int) []repo.Record {
	t.Helper()
	all, broken, err := r.Records(t.Context(), newest)
	if err != nil || len(broken) > 0 {
		t.Fatalf("records: %v %v", err, broken)
	}
	return all
}

func plansOf(all []repo.Record) string {
	var plans []string
	for _, rec := range all {
		plans = append(plans, rec.Plan)
	}
	return strings.Join(plans, " ")
}

// gaps says what is missing, as "missing<after" by plans where they are known.
func gaps(t *testing.T, r *repo.Repository) (list []repo.LogGap) {
	t.Helper()
	list, broken, err := r.VerifyLog(t.Context())
	if err != nil || len(broken) > 0 {
		t.Fatalf("verify the log: %v %v", err, broken)
	}
	return list
}

func TestRecordsAreChained(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	logged(t, r, "one", "two", "three")
	again := repotest.Reopen(t, r, repo.Options{})
	all := records(t, again, 0)
	if got := plansOf(all); got != "one two three" {
		t.Fatalf("records of %s", got)
	}
	for i, rec := range all {
		if rec.Sequence != uint64(i+1) {
			t.Errorf("record %d has number %d", i+1, rec.Sequence)
		}
		if i > 0 && (len(rec.Previous) != 1 || rec.Previous[0] != all[i-1].ID) {
			t.Errorf("record %d follows %v, want %v", i+1, rec.Previous, all[i-1].ID)
		}
	}
	if got := plansOf(records(t, again, 2)); got != "two three" {
		t.Errorf("the newest two are %s", got)
	}
	if list := gaps(t, again); len(list) > 0 {
		t.Errorf("gaps in a whole log: %v", list)
	}
}

// Runs at the same time are no fault, and the next record joins them.
func TestRunsAtTheSameTimeForkTheLog(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	logged(t, r, "first")
	var both sync.WaitGroup
	for i := range 4 {
		other := repotest.Reopen(t, r, repo.Options{})
		both.Go(func() { logged(t, other, fmt.Sprint("fork", i)) })
	}
	both.Wait()
	logged(t, r, "join")
	if list := gaps(t, r); len(list) > 0 {
		t.Errorf("gaps: %v", list)
	}
	all := records(t, r, 0)
	named := map[repo.DocumentID]bool{}
	for _, rec := range all {
		for _, id := range rec.Previous {
			named[id] = true
		}
	}
	if last := all[len(all)-1]; len(all) != 6 || last.Plan != "join" || len(named) != 5 {
		t.Errorf("%d records, the last is %s, %d are followed", len(all), last.Plan, len(named))
	}
}

func TestARemovedRecordIsMissed(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	logged(t, r, "one", "two", "three")
	all := records(t, r, 0)
	must(t, r.RemoveDocument(t.Context(), repo.Log, all[1].ID))
	list := gaps(t, r)
	if len(list) != 1 || list[0].Missing != all[1].ID || list[0].After != all[2].ID {
		t.Fatalf("gaps %v, want %s before %s", list, all[1].ID.Short(), all[2].ID.Short())
	}
	if text := list[0].Error(); !strings.Contains(text, all[1].ID.Short()) || !strings.Contains(text, "2026-03-16 19:30 (server)") {
		t.Errorf("it says %q", text)
	}
}

// Nothing follows the newest record; the computers that have seen it know it, and
// tell all others with their next record.
func TestARemovedNewestRecordIsMissed(t *testing.T) {
	cache := t.TempDir()
	r := repotest.New(t, repotest.Options{Open: repo.Options{CacheDir: cache}})
	logged(t, r, "one", "two")
	all := records(t, r, 0)
	must(t, r.RemoveDocument(t.Context(), repo.Log, all[1].ID))
	stranger := repotest.Reopen(t, r, repo.Options{})
	if list := gaps(t, stranger); len(list) != 0 {
		t.Errorf("a computer that has not seen it finds %v", list)
	}
	if list := gaps(t, r); len(list) != 1 || list[0].Missing != all[1].ID || list[0].After != "" {
		t.Errorf("a computer that has seen it finds %v", list)
	}
	if got := plansOf(records(t, r, 0)); got != "one" {
		t.Errorf("a record that is gone is shown: %s", got)
	}
	logged(t, r, "three")
	if last := records(t, r, 1)[0]; len(last.Previous) != 2 {
		t.Errorf("the next record follows %v, want the one that is gone and the last that is there", last.Previous)
	}
	for _, who := range []*repo.Repository{r, stranger} {
		if list := gaps(t, who); len(list) != 1 || list[0].Missing != all[1].ID || list[0].After == "" {
			t.Errorf("after the next record: %v", list)
		}
	}
}

func TestARecordThatIsDamagedHidesNoOther(t *testing.T) {
	r := repotest.New(t, repotest.Options{Damaged: true})
	logged(t, r, "one", "two", "three")
	bad := records(t, r, 0)[1].ID
	for _, folder := range []string{"", "copies"} {
		name := path.Join(folder, "log", string(bad))
		must(t, r.Store().Remove(t.Context(), name))
		must(t, r.Store().Put(t.Context(), name, []byte("rotten")))
	}
	all, broken, err := r.Records(t.Context(), 0)
	if err != nil || len(broken) != 1 || plansOf(all) != "one three" || !strings.Contains(broken[0].Error(), bad.Short()) {
		t.Errorf("%s; %v; %v", plansOf(all), broken, err)
	}
	logged(t, r, "four")
	if list, _, err := r.VerifyLog(t.Context()); err != nil || len(list) > 0 {
		t.Errorf("gaps %v, %v", list, err)
	}
	must(t, r.RemovePacks(t.Context(), nil)) // does not stop at it
}

// With the local copy, only what is new is read from the repository.
func TestTheLocalCopyOfTheLogSavesReading(t *testing.T) {
	cache := t.TempDir()
	r := repotest.New(t, repotest.Options{Open: repo.Options{CacheDir: cache}, Damaged: true})
	logged(t, r, "one", "two", "three")
	sealed, err := os.ReadFile(filepath.Join(cache, r.Config().ID.String()+".log"))
	must(t, err)
	if strings.Contains(string(sealed), "server") {
		t.Error("the local copy is not sealed")
	}
	for _, rec := range records(t, r, 0) { // unreadable from now on
		for _, folder := range []string{"", "copies"} {
			name := path.Join(folder, "log", string(rec.ID))
			must(t, r.Store().Remove(t.Context(), name))
			must(t, r.Store().Put(t.Context(), name, []byte("x")))
		}
	}
	logged(t, r, "four")
	if got := plansOf(records(t, r, 0)); got != "one two three four" {
		t.Errorf("records of %s", got)
	}
	if _, broken, err := r.VerifyLog(t.Context()); err != nil || len(broken) != 3 {
		t.Errorf("the local copy is taken for the log: %v, %v", broken, err)
	}
	must(t, os.WriteFile(filepath.Join(cache, r.Config().ID.String()+".log"), []byte("rotten"), 0o600))
	if all, broken, err := r.Records(t.Context(), 0); err != nil || plansOf(all) != "four" || len(broken) != 3 {
		t.Errorf("with a damaged local copy: %s, %v, %v", plansOf(all), broken, err)
	}
}

// A key that may not read continues the chain of this computer's own records.
func TestAWriterContinuesItsOwnChain(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	_, err := r.AddPassword(t.Context(), []byte("writes only"), crypt.Writer, "nightly")
	must(t, err)
	logged(t, r, "owner")
	asWriter := func(cache string) *repo.Repository {
		w, err := repo.Open(t.Context(), r.Store(), []byte("writes only"), repo.Options{CacheDir: cache})
		must(t, err)
		t.Cleanup(func() { w.Close() })
		return w
	}
	cache := t.TempDir()
	logged(t, asWriter(cache), "first")
	logged(t, asWriter(cache), "second")
	logged(t, asWriter(t.TempDir()), "elsewhere")
	all := records(t, r, 0)
	if got := plansOf(all); got != "owner first second elsewhere" {
		t.Fatalf("records of %s", got)
	}
	if before := all[2].Previous; len(before) != 1 || before[0] != all[1].ID {
		t.Errorf("the second follows %v", before)
	}
	list := gaps(t, r)
	if len(list) != 2 || list[0].After != all[1].ID || list[1].After != all[3].ID || list[0].Missing != "" {
		t.Errorf("chains that begin anew: %v", list)
	}
	logged(t, r, "join")
	if last := records(t, r, 1)[0]; len(last.Previous) != 3 || last.Sequence != 5 {
		t.Errorf("the last is number %d and follows %v", last.Sequence, last.Previous)
	}
}

func TestADryRunRecordsNothing(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	w, err := r.NewWriter(t.Context(), repo.WriterOptions{DryRun: true})
	must(t, err)
	defer w.Abort()
	must(t, w.Log(t.Context(), repo.Record{Time: night}))
	if n := documents(t, r, repo.Log); n != 0 {
		t.Errorf("%d records", n)
	}
}

// A prune keeps the keys of the records.
func TestRecordsSurviveAPrune(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	logged(t, r, "one", "two")
	must(t, r.RemovePacks(t.Context(), nil))
	if got := plansOf(records(t, repotest.Reopen(t, r, repo.Options{}), 0)); got != "one two" {
		t.Errorf("records of %s", got)
	}
}
