package snapshot_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"chartkeep/chunk"
	"chartkeep/repo"
	"chartkeep/repo/repotest"
	"chartkeep/snapshot"
)

func TestPatternsChoose(t *testing.T) {
	for _, c := range []struct {
		pattern, path string
		fold, want    bool
	}{
		{"x.jpg", "/srv/S/x.jpg", false, true},
		{"x.jpg", "/srv/S/xx.jpg", false, false},
		{"*.jpg", "/srv/S/x.jpg", false, true},
		{"*.JPG", "/srv/S/x.jpg", false, false},
		{"*.JPG", "/srv/S/x.jpg", true, true},
		{"?.jpg", "/srv/S/x.jpg", false, true},
		{"?.jpg", "/srv/S/xy.jpg", false, false},
		{"S", "/srv/S", false, true},
		{"S", "/srv/S/x.jpg", false, false},
		{"S/*.jpg", "/srv/S/x.jpg", false, true},
		{"S/*.jpg", "/srv/S/T/x.jpg", false, false},
		{"S/**/*.jpg", "/srv/S/T/U/x.jpg", false, true},
		{"S/**/*.jpg", "/srv/S/x.jpg", false, true},
		{"/srv/*/x.jpg", "/srv/S/x.jpg", false, true},
		{"/*/x.jpg", "/srv/S/x.jpg", false, false},
		{"/srv/**", "/srv/S/x.jpg", false, true},
		{"[xy].jpg", "/srv/S/y.jpg", false, true},
		{"a{b}.jpg", "/srv/a{b}.jpg", false, true},
		{"a{b,c}.jpg", "/srv/ab.jpg", false, false},
		{"/srv/S/", "/srv/S", false, true},
	} {
		ps, err := snapshot.NewPatterns([]string{"no such name", c.pattern}, c.fold)
		if err != nil {
			t.Fatal(err)
		}
		if got := ps.Match(c.path); got != c.want {
			t.Errorf("%q chooses %s: %v", c.pattern, c.path, got)
		}
		dir := c.path[:strings.LastIndexByte(c.path, '/')]
		if c.want && !ps.Below(max(dir, "/")) {
			t.Errorf("%q chooses %s, but nothing below %s", c.pattern, c.path, dir)
		}
	}
	for _, p := range []string{"", "[a"} {
		if _, err := snapshot.NewPatterns([]string{p}, false); err == nil {
			t.Errorf("pattern %q is accepted", p)
		}
	}
}

// letters is a practice of small files.
func letters() *memSource {
	src := newMemSource()
	for i := range 300 {
		src.put(fmt.Sprintf("/srv/%c/patient%d/letter%d.rtf", 'A'+i%26, i%40, i), fmt.Appendf(nil, "Dear patient %d", i))
	}
	return src
}

// nights saves a source again and again, changed between, and returns the
// snapshots.
func nights(t *testing.T, r *repo.Repository, src *memSource, changes ...func()) (all []*snapshot.Snapshot) {
	t.Helper()
	var o snapshot.SaveOptions
	for i, change := range append([]func(){func() {}}, changes...) {
		change()
		s, _ := save(t, r, src, o)
		s.Time = time.Date(2026, 1, 5+i, 19, 30, 0, 0, time.UTC)
		o.Parent = &s.Root
		all = append(all, s)
	}
	return all
}

// found writes versions as path@nights, where the first night is 0.
func found(all []*snapshot.Snapshot, versions []*snapshot.Version) (words []string) {
	for _, v := range versions {
		var held []string
		for _, s := range v.Snapshots {
			held = append(held, fmt.Sprint(slices.Index(all, s)))
		}
		words = append(words, v.Path+"@"+strings.Join(held, ","))
	}
	return words
}

