package snapshot_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"chartkeep/repo"
	"chartkeep/repo/repotest"
	"chartkeep/snapshot"
)

func writer(t *testing.T, r *repo.Repository) *repo.Writer {
	t.Helper()
	w, err := r.NewWriter(context.Background(), repo.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Abort)
	return w
}

func TestAnEditReplacesASnapshotAndRemembersTheFirst(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	s, _ := save(t, r, small("/f"), snapshot.SaveOptions{})
	ctx, w := context.Background(), writer(t, r)
	first := s.ID
	when := time.Unix(1_700_000_000, 0)
	for _, change := range []func(*snapshot.Snapshot){
		func(s *snapshot.Snapshot) { s.Tags = []string{"audit"} },
		snapshot.Protect("anna", "case 4711", when),
	} {
		before := s.ID
		var err error
		if s, err = snapshot.Edit(ctx, r, w, s, change); err != nil {
			t.Fatal(err)
		}
		if s.ID == before || s.Original != first {
			t.Errorf("edited copy %s of %s names %s as the first", s.ID.Short(), before.Short(), s.Original.Short())
		}
	}
	all, broken, err := snapshot.All(ctx, r)
	if err != nil || len(broken) > 0 || len(all) != 1 {
		t.Fatalf("%d snapshots, %v, %v", len(all), broken, err)
	}
	got := all[0]
	if !slices.Equal(got.Tags, []string{"audit"}) || *got.Hold != (snapshot.Hold{Who: "anna", When: when.Unix(), Reason: "case 4711"}) {
		t.Errorf("tags %v, hold %+v", got.Tags, got.Hold)
	}
	lookup(t, r, got, "/f")
}

func TestOfTwoEditsAtOnceOneIsRefused(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	s, _ := save(t, r, small("/f"), snapshot.SaveOptions{})
	ctx, w := context.Background(), writer(t, r)
	if _, err := snapshot.Edit(ctx, r, w, s, snapshot.Release("root", "", time.Now())); err != nil {
		t.Fatal(err)
	}
	if _, err := snapshot.Edit(ctx, r, w, s, snapshot.Release("root", "", time.Now())); !errors.Is(err, snapshot.ErrEdited) {
		t.Errorf("the second edit of one snapshot: %v", err)
	}
	if all, _, err := snapshot.All(ctx, r); err != nil || len(all) != 1 {
		t.Errorf("%d snapshots are left, %v", len(all), err)
	}
}

func TestTagsAreSetThenRemovedThenAdded(t *testing.T) {
	for _, c := range []struct {
		change snapshot.TagChange
		tags   []string
		want   []string
		differ bool
	}{
		{snapshot.TagChange{Add: []string{"b", "a"}}, []string{"c"}, []string{"a", "b", "c"}, true},
		{snapshot.TagChange{Add: []string{"a"}}, []string{"b", "a"}, []string{"a", "b"}, false},
		{snapshot.TagChange{Remove: []string{"a", "x"}}, []string{"b", "a"}, []string{"b"}, true},
		{snapshot.TagChange{Set: []string{}}, []string{"b"}, nil, true},
		{snapshot.TagChange{Set: []string{"x", "y"}, Remove: []string{"y"}, Add: []string{"z"}}, []string{"b"}, []string{"x", "z"}, true},
	} {
		before := slices.Clone(c.tags)
		got, differ := c.change.Apply(c.tags)
		if !slices.Equal(got, c.want) || differ != c.differ || !slices.Equal(before, c.tags) {
			t.Errorf("%+v of %v: %v, %v", c.change, before, got, differ)
		}
	}
}

func TestTheParentIsTheNewestOfTheSameSource(t *testing.T) {
	mk := func(host, plan string, paths ...string) *snapshot.Snapshot {
		return &snapshot.Snapshot{Host: host, Plan: plan, Paths: paths}
	}
	all := []*snapshot.Snapshot{mk("a", "", "/srv"), mk("a", "", "/srv"), mk("b", "", "/srv"), mk("a", "p", "/srv"), mk("a", "", "/srv", "/x")}
	if got := snapshot.Newest(all, mk("a", "", "/srv").SameSource); got != all[1] {
		t.Errorf("chose %+v", got)
	}
	if got := snapshot.Newest(all, mk("c", "", "/srv").SameSource); got != nil {
		t.Errorf("chose %+v", got)
	}
}

func TestTheLastSnapshotIsTheOneThatWasWrittenLast(t *testing.T) {
	at := func(day int, sequence uint64) *snapshot.Snapshot {
		return &snapshot.Snapshot{Host: "a", Time: time.Date(2026, 1, day, 0, 0, 0, 0, time.UTC), Sequence: sequence}
	}
	right := at(3, 7)
	all := []*snapshot.Snapshot{at(1, 5), right, at(20, 6), {Host: "b", Sequence: 9}} // a clock was 17 days fast
	if got := snapshot.Last(all, "a"); got != right {
		t.Errorf("took the snapshot of %v", got.Time)
	}
}
