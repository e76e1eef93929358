package snapshot_test

import (
	"slices"
	"strings"
	"testing"

	"chartkeep/repo"
	"chartkeep/repo/repotest"
	"chartkeep/repo/storage"
	"chartkeep/snapshot"
)

// hidden takes the files of a run's packs and segments out of the store and
// returns what puts them back.
func hidden(t *testing.T, s storage.Store, run func(), folders ...string) (back func()) {
	t.Helper()
	list := func() (names []string) {
		for _, f := range folders {
			for info, err := range s.List(t.Context(), f) {
				if err != nil {
					t.Fatal(err)
				}
				names = append(names, info.Name)
			}
		}
		return names
	}
	before := list()
	run()
	files := map[string][]byte{}
	for _, name := range list() {
		if slices.Contains(before, name) {
			continue
		}
		b, err := storage.ReadAll(t.Context(), s, name, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Remove(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		files[name] = b
	}
	return func() {
		for name, b := range files {
			if err := s.Put(t.Context(), name, b); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestAPackThatNoSegmentNamesIsAFaultOnlyWhenItIsNeeded while a run beside the
// check stores again what one that was cut off had stored.
func TestAPackThatNoSegmentNamesIsAFaultOnlyWhenItIsNeeded(t *testing.T) {
	r := repotest.New(t, repotest.Options{Damaged: true})
	src := newMemSource()
	src.put("/letters/a.txt", noise(1, 100_000))
	save(t, r, newMemSource(), snapshot.SaveOptions{})

	hidden(t, r.Store(), func() { save(t, r, src, snapshot.SaveOptions{}) }, "index", "snapshots") // the run that was cut off
	var s *snapshot.Snapshot
	name := hidden(t, r.Store(), func() {
		s, _ = save(t, repotest.Reopen(t, r, repo.Options{}), src, snapshot.SaveOptions{})
	}, "index", "packs")

	check := repotest.Reopen(t, r, repo.Options{})
	repotest.CheckClean(t, check)
	if len(check.Unnamed()) == 0 {
		t.Fatal("the check has not looked for packs that no segment names")
	}
	faults := func() (words []string) {
		if err := snapshot.Mark(t.Context(), check, new(snapshot.Marks), []*snapshot.Node{&s.Root}, func(f snapshot.Fault) { words = append(words, f.Err.Error()) }); err != nil {
			t.Fatal(err)
		}
		return words
	}
	if got := faults(); len(got) == 0 || !strings.Contains(got[0], "no index segment names it") {
		t.Errorf("of content that only the run that was cut off has: %q", got)
	}
	name()
	if got := faults(); len(got) > 0 {
		t.Errorf("after the other run has named its packs: %q", got)
	}
}