func find(t *testing.T, load snapshot.Loader, all []*snapshot.Snapshot, patterns ...string) []string {
	t.Helper()
	ps, err := snapshot.NewPatterns(patterns, false)
	if err != nil {
		t.Fatal(err)
	}
	f := snapshot.NewFinder(load, ps, func(path string, err error) { t.Logf("%s: %v", path, err) })
	for _, s := range all {
		if err := f.Add(context.Background(), s); err != nil {
			t.Fatal(err)
		}
	}
	return found(all, f.Versions())
}

func TestFindListsEachVersionOnceWithItsSnapshots(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	src := small("/srv/S/x.jpg", "/srv/S/y.jpg", "/srv/R/x.jpg")
	first := slices.Clone(src.files["/srv/S/x.jpg"].data)
	all := nights(t, r, src,
		func() { src.put("/srv/S/x.jpg", []byte("another")) },
		func() { delete(src.files, "/srv/R/x.jpg") },
		func() { src.put("/srv/S/x.jpg", first) },
		func() { src.files["/srv/S/y.jpg"].mtime++ },
	)
	got := find(t, r, all, "x.jpg")
	want := []string{"/srv/R/x.jpg@0,1", "/srv/S/x.jpg@0,3,4", "/srv/S/x.jpg@1,2"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if got := find(t, r, all, "y.jpg"); !slices.Equal(got, []string{"/srv/S/y.jpg@0,1,2,3,4"}) {
		t.Errorf("touched, not changed: %v", got)
	}
	if got := find(t, r, all, "S"); !slices.Equal(got, []string{"/srv/S@0,1,2,3,4"}) {
		t.Errorf("a folder: %v", got)
	}
	if got := find(t, r, all, "/srv/R/**"); !slices.Equal(got, []string{"/srv/R@0,1", "/srv/R/x.jpg@0,1"}) {
		t.Errorf("below a folder: %v", got)
	}
}

func TestFindReadsWhatSnapshotsShareOnce(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	src := letters()
	all := nights(t, r, src,
		func() {},
		func() { src.put("/srv/B/patient1/letter1.rtf", []byte("changed")) },
	)
	load := &countingLoader{Repository: r}
	find(t, load, all[:1], "*.rtf")
	first := load.loads
	load.loads = 0
	find(t, load, all, "*.rtf")
	// The second night costs nothing, and the third the folders from the root to
	// the letter.
	if more := load.loads - first; more < 1 || more > 8 {
		t.Errorf("%d reads for the first night, %d more for two like it", first, more)
	}
	load.loads = 0
	find(t, load, all[:1], "/srv/B/patient1/*.rtf")
	if load.loads > 6 {
		t.Errorf("%d reads where the pattern names the folder", load.loads)
	}
}

func TestFindGoesOnAfterAFolderThatCannotBeRead(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	all := nights(t, r, small("/srv/R/x", "/srv/S/x"))
	load := &countingLoader{Repository: r, refuse: map[chunk.ID]bool{lookup(t, r, all[0], "/srv/R").Tree.Refs[0].ID: true}}
	if got := find(t, load, all, "x"); !slices.Equal(got, []string{"/srv/S/x@0"}) {
		t.Errorf("got %v", got)
	}
}

func TestHistoryFollowsOnePath(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	src := small("/srv/S/x.jpg", "/srv/S/y.jpg")
	all := nights(t, r, src,
		func() { src.put("/srv/S/x.jpg", []byte("another")) },
		func() { delete(src.files, "/srv/S/x.jpg") },
	)
	for path, want := range map[string][]string{
		"/srv/S/x.jpg": {"/srv/S/x.jpg@0", "/srv/S/x.jpg@1"},
		"/srv/S":       {"/srv/S@0", "/srv/S@1", "/srv/S@2"},
		"/srv/S/z":     nil,
		"/srv/S/y.jpg": {"/srv/S/y.jpg@0,1,2"},
	} {
		versions, err := snapshot.History(context.Background(), r, all, path, func(_ *snapshot.Snapshot, err error) { t.Error(err) })
		if err != nil {
			t.Fatal(err)
		}
		if got := found(all, versions); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
}
