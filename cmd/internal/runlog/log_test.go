package runlog_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"chartkeep/cmd/internal/runlog"
	"chartkeep/repo"
)

var night = time.Date(2026, 3, 14, 19, 30, 0, 0, time.FixedZone("CDT", -5*3600))

func appended(t *testing.T, dir string, plans ...string) {
	t.Helper()
	for _, p := range plans {
		must(t, runlog.Append(t.Context(), dir, repo.Record{Time: night, Plan: p, Kind: repo.RecordRun, Result: repo.ResultDone}))
	}
}

func newest(t *testing.T, dir string, n int) string {
	t.Helper()
	records, err := runlog.Newest(dir, n, nil)
	must(t, err)
	var plans []string
	for _, rec := range records {
		plans = append(plans, rec.Plan)
	}
	return strings.Join(plans, " ")
}

func TestTheNewestLinesAreReadBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	if got := newest(t, dir, 3); got != "" {
		t.Errorf("a log that is not there holds %s", got)
	}
	appended(t, dir, "a", "b", "c", "d")
	for n, want := range map[int]string{0: "a b c d", 1: "d", 3: "b c d", 9: "a b c d"} {
		if got := newest(t, dir, n); got != want {
			t.Errorf("the newest %d are %s, want %s", n, got, want)
		}
	}
	some, err := runlog.Newest(dir, 1, func(rec *repo.Record) bool { return rec.Plan < "c" })
	if err != nil || len(some) != 1 || some[0].Plan != "b" {
		t.Errorf("the last before c is %v, %v", some, err)
	}
	info, err := os.Stat(filepath.Join(dir, "runs.jsonl"))
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the log is open to others: %v", info.Mode())
	}
}

func TestALineIsTheWholeRecord(t *testing.T) {
	id := repo.DocumentID(strings.Repeat("a", 64))
	want := repo.Record{
		ID: id, Sequence: 3, Previous: []repo.DocumentID{id}, Time: night, Duration: 90 * time.Second, Host: "h", User: "u", Version: "v", Plan: "p",
		Kind: repo.RecordRun, Result: repo.ResultIncomplete, Destination: "red",
		Steps:     []repo.Step{{Name: "backup", Result: repo.ResultDone, Start: night, Duration: time.Minute, Bytes: 5, Words: "two\nlines"}},
		Snapshots: []repo.DocumentID{id}, Added: 1, AddedPacked: 2, Stored: 3, Free: 4, Total: 5, Errors: []string{"x"},
	}
	dir := t.TempDir()
	must(t, runlog.Append(t.Context(), dir, want))
	got, err := runlog.Newest(dir, 1, nil)
	must(t, err)
	if len(got) != 1 {
		t.Fatalf("%d records", len(got))
	}
	if !got[0].Time.Equal(want.Time) || !got[0].Steps[0].Start.Equal(night) {
		t.Errorf("times %v and %v", got[0].Time, got[0].Steps[0].Start)
	}
	got[0].Time, got[0].Steps[0].Start = want.Time, night
	if !reflect.DeepEqual(got[0], want) {
		t.Errorf("%+v, want %+v", got[0], want)
	}
}

// A crash in the middle of a line costs that line.
func TestATornLineCostsNoOther(t *testing.T) {
	dir := t.TempDir()
	appended(t, dir, "a", "b")
	name := filepath.Join(dir, "runs.jsonl")
	b, err := os.ReadFile(name)
	must(t, err)
	must(t, os.WriteFile(name, b[:len(b)-20], 0o600))
	if got := newest(t, dir, 0); got != "a" {
		t.Errorf("left are %s", got)
	}
	appended(t, dir, "c")
	must(t, os.WriteFile(name, append([]byte("\x00\x00rubbish\n{}\n"), must2(os.ReadFile(name))...), 0o600))
	if got := newest(t, dir, 0); got != "a c" {
		t.Errorf("left are %s", got)
	}
}

func must2(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func TestTheLogIsRotated(t *testing.T) {
	dir := t.TempDir()
	long := strings.Repeat("x", 900<<10)
	for i := range 9 {
		must(t, runlog.Append(t.Context(), dir, repo.Record{Time: night, Plan: fmt.Sprint(i), Errors: []string{long}}))
	}
	files, err := filepath.Glob(filepath.Join(dir, "runs*.jsonl"))
	must(t, err)
	if len(files) != 3 {
		t.Errorf("%d files, want three of four lines and less", len(files))
	}
	if got := newest(t, dir, 7); got != "2 3 4 5 6 7 8" {
		t.Errorf("the newest over all files are %s", got)
	}
}

// Several programs may write at once.
func TestLinesDoNotMix(t *testing.T) {
	dir := t.TempDir()
	var g errgroup.Group
	for i := range 20 {
		g.Go(func() error {
			return runlog.Append(t.Context(), dir, repo.Record{Time: night, Plan: fmt.Sprint(i), Errors: []string{strings.Repeat("y", 100_000)}})
		})
	}
	must(t, g.Wait())
	if got := strings.Fields(newest(t, dir, 0)); len(got) != 20 {
		t.Errorf("%d lines are whole, want 20", len(got))
	}
}
