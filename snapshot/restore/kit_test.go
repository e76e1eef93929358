package restore_test

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chartkeep/repo"
	"chartkeep/repo/repotest"
	"chartkeep/snapshot"
	"chartkeep/snapshot/restore"
	"chartkeep/sources/files"
)

// kit is a repository, a folder that is saved, and one to restore into.
type kit struct {
	testing.TB
	r        *repo.Repository
	src, out string
	root     *snapshot.Node // of src as it was saved last
	problems map[string]error
	items    []string
}

func newKit(t testing.TB, o repotest.Options) *kit {
	t.Helper()
	k := &kit{TB: t, r: repotest.New(t, o), src: t.TempDir(), out: t.TempDir()}
	return k
}

// write makes files below a folder: paths and contents in turn. A path that ends
// in a slash is a folder's.
func (k *kit) write(dir string, pairs ...string) {
	k.Helper()
	for i := 0; i < len(pairs); i += 2 {
		p := filepath.Join(dir, pairs[i])
		must(k, os.MkdirAll(filepath.Dir(p), 0o755))
		if strings.HasSuffix(pairs[i], "/") {
			must(k, os.MkdirAll(p, 0o755))
			continue
		}
		must(k, os.WriteFile(p, []byte(pairs[i+1]), 0o644))
	}
}

// save makes a snapshot of the source folder.
func (k *kit) save() {
	k.Helper()
	ctx := k.Context()
	src, err := files.New(files.Options{Paths: []string{k.src}})
	must(k, err)
	w, err := k.r.NewWriter(ctx, repo.WriterOptions{})
	must(k, err)
	defer w.Abort()
	root, _, err := snapshot.Save(ctx, k.r, w, src, snapshot.SaveOptions{})
	must(k, err)
	must(k, w.Flush())
	s := &snapshot.Snapshot{Root: *root, Complete: true}
	must(k, s.Put(ctx, w))
	k.root, err = snapshot.Lookup(ctx, k.r, root, k.src)
	must(k, err)
}

// restore brings the saved folder, or the node at a path in it, back to out.
func (k *kit) restore(o restore.Options, at ...string) restore.Summary {
	k.Helper()
	sum, err := k.try(o, at...)
	must(k, err)
	return sum
}

func (k *kit) try(o restore.Options, at ...string) (restore.Summary, error) {
	k.Helper()
	k.problems, k.items = map[string]error{}, nil
	o.Problem = func(p string, err error) { k.problems[p] = err }
	o.Item = func(p, action string, _ *snapshot.Node) { k.items = append(k.items, action+" "+p) }
	root := k.root
	for _, p := range at {
		var err error
		root, err = snapshot.Lookup(k.Context(), k.r, root, p)
		must(k, err)
	}
	target := k.target()
	return restore.Run(k.Context(), k.r, root, restore.NewFolder(target), o)
}

// target opens out, until the test ends.
func (k *kit) target() *files.Target {
	k.Helper()
	target, err := files.OpenTarget(k.out, files.TargetOptions{})
	must(k, err)
	k.Cleanup(func() { target.Close() })
	return target
}

// verify reads out again.
func (k *kit) verify() (compared int64, problems map[string]error) {
	k.Helper()
	target := k.target()
	problems = map[string]error{}
	compared, err := restore.Verify(k.Context(), k.r, k.root, restore.NewFolder(target), restore.Options{}, func(p string, err error) { problems[p] = err })
	must(k, err)
	return compared, problems
}

// holds wants these files in a folder, and no others: paths and contents in turn.
func (k *kit) holds(dir string, pairs ...string) {
	k.Helper()
	want, got := map[string]string{}, map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		want[pairs[i]] = pairs[i+1]
	}
	must(k, filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == dir {
			return err
		}
		rel := strings.TrimPrefix(p, dir+"/")
		if d.IsDir() {
			got[rel+"/"] = ""
			return nil
		}
		b, err := os.ReadFile(p)
		got[rel] = string(b)
		return err
	}))
	if !maps.Equal(got, want) {
		k.Errorf("%s holds %q, want %q", dir, brief(got), brief(want))
	}
}

func brief(m map[string]string) (lines []string) {
	for p, data := range m {
		lines = append(lines, fmt.Sprintf("%s: %.40s", p, data))
	}
	slices.Sort(lines)
	return lines
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
