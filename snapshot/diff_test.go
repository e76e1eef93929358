package snapshot_test

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"path"
	"slices"
	"testing"

	"chartkeep/repo/repotest"
	"chartkeep/snapshot"
	"chartkeep/sources"
)

// altered is a source with other metadata.
type altered struct {
	sources.Source
	alter func(*sources.Entry)
}

func (a altered) Entries(ctx context.Context) iter.Seq[sources.Entry] {
	return func(yield func(sources.Entry) bool) {
		for e := range a.Source.Entries(ctx) {
			a.alter(&e)
			if !yield(e) {
				return
			}
		}
	}
}

func differences(t *testing.T, load snapshot.Loader, a, b *snapshot.Node) (words []string) {
	t.Helper()
	err := snapshot.Diff(context.Background(), load, a, b, "/", func(d snapshot.Difference) error {
		words = append(words, string(d.Kind)+d.Path)
		if (d.Old == nil) != (d.Kind == snapshot.AddedPath) || (d.New == nil) != (d.Kind == snapshot.RemovedPath) {
			t.Errorf("%c %s: a node is there or not there that ought not be so", d.Kind, d.Path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return words
}

func TestDiffNamesEveryKindOfChange(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	src := small("/srv/changed", "/srv/gone/a", "/srv/gone/b", "/srv/kept", "/srv/mode/kept", "/srv/turned", "/srv/touched", "/srv/was/folder")
	before, _ := save(t, r, src, snapshot.SaveOptions{})
	src.put("/srv/changed", []byte("anew"))
	for _, p := range []string{"/srv/gone/a", "/srv/gone/b", "/srv/was/folder"} {
		delete(src.files, p)
	}
	delete(src.files, "/srv/turned")
	src.put("/srv/turned/into", []byte("a folder"))
	src.put("/srv/was", []byte("a file now"))
	src.put("/srv/fresh/c", []byte("c"))
	src.files["/srv/touched"].mtime++
	after, _ := save(t, r, altered{src, func(e *sources.Entry) {
		if e.Path == "/srv/mode" {
			e.Meta.Mode = 0o600
		}
		if e.Meta.Kind == sources.Dir {
			e.Meta.MTime.Sec++ // as it happens to a folder in which something changes
		}
	}}, snapshot.SaveOptions{})
	want := []string{
		"M/srv/changed", "+/srv/fresh", "+/srv/fresh/c", "-/srv/gone", "-/srv/gone/a", "-/srv/gone/b",
		"U/srv/mode", "U/srv/touched", "T/srv/turned", "+/srv/turned/into", "T/srv/was", "-/srv/was/folder",
	}
	if got := differences(t, r, &before.Root, &after.Root); !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestDiffReadsNothingOfEqualTrees(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	src := letters()
	all := nights(t, r, src, func() {}, func() { src.put("/srv/C/patient2/letter2.rtf", nil) })
	load := &countingLoader{Repository: r}
	if got := differences(t, load, &all[0].Root, &all[1].Root); got != nil || load.loads > 0 {
		t.Errorf("differences %v, %d reads", got, load.loads)
	}
	if got := differences(t, load, &all[0].Root, &all[2].Root); !slices.Equal(got, []string{"M/srv/C/patient2/letter2.rtf"}) || load.loads > 12 {
		t.Errorf("differences %v, %d reads", got, load.loads)
	}
}

func TestDiffAgreesWithAComparisonOfAllFiles(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	rng := rand.New(rand.NewPCG(3, 4))
	src := newMemSource()
	put := func() {
		src.put(fmt.Sprintf("/%c/%d/f%d", 'a'+rng.IntN(3), rng.IntN(4), rng.IntN(40)), fmt.Appendf(nil, "%d", rng.IntN(5)))
	}
	for range 200 {
		put()
	}
	before, _ := save(t, r, src, snapshot.SaveOptions{})
	was := map[string]string{}
	for p, f := range src.files {
		was[p] = string(f.data)
	}
	for range 30 {
		put()
	}
	for p := range was {
		if rng.IntN(8) == 0 {
			delete(src.files, p)
		}
	}
	after, _ := save(t, r, src, snapshot.SaveOptions{})
	want := map[string]bool{}
	for p, f := range src.files {
		if old, ok := was[p]; !ok {
			want["+"+p] = true
		} else if old != string(f.data) {
			want["M"+p] = true
		}
	}
	for p := range was {
		if src.files[p] == nil {
			want["-"+p] = true
		}
	}
	for _, d := range differences(t, r, &before.Root, &after.Root) {
		if d[0] == 'U' || path.Base(d)[0] != 'f' {
			continue
		}
		if !want[d] {
			t.Errorf("%s is no difference", d)
		}
		delete(want, d)
	}
	for d := range want {
		t.Errorf("%s was not found", d)
	}
}
