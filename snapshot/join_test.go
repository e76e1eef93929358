package snapshot_test

import (
	"context"
	"strings"
	"testing"

	"chartkeep/repo"
	"chartkeep/repo/repotest"
	"chartkeep/snapshot"
)

// joined saves dumps apart and then files with them, as a plan does.
func joined(t *testing.T, r *repo.Repository, parent *snapshot.Node, dumps []*memSource, files *memSource) (*snapshot.Node, snapshot.Summary, error) {
	t.Helper()
	ctx := context.Background()
	w, err := r.NewWriter(ctx, repo.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	o := snapshot.SaveOptions{Parent: parent}
	for _, d := range dumps {
		nodes, _, err := snapshot.SaveApart(ctx, r, w, d, snapshot.SaveOptions{Parent: parent, Join: o.Join})
		if err != nil {
			t.Fatal(err)
		}
		o.Join = append(o.Join, nodes...)
	}
	root, sum, err := snapshot.Save(ctx, r, w, files, o)
	if err != nil {
		return nil, sum, err
	}
	return root, sum, w.Flush()
}

func paths(t *testing.T, r *repo.Repository, root *snapshot.Node) (all []string) {
	t.Helper()
	err := snapshot.Walk(context.Background(), r, root, "/", func(p string, n *snapshot.Node, err error) error {
		all = append(all, p)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestSourcesSavedApartLieBesideTheFiles(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	before, middle, after, files := newMemSource(), newMemSource(), newMemSource(), newMemSource()
	before.put("/a/dump", []byte("one"))
	middle.put("/m!", []byte("two"))
	after.put("/z/tables/t", []byte("three"))
	files.put("/m/x/deep", []byte("four"))
	files.put("/n/y", []byte("five"))
	files.put("/b", []byte("six"))

	root, sum, err := joined(t, r, nil, []*memSource{before, middle, after}, files)
	if err != nil {
		t.Fatal(err)
	}
	want := "/ /a /a/dump /b /m /m/x /m/x/deep /m! /n /n/y /z /z/tables /z/tables/t"
	if got := strings.Join(paths(t, r, root), " "); got != want {
		t.Errorf("the tree is\n%s, and ought to be\n%s", got, want)
	}
	if sum.Files != 3 {
		t.Errorf("%d files are counted, but what was saved apart is counted apart: 3", sum.Files)
	}

	again, _, err := joined(t, r, root, []*memSource{before, middle, after}, files)
	if err != nil {
		t.Fatal(err)
	}
	if got, was := snapshot.ContentID(again), snapshot.ContentID(root); got != was {
		t.Errorf("nothing changed, but the tree is %s and was %s", got, was)
	}
	none, _, err := joined(t, r, root, []*memSource{middle}, files)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(paths(t, r, none), " "), "/ /b /m /m/x /m/x/deep /m! /n /n/y"; got != want {
		t.Errorf("without two of the sources the tree is\n%s, and ought to be\n%s", got, want)
	}
}

func TestTwoSourcesOfOnePathAreRefused(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	dump, files := newMemSource(), newMemSource()
	dump.put("/srv/dump", []byte("one"))
	files.put("/srv/x", []byte("two"))
	if _, _, err := joined(t, r, nil, []*memSource{dump}, files); err == nil || !strings.Contains(err.Error(), "/srv") {
		t.Errorf("the error is %v, and ought to name the path", err)
	}
}
