package snapshot_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"chartkeep/chunk"
	"chartkeep/repo"
	"chartkeep/repo/repotest"
	"chartkeep/snapshot"
)

// countingLoader counts what is read, and refuses some of it.
type countingLoader struct {
	*repo.Repository
	loads  int
	refuse map[chunk.ID]bool
}

var errRefused = errors.New("refused")

func (l *countingLoader) Load(ctx context.Context, id chunk.ID) ([]byte, error) {
	l.loads++
	if l.refuse[id] {
		return nil, errRefused
	}
	return l.Repository.Load(ctx, id)
}

func small(paths ...string) *memSource {
	src := newMemSource()
	for _, p := range paths {
		src.put(p, []byte("content of "+p))
	}
	return src
}

func lookup(t *testing.T, r snapshot.Loader, s *snapshot.Snapshot, path string) *snapshot.Node {
	t.Helper()
	n, err := snapshot.Lookup(context.Background(), r, &s.Root, path)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func walked(t *testing.T, load snapshot.Loader, root *snapshot.Node, base string, decide func(path string, err error) error) (paths []string) {
	t.Helper()
	err := snapshot.Walk(context.Background(), load, root, base, func(path string, _ *snapshot.Node, err error) error {
		if err == nil {
			paths = append(paths, path)
		}
		return decide(path, err)
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func TestWalkVisitsFoldersBeforeTheirContentAndInOrder(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	s, _ := save(t, r, small("/srv/a/x", "/srv/a/y", "/srv/b", "/srv-c"), snapshot.SaveOptions{})
	all := func(string, error) error { return nil }
	want := []string{"/", "/srv", "/srv/a", "/srv/a/x", "/srv/a/y", "/srv/b", "/srv-c"}
	if got := walked(t, r, &s.Root, "/", all); !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	want = []string{"/else", "/else/x", "/else/y"}
	if got := walked(t, r, lookup(t, r, s, "/srv/a"), "/else", all); !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestWalkLeavesOutWhatItIsToldTo(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	s, _ := save(t, r, small("/srv/a/x", "/srv/a/y", "/srv/b", "/usr/z"), snapshot.SaveOptions{})
	for _, c := range []struct {
		at   string
		say  error
		want []string
	}{
		{"/srv/a", snapshot.SkipFolder, []string{"/", "/srv", "/srv/a", "/srv/b", "/usr", "/usr/z"}},
		{"/srv/a/x", snapshot.SkipFolder, []string{"/", "/srv", "/srv/a", "/srv/a/x", "/srv/b", "/usr", "/usr/z"}},
		{"/srv/a/y", snapshot.SkipRest, []string{"/", "/srv", "/srv/a", "/srv/a/x", "/srv/a/y"}},
		{"/", snapshot.SkipFolder, []string{"/"}},
	} {
		got := walked(t, r, &s.Root, "/", func(path string, _ error) error {
			if path == c.at {
				return c.say
			}
			return nil
		})
		if !slices.Equal(got, c.want) {
			t.Errorf("%v at %s: got  %v\nwant %v", c.say, c.at, got, c.want)
		}
	}
}

func TestWalkGoesOnAfterAFolderThatCannotBeRead(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	s, _ := save(t, r, small("/srv/a/x", "/srv/b", "/usr/z"), snapshot.SaveOptions{})
	load := &countingLoader{Repository: r, refuse: map[chunk.ID]bool{lookup(t, r, s, "/srv/a").Tree.Refs[0].ID: true}}
	var refused []string
	got := walked(t, load, &s.Root, "/", func(path string, err error) error {
		if err != nil {
			refused = append(refused, path)
		}
		return nil
	})
	if want := []string{"/", "/srv", "/srv/a", "/srv/b", "/usr", "/usr/z"}; !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if !slices.Equal(refused, []string{"/srv/a"}) {
		t.Errorf("refused: %v", refused)
	}
	err := snapshot.Walk(context.Background(), load, &s.Root, "/", func(_ string, _ *snapshot.Node, err error) error { return err })
	if !errors.Is(err, errRefused) {
		t.Errorf("a walk whose function returns the error ended with %v", err)
	}
}
