package transfer_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"hash/fnv"
	"iter"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"chartkeep/repo"
	"chartkeep/repo/repotest"
	"chartkeep/repo/storage"
	"chartkeep/repo/storage/mem"
	"chartkeep/snapshot"
	"chartkeep/snapshot/transfer"
	"chartkeep/sources"
)

// practice is a source in memory: paths and contents. A changed content has
// another time.
type practice map[string]string

func (p practice) Entries(context.Context) iter.Seq[sources.Entry] {
	kinds := map[string]sources.Kind{}
	for name := range p {
		kinds[name] = sources.Regular
		for dir := path.Dir(name); kinds[dir] == 0; dir = path.Dir(dir) {
			kinds[dir] = sources.Dir
		}
	}
	names := slices.SortedFunc(maps.Keys(kinds), func(a, b string) int {
		return slices.Compare(strings.Split(strings.Trim(a, "/"), "/"), strings.Split(strings.Trim(b, "/"), "/"))
	})
	return func(yield func(sources.Entry) bool) {
		for i, name := range names {
			data := p[name]
			h := fnv.New32()
			h.Write([]byte(data))
			m := sources.Meta{Kind: kinds[name], Mode: 0o640, Size: int64(len(data)), Inode: uint64(i), Links: 1, MTime: sources.Time{Sec: 1e9, Nsec: h.Sum32() % 1e9}}
			if !yield(sources.Entry{Path: name, Meta: m, Content: content{m, data}}) {
				return
			}
		}
	}
}

type content struct {
	meta sources.Meta
	data string
}

func (c content) Attributes() ([]sources.Attribute, error) { return nil, nil }
func (c content) Open() (sources.File, error)              { return &file{strings.NewReader(c.data), c.meta}, nil }

type file struct {
	*strings.Reader
	meta sources.Meta
}

func (f *file) Close() error                { return nil }
func (f *file) Meta() (sources.Meta, error) { return f.meta, nil }

// noise is what nothing compresses.
func noise(seed byte, n int) string {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{seed}).Read(b)
	return string(b)
}

// dump is a table whose rows differ.
func dump(rows int, changed ...int) string {
	var b strings.Builder
	for i := range rows {
		mark := ""
		if slices.Contains(changed, i) {
			mark = "; changed"
		}
		fmt.Fprintf(&b, "INSERT INTO visits VALUES (%d, 'patient %x', 'tooth %d'%s);\n", i, i*7919, i%32, mark)
	}
	return b.String()
}

var start = time.Date(2026, 3, 2, 19, 30, 0, 0, time.UTC)

// save makes the snapshot of a night.
func save(t *testing.T, r *repo.Repository, night int, src sources.Source, change ...func(*snapshot.Snapshot)) *snapshot.Snapshot {
	t.Helper()
	ctx := t.Context()
	if unlock, err := r.Lock(ctx, storage.Shared, time.Minute); err == nil { // not every store has one
		defer unlock.Close()
	}
	s := &snapshot.Snapshot{
		Time: start.AddDate(0, 0, night), Host: "server", Plan: "nightly", Tags: []string{"night"}, Paths: []string{"/srv"},
		Complete: true, Sequence: uint64(night), Version: "test",
		Sources: []snapshot.SourceRecord{{Name: "files", Kind: "files", Paths: []string{"/srv"}, Facts: map[string]string{"a": "b"}}},
	}
	o := snapshot.SaveOptions{}
	all := snapshots(t, r)
	if last := snapshot.Newest(all, func(*snapshot.Snapshot) bool { return true }); last != nil {
		s.Parent, s.Previous, o.Parent = last.ID, last.ID, &last.Root
	}
	w, err := r.NewWriter(ctx, repo.WriterOptions{})
	must(t, err)
	defer w.Abort()
	root, sum, err := snapshot.Save(ctx, r, w, src, o)
	must(t, err)
	must(t, w.Flush())
	s.Root, s.Summary = *root, sum
	for _, f := range change {
		f(s)
	}
	must(t, s.Put(ctx, w))
	return s
}

func snapshots(t *testing.T, r *repo.Repository) []*snapshot.Snapshot {
	t.Helper()
	all, broken, err := snapshot.All(t.Context(), r)
	must(t, err)
	if len(broken) > 0 {
		t.Fatal(broken)
	}
	return all
}

// send copies all snapshots.
func send(t *testing.T, from, to *repo.Repository) *transfer.Result {
	t.Helper()
	r, err := trySend(t, from, to)
	must(t, err)
	return r
}

