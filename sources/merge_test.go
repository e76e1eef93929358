package sources_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"

	"chartkeep/sources"
)

// listed is a source of paths; one with a ! at its end could not be read.
type listed []string

func (l listed) Entries(ctx context.Context) iter.Seq[sources.Entry] {
	return func(yield func(sources.Entry) bool) {
		for _, p := range l {
			e := sources.Entry{Path: strings.TrimSuffix(p, "!")}
			if e.Path != p {
				e.Err = errors.New("unreadable")
			}
			if !yield(e) {
				return
			}
		}
	}
}

func TestMergedSourcesComeDepthFirst(t *testing.T) {
	a := listed{"/", "/srv", "/srv/a", "/srv/a/x", "/srv/a-b", "/usr", "/usr/z"}
	b := listed{"/", "/srv", "/srv/a!", "/srv/a0", "/srv/a0/y", "/tmp"}
	c := listed{"/", "/srv!", "/srv/aa"}
	var got []string
	for e := range sources.Merge(c, a, b).Entries(context.Background()) {
		if e.Err != nil {
			t.Errorf("%s: %v, although another source could read it", e.Path, e.Err)
		}
		got = append(got, e.Path)
	}
	want := []string{"/", "/srv", "/srv/a", "/srv/a/x", "/srv/a-b", "/srv/a0", "/srv/a0/y", "/srv/aa", "/tmp", "/usr", "/usr/z"}
	if !slices.Equal(got, want) {
		t.Errorf("the entries are\n%q, and ought to be\n%q", got, want)
	}
}

func TestAMergeCanBeLeft(t *testing.T) {
	n := 0
	for range sources.Merge(listed{"/", "/a"}, listed{"/", "/b"}).Entries(context.Background()) {
		if n++; n == 2 {
			break
		}
	}
	if n != 2 {
		t.Errorf("%d entries came", n)
	}
}
