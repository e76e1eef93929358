package drill

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chartkeep/repo"
	"chartkeep/snapshot"
	"chartkeep/sources"
)

// servers are the kinds that are drilled, with what the tests saved of each.
var servers = []struct {
	record  snapshot.SourceRecord
	source  func(*testing.T) sources.Moment
	table   string // one with a key
	swapped string
}{
	{snapshot.SourceRecord{Name: "practice", Kind: "postgres"}, postgresSource, "/public.patient.copy", "public.patient"},
	{snapshot.SourceRecord{Name: "shop", Kind: "mysql"}, mysqlSource, "/patient.tsv", "patient"},
}

func TestADatabaseThatComesBackIsProven(t *testing.T) {
	for _, c := range servers {
		t.Run(c.record.Kind, func(t *testing.T) {
			r := newRepository(t)
			got := mustRun(t, r, saveDatabase(t, r, c.record, c.source(t)), Options{})
			if got.Result != Proven || got.Rows < 3000 || got.Tables < 2 || got.Recovery <= 0 || got.Recovery > got.Took {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestATableThatDiffersIsNamed has two lies: rows that are others than those
// that were counted, which the restore notices, and rows in another order than
// the server gives them, which nothing but the comparison notices.
func TestATableThatDiffersIsNamed(t *testing.T) {
	other := func(all []byte) []byte { return bytes.Replace(all, []byte("c4ca4238"), []byte("c4cb4238"), 1) }
	swap := func(all []byte) []byte {
		lines := bytes.SplitAfter(all, []byte("\n"))
		lines[0], lines[1] = lines[1], lines[0]
		return bytes.Join(lines, nil)
	}
	for _, c := range servers {
		for what, change := range map[string]func([]byte) []byte{"other rows": other, "another order": swap} {
			t.Run(c.record.Kind+", "+what, func(t *testing.T) {
				r := newRepository(t)
				s := saveDatabase(t, r, c.record, liar{c.source(t), c.table, change})
				got := mustRun(t, r, s, Options{})
				named := strings.Contains(got.Reason, c.swapped)
				if got.Result != Differs || !named {
					t.Errorf("%s: %s", got.Result, got.Reason)
				}
			})
		}
	}
}

func TestWithoutProgramsNothingIsProven(t *testing.T) {
	for _, c := range servers {
		r := newRepository(t)
		s := saveDatabase(t, r, c.record, c.source(t))
		got := mustRun(t, r, s, Options{Programs: t.TempDir()})
		if got.Result != NotProven || !strings.Contains(got.Reason, "missing or too old") {
			t.Errorf("%s: %s: %s", c.record.Kind, got.Result, got.Reason)
		}
	}
}

func TestASourceThatWasNotWholeIsNotProven(t *testing.T) {
	r := newRepository(t)
	s := saveDatabase(t, r, servers[0].record, servers[0].source(t))
	s.Sources[0].Error = "connection lost"
	if got := mustRun(t, r, s, Options{}); got.Result != NotProven || !strings.Contains(got.Reason, "connection lost") {
		t.Errorf("%s: %s", got.Result, got.Reason)
	}
}

func TestAnInterruptLeavesNothing(t *testing.T) {
	interrupted := errors.New("interrupted")
	for _, c := range servers {
		r := newRepository(t)
		s := saveDatabase(t, r, c.record, c.source(t))
		for _, when := range []string{"starting", "restoring", "reading"} {
			t.Run(c.record.Kind+", "+when, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				report, err := run(t, ctx, r, s, Options{Step: func(step string) {
					if strings.Contains(step, when) {
						time.AfterFunc(30*time.Millisecond, func() { cancel(interrupted) })
					}
				}})
				if !errors.Is(err, interrupted) || report.Result() != NotProven {
					t.Errorf("%v: %+v", err, report)
				}
			})
		}
	}
}

// letters makes a folder of files in a folder that nobody may write to.
func letters(t *testing.T, number int) string {
	t.Helper()
	dir := t.TempDir()
	below := filepath.Join(dir, "S", "Smith")
	if err := os.MkdirAll(below, 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range number {
		if err := os.WriteFile(filepath.Join(below, fmt.Sprintf("%03d.txt", i)), bytes.Repeat([]byte{byte(i)}, 1000+i), 0o400); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(below, 0o555); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(below, 0o755) })
	return dir
}

func TestASampleOfFilesIsProven(t *testing.T) {
	r := newRepository(t)
	s := saveFolder(t, r, letters(t, 200))
	got := mustRun(t, r, s, Options{Sample: 20})
	if got.Result != Proven || got.Files != 20 || got.Bytes < 20_000 {
		t.Errorf("%+v", got)
	}
	if got := mustRun(t, r, s, Options{Sample: 20, SampleBytes: 5000}); got.Result != Proven || got.Files < 3 || got.Bytes > 5000 {
		t.Errorf("%+v", got)
	}
}

func TestAnotherNightTakesAnotherSample(t *testing.T) {
	r := newRepository(t)
	s := saveFolder(t, r, letters(t, 200))
	chosen := func(now time.Time) []picked {
		d := &drill{withDefaults(Options{Sample: 20, Now: now}), r, s}
		all, _, err := d.choose()
		if err != nil {
			t.Fatal(err)
		}
		sample, err := d.sample(t.Context(), all[0])
		if err != nil {
			t.Fatal(err)
		}
		return sample
	}
	tonight := time.Unix(1_800_000_000, 0)
	if !slices.Equal(chosen(tonight), chosen(tonight)) {
		t.Error("the same seed chose other files")
	}
	if slices.Equal(chosen(tonight), chosen(tonight.AddDate(0, 0, 1))) {
		t.Error("another night chose the same files")
	}
}

func TestChosenSources(t *testing.T) {
	r := newRepository(t)
	s := saveFolder(t, r, letters(t, 3))
	s.Sources = []snapshot.SourceRecord{{Name: "letters", Kind: "files", Paths: s.Paths, Files: 3}, {Name: "x-rays", Kind: "files", Paths: []string{"/gone"}}}
	report, err := run(t, t.Context(), r, s, Options{Sources: []string{"letters"}})
	if err != nil || report.Result() != Proven || report.Whole {
		t.Errorf("%v: %+v", err, report)
	}
	report, err = run(t, t.Context(), r, s, Options{})
	if err != nil || report.Result() != NotProven || !report.Whole {
		t.Errorf("%v: %+v", err, report)
	}
	if _, err = run(t, t.Context(), r, s, Options{Sources: []string{"charts"}}); !errors.Is(err, ErrNoSource) {
		t.Error(err)
	}
}

func TestDamageIsADifferenceAndLackOfPlaceIsNone(t *testing.T) {
	for _, c := range []struct {
		err  error
		want Result
	}{
		{nil, Proven},
		{fmt.Errorf("x: %w", repo.ErrDamaged), Differs},
		{&difference{[]string{"x"}}, Differs},
		{errors.New("too little space"), NotProven},
	} {
		if got := resultOf(c.err); got != c.want {
			t.Errorf("%v: %s, want %s", c.err, got, c.want)
		}
	}
	if got := (Report{}).Result(); got != NotProven {
		t.Errorf("nothing was drilled: %s", got)
	}
}