func trySend(t *testing.T, from, to *repo.Repository) (*transfer.Result, error) {
	t.Helper()
	return sendIn(t.Context(), from, to, snapshots(t, from))
}

func sendIn(ctx context.Context, from, to *repo.Repository, chosen []*snapshot.Snapshot) (*transfer.Result, error) {
	p, err := transfer.New(ctx, from, to, chosen, transfer.Options{})
	if err != nil {
		return nil, err
	}
	return p.Run(ctx)
}

// alike wants every snapshot of the source in the target, node for node.
func alike(t *testing.T, from, to *repo.Repository) {
	t.Helper()
	copies := snapshots(t, to)
	for _, s := range snapshots(t, from) {
		i := slices.IndexFunc(copies, func(c *snapshot.Snapshot) bool {
			return c.Original == s.ID || s.Original != "" && c.Original == s.Original
		})
		if i < 0 {
			t.Errorf("snapshot of %v is not there", s.Time)
			continue
		}
		sameSnapshot(t, from, to, s, copies[i])
	}
}

func sameSnapshot(t *testing.T, from, to *repo.Repository, s, c *snapshot.Snapshot) {
	t.Helper()
	if got, want := *c, *s; true {
		for _, x := range []*snapshot.Snapshot{&got, &want} {
			x.ID, x.Original, x.Parent, x.Previous, x.Root = "", "", "", "", snapshot.Node{}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("the manifest is\n%+v\nwant\n%+v", got, want)
		}
	}
	got, want := listing(t, to, c), listing(t, from, s)
	if !slices.Equal(got, want) {
		for i := range min(len(got), len(want)) {
			if got[i] != want[i] {
				t.Fatalf("night %v: got\n%s\nwant\n%s", s.Time, got[i], want[i])
			}
		}
		t.Fatalf("night %v: %d entries, want %d", s.Time, len(got), len(want))
	}
}

// listing tells all that a snapshot holds, but how it is stored.
func listing(t *testing.T, r *repo.Repository, s *snapshot.Snapshot) (lines []string) {
	t.Helper()
	for e, err := range snapshot.Entries(t.Context(), r, &s.Root, "/") {
		must(t, err)
		sum, holes := sha256.New(), []string{}
		at := uint64(0)
		for ref, err := range snapshot.Chunks(t.Context(), r, e.Node.Content) {
			must(t, err)
			if ref.Hole() {
				holes = append(holes, fmt.Sprintf("%d+%d", at, ref.Size))
			} else {
				data, err := r.Load(t.Context(), ref.ID)
				must(t, err)
				sum.Write(data)
			}
			at += ref.Size
		}
		n := e.Node
		lines = append(lines, fmt.Sprintf("%s %+v %+v %v holes %v size %d sum %x tree %d", e.Path, n.Meta, n.Attributes, n.State, holes, at, sum.Sum(nil), n.Tree.Size()))
	}
	return lines
}

// golden opens a copy of a golden repository: nodes of every kind.
func golden(t *testing.T, name string) *repo.Repository {
	t.Helper()
	dir, st := filepath.Join("../../testdata/golden", name), mem.New()
	must(t, filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		must(t, err)
		rel, err := filepath.Rel(dir, p)
		must(t, err)
		if rel == "lock" {
			return nil
		}
		return st.Put(t.Context(), filepath.ToSlash(rel), b)
	}))
	r, err := repo.Open(t.Context(), st, []byte("elm street dental, format 1"), repo.Options{})
	must(t, err)
	t.Cleanup(func() { r.Close() })
	return r
}

// pairOf makes a repository, and a companion or an independent one.
func pairOf(t *testing.T, companion bool, o repotest.Options) (from, to *repo.Repository) {
	t.Helper()
	from = repotest.New(t, repotest.Options{Init: repo.InitOptions{Parity: 3}, Damaged: o.Damaged})
	if companion {
		o.Init.Like = from
	}
	o.Damaged = false
	return from, repotest.New(t, o)
}

// eachWay runs a test with companions and with independent repositories.
func eachWay(t *testing.T, test func(t *testing.T, companion bool)) {
	for name, companion := range map[string]bool{"companions": true, "independent": false} {
		t.Run(name, func(t *testing.T) { test(t, companion) })
	}
}

// filesOf is every file of a store with its content.
func filesOf(t *testing.T, st storage.Store) map[string]string {
	t.Helper()
	all := map[string]string{}
	for info, err := range st.List(t.Context(), "") {
		must(t, err)
		b, err := storage.ReadAll(t.Context(), st, info.Name, 64<<20)
		must(t, err)
		all[info.Name] = string(bytes.Clone(b))
	}
	return all
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
