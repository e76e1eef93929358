package runlog_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chartkeep/cmd/internal/runlog"
	"chartkeep/repo"
)

func load(t *testing.T, dir, plan, destination string) runlog.State {
	t.Helper()
	s, err := runlog.LoadState(t.Context(), dir, plan, destination)
	must(t, err)
	return s
}

// What is known while the drive is away is what the runs have noted.
func TestStateFollowsTheRuns(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	snapshot := repo.DocumentID(strings.Repeat("a", 64))
	day := func(n int) time.Time { return night.AddDate(0, 0, n) }
	noted := func(n int, result repo.Result, snapshots ...repo.DocumentID) runlog.State {
		s := load(t, dir, "nightly", "red")
		s.Note(repo.Record{Time: day(n), Duration: time.Hour, Kind: repo.RecordRun, Result: result, Snapshots: snapshots, Steps: []repo.Step{
			{Name: "verify", Result: result, Start: day(n), Duration: time.Hour, Bytes: 1},
		}})
		must(t, s.Save(t.Context(), dir))
		return load(t, dir, "nightly", "red")
	}
	at := func(what string, got, want time.Time) {
		t.Helper()
		if !got.Equal(want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	if s := load(t, dir, "nightly", "red"); s != (runlog.State{Plan: "nightly", Destination: "red"}) {
		t.Errorf("at first: %+v", s)
	}
	s := noted(0, repo.ResultDone, snapshot)
	at("saved", s.Saved, day(0))
	at("proven", s.Proven, day(0).Add(time.Hour))
	s = noted(1, repo.ResultIncomplete, snapshot)
	at("saved", s.Saved, day(1))
	at("complete", s.Complete, day(0))
	noted(2, repo.ResultAbsent)
	s = noted(3, repo.ResultAbsent)
	at("tried", s.Tried, day(3).Add(time.Hour))
	at("absent since", s.AbsentSince, day(2))
	at("seen", s.Seen, day(1).Add(time.Hour))
	noted(4, repo.ResultFailed)
	s = noted(5, repo.ResultInterrupted)
	at("absent since", s.AbsentSince, time.Time{})
	at("saved", s.Saved, day(1))
	if s.Failures != 2 || s.Result != repo.ResultInterrupted {
		t.Errorf("%d failures, the last %s", s.Failures, s.Result)
	}
	if again := noted(6, repo.ResultSkipped); again != s {
		t.Errorf("a skipped run changed %+v to %+v", s, again)
	}
	if s = noted(7, repo.ResultDone, snapshot); s.Failures != 0 || s.Snapshot != snapshot {
		t.Errorf("%d failures after a good run, snapshot %s", s.Failures, s.Snapshot)
	}
}

func TestStatesOfAllPlans(t *testing.T) {
	dir := t.TempDir()
	names := []string{"nightly", "weekly", "../../evil", "A plan: \"é\"", ""}
	for _, plan := range names {
		for _, destination := range []string{"red", "/mnt/blue"} {
			must(t, runlog.State{Plan: plan, Destination: destination, Failures: 3}.Save(t.Context(), dir))
			if s := load(t, dir, plan, destination); s.Failures != 3 {
				t.Errorf("%q at %q: %+v", plan, destination, s)
			}
		}
	}
	all, broken, err := runlog.States(t.Context(), dir)
	if err != nil || len(broken) > 0 || len(all) != 2*len(names) {
		t.Errorf("%d states, %v, %v", len(all), broken, err)
	}
	name := filepath.Join(dir, "state", "nightly.red.json")
	must(t, os.WriteFile(name, []byte(`{"pl`), 0o600))
	if _, err := runlog.LoadState(t.Context(), dir, "nightly", "red"); err == nil {
		t.Error("a broken state is read")
	}
	all, broken, err = runlog.States(t.Context(), dir)
	if err != nil || len(broken) != 1 || len(all) != 2*len(names)-1 {
		t.Errorf("%d states, %v, %v", len(all), broken, err)
	}
	must(t, runlog.State{Plan: "nightly", Destination: "red"}.Save(t.Context(), dir)) // takes its place
	load(t, dir, "nightly", "red")
	if all, broken, err := runlog.States(t.Context(), filepath.Join(dir, "none")); err != nil || len(all)+len(broken) > 0 {
		t.Errorf("of a folder that is not there: %v, %v, %v", all, broken, err)
	}
}
