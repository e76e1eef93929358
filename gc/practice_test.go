package gc_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"chartkeep/gc"
	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/repo/repotest"
	"chartkeep/snapshot"
	"chartkeep/sources"
)

// evening is what the practice has on one evening: contents by path.
type evening map[string][]byte

// Entries yields the files and the folders they lie in.
func (n evening) Entries(context.Context) iter.Seq[sources.Entry] {
	dirs := map[string]bool{"/": true}
	for p := range n {
		for d := path.Dir(p); d != "/"; d = path.Dir(d) {
			dirs[d] = true
		}
	}
	all := slices.Concat(slices.Collect(maps.Keys(n)), slices.Collect(maps.Keys(dirs)))
	slices.SortFunc(all, func(a, b string) int {
		return strings.Compare(strings.ReplaceAll(a, "/", "\x00"), strings.ReplaceAll(b, "/", "\x00"))
	})
	return func(yield func(sources.Entry) bool) {
		for i, p := range all {
			e := sources.Entry{Path: p, Content: content{n[p], uint64(i)}, Meta: sources.Meta{Kind: sources.Dir, Mode: 0o755, Links: 2}}
			if !dirs[p] {
				e.Meta = e.Content.(content).meta()
			}
			if !yield(e) {
				return
			}
		}
	}
}

// content is a file of an evening.
type content struct {
	data  []byte
	inode uint64
}

func (c content) meta() sources.Meta {
	return sources.Meta{Kind: sources.Regular, Mode: 0o644, Size: int64(len(c.data)), MTime: sources.Time{Sec: 1_700_000_000}, Inode: c.inode, Links: 1}
}

func (c content) Open() (sources.File, error)            { return &opened{bytes.NewReader(c.data), c}, nil }
func (content) Attributes() ([]sources.Attribute, error) { return nil, nil }

type opened struct {
	*bytes.Reader
	c content
}

func (*opened) Close() error                  { return nil }
func (o *opened) Meta() (sources.Meta, error) { return o.c.meta(), nil }

// noise is n bytes that nothing compresses, the same ones for the same seed.
func noise(seed uint64, n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)}).Read(b)
	return b
}

// backup saves an evening as a snapshot, reading everything.
func backup(t testing.TB, r *repo.Repository, n evening) *snapshot.Snapshot {
	t.Helper()
	s, err := tryBackup(r, n)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func tryBackup(r *repo.Repository, n evening) (*snapshot.Snapshot, error) {
	ctx := context.Background()
	w, err := r.NewWriter(ctx, repo.WriterOptions{})
	if err != nil {
		return nil, err
	}
	defer w.Abort()
	root, sum, err := snapshot.Save(ctx, r, w, n, snapshot.SaveOptions{})
	if err != nil {
		return nil, err
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	s := &snapshot.Snapshot{Root: *root, Summary: sum, Host: "server", Complete: true, Time: time.Now()}
	return s, s.Put(ctx, w)
}

func forget(t testing.TB, r *repo.Repository, s *snapshot.Snapshot) {
	t.Helper()
	if err := r.RemoveDocument(context.Background(), repo.Snapshots, s.ID); err != nil {
		t.Fatal(err)
	}
}

func plan(t testing.TB, r *repo.Repository, o gc.PruneOptions) *gc.PrunePlan {
	t.Helper()
	p, err := gc.PlanPrune(context.Background(), r, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func prune(t testing.TB, r *repo.Repository, o gc.PruneOptions) *gc.PrunePlan {
	t.Helper()
	p := plan(t, r, o)
	if err := p.Run(context.Background(), 0); err != nil {
		t.Fatal(err)
	}
	return p
}

// wantEvening fails the test unless the snapshot gives back every byte, read by a
// program that has just been started.
func wantEvening(t testing.TB, r *repo.Repository, s *snapshot.Snapshot, want evening) {
	t.Helper()
	wantAll(t, repotest.Reopen(t, r, repo.Options{}), s, want)
}

func wantAll(t testing.TB, r *repo.Repository, s *snapshot.Snapshot, want evening) {
	t.Helper()
	got := evening{}
	err := snapshot.Walk(context.Background(), r, &s.Root, "/", func(p string, n *snapshot.Node, err error) error {
		if err != nil || n.Meta.Kind != sources.Regular {
			return err
		}
		got[p], err = read(r, n)
		return err
	})
	if err != nil {
		t.Fatalf("snapshot %s: %v", s.ID.Short(), err)
	}
	for p := range want {
		if !bytes.Equal(got[p], want[p]) {
			t.Errorf("snapshot %s: %s has %d bytes, want %d, or others", s.ID.Short(), p, len(got[p]), len(want[p]))
		}
	}
	if len(got) != len(want) {
		t.Errorf("snapshot %s has %d files, want %d", s.ID.Short(), len(got), len(want))
	}
}

func read(r *repo.Repository, n *snapshot.Node) (data []byte, err error) {
	ctx := context.Background()
	for ref, err := range snapshot.Chunks(ctx, r, n.Content) {
		if err != nil {
			return nil, err
		}
		b, err := r.Load(ctx, ref.ID)
		if err != nil {
			return nil, err
		}
		data = append(data, b...)
	}
	return data, nil
}

// packs lists the packs that are stored, and their bytes.
func packs(t testing.TB, r *repo.Repository) (all []index.PackID, size int64) {
	t.Helper()
	for info, err := range r.Store().List(context.Background(), "packs") {
		if err != nil {
			t.Fatal(err)
		}
		id, err := index.ParsePackID(path.Base(info.Name))
		if err != nil {
			t.Fatal(err)
		}
		all, size = append(all, id), size+info.Size
	}
	return all, size
}

func packFile(id index.PackID) string { return "packs/" + id.String()[:2] + "/" + id.String() }

// files counts the files in a folder of the repository.
func files(t testing.TB, r *repo.Repository, dir string) (n int) {
	t.Helper()
	for _, err := range r.Store().List(context.Background(), dir) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

// wantUnused fails the test when more than a share of what is stored is unused.
func wantUnused(t testing.TB, r *repo.Repository, share float64) {
	t.Helper()
	p := plan(t, r, gc.PruneOptions{})
	if got := float64(p.Unused) / float64(p.Live+p.Unused); got > share {
		t.Errorf("%.1f %% of what is stored is unused, want at most %.1f %%", 100*got, 100*share)
	}
}

func wantError(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}
