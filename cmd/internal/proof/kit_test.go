package proof_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/repo/storage"
	"chartkeep/snapshot"
	"chartkeep/snapshot/restore"
	"chartkeep/sources"
)

// full runs the long forms of the tests: every byte instead of every so many.
var full = flag.Bool("full", false, "run the tests in their long form")

// from is the first seed of the tests that draw. A long form that was ended goes
// on where it was with the seed after the last one that it printed.
var from = flag.Uint64("from", 1, "the first `SEED`")

// span ends a long form that draws after some time, between one seed and the next.
var span = flag.Duration("for", 0, "end each test's long form after this `TIME`; 0: when it is done")

// goesOn reports whether a long form that began then has time for another seed.
func goesOn(began time.Time) bool { return *span == 0 || time.Since(began) < *span }

// tree is a practice in memory: paths of files, without a slash in front, to
// their content. It is a source, and what a restore into memory makes.
type tree map[string]string

// night is a small practice on one of its nights. Something changes every
// night, some of it in the middle of a file.
func night(n int) tree {
	if t, ok := nights.Load(n); ok {
		return maps.Clone(t.(tree))
	}
	t := tree{
		"srv/empty":           "",
		"srv/letters/one.txt": "Dear Dr. Lee, thank you for the referral.",
		"srv/scan.jpg":        noise(1, 3000),
		"srv/dump.sql":        rows(0, 120) + rows(1000*uint64(n), 4) + rows(200, 100),
	}
	for i := range 12 {
		t[fmt.Sprintf("srv/letters/%c/p%d.rtf", 'A'+i%3, i)] = fmt.Sprintf("letter %d to patient %d", i*i, i)
	}
	t["srv/letters/new.txt"] = fmt.Sprintf("written on night %d", n)
	nights.Store(n, maps.Clone(t))
	return t
}

// nights are those that were asked for before, by their number.
var nights sync.Map

func rows(seed uint64, n int) string {
	rng := rand.New(rand.NewPCG(seed, 1))
	var b strings.Builder
	for range n {
		fmt.Fprintf(&b, "INSERT INTO patient VALUES (%d,'%x','note %d');\n", rng.IntN(1e6), rng.Uint64(), rng.IntN(1000))
	}
	return b.String()
}

func noise(seed byte, n int) string {
	b := make([]byte, n)
	rng := rand.NewChaCha8([32]byte{seed})
	rng.Read(b)
	return string(b)
}

// Entries yields the files and the folders they lie in.
func (t tree) Entries(context.Context) iter.Seq[sources.Entry] {
	paths := map[string]bool{"": true}
	for p := range t {
		for ; p != "." && p != ""; p = path.Dir(p) {
			paths[p] = true
		}
	}
	byElement := func(a, b string) int {
		return strings.Compare(strings.ReplaceAll(a, "/", "\x00"), strings.ReplaceAll(b, "/", "\x00"))
	}
	return func(yield func(sources.Entry) bool) {
		for _, p := range slices.SortedFunc(maps.Keys(paths), byElement) {
			data, file := t[p]
			m := sources.Meta{Kind: sources.Dir, Mode: 0o755, Links: 1}
			if file {
				m = sources.Meta{Kind: sources.Regular, Mode: 0o640, Size: int64(len(data)), Links: 1}
			}
			if !yield(sources.Entry{Path: "/" + p, Meta: m, Content: openable{data, m}}) {
				return
			}
		}
	}
}

type openable struct {
	data string
	meta sources.Meta
}

func (o openable) Open() (sources.File, error) {
	return opened{strings.NewReader(o.data), o.meta}, nil
}
func (openable) Attributes() ([]sources.Attribute, error) { return nil, nil }

type opened struct {
	io.Reader
	meta sources.Meta
}

func (opened) Close() error                  { return nil }
func (o opened) Meta() (sources.Meta, error) { return o.meta, nil }

// shelf is a sink in memory. A file is on it as soon as it is complete.
type shelf struct {
	mu    sync.Mutex
	files tree
}

func (s *shelf) Lstat(string) (m sources.Meta, err error) { return m, fs.ErrNotExist }
func (s *shelf) List(string) ([]string, error)            { return nil, fs.ErrNotExist }
func (s *shelf) Mkdir(string) error                       { return nil }
func (s *shelf) Free() (uint64, bool)                     { return 0, false }
func (s *shelf) RemoveAll(string) error                   { return errors.ErrUnsupported }
func (s *shelf) Link(string, string) error                { return errors.ErrUnsupported }

func (s *shelf) SetMeta(string, sources.Meta, []sources.Attribute) error { return nil }

func (s *shelf) Symlink(string, sources.Meta, []sources.Attribute) error {
	return errors.ErrUnsupported
}

func (s *shelf) Special(string, sources.Meta, []sources.Attribute) error {
	return errors.ErrUnsupported
}

func (s *shelf) WriteFile(p string, data []byte, _ sources.Meta, _ []sources.Attribute) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[p] = string(data)
	return nil
}

func (s *shelf) Create(p string, size int64, _ bool) (restore.File, error) {
	return &shelved{s, p, make([]byte, size)}, nil
}

type shelved struct {
	shelf *shelf
	path  string
	data  []byte
}

func (f *shelved) WriteAt(p []byte, off int64) (int, error) { return copy(f.data[off:], p), nil }
func (f *shelved) Discard() error                           { return nil }
func (f *shelved) Commit(m sources.Meta, a []sources.Attribute) error {
	return f.shelf.WriteFile(f.path, f.data, m, a)
}

// defaultParity is what init makes.
var defaultParity = repo.InitOptions{Parity: 3}

// backup saves a tree as a snapshot of its own.
func backup(t testing.TB, r *repo.Repository, src sources.Source) *snapshot.Snapshot {
	t.Helper()
	s, err := save(t.Context(), r, src)
	must(t, err)
	return s
}

func save(ctx context.Context, r *repo.Repository, src sources.Source) (*snapshot.Snapshot, error) {
	return saveWith(ctx, r, src, repo.WriterOptions{Concurrency: 1})
}

func saveWith(ctx context.Context, r *repo.Repository, src sources.Source, o repo.WriterOptions) (*snapshot.Snapshot, error) {
	w, err := r.NewWriter(ctx, o)
	if err != nil {
		return nil, err
	}
	defer w.Abort()
	s, err := saveTo(ctx, r, w, src)
	if err != nil {
		return nil, err
	}
	return s, s.Put(ctx, w)
}

// saveTo saves all but the manifest.
func saveTo(ctx context.Context, r *repo.Repository, w *repo.Writer, src sources.Source) (*snapshot.Snapshot, error) {
	root, sum, err := snapshot.Save(ctx, r, w, src, snapshot.SaveOptions{})
	if err != nil {
		return nil, err
	}
	return &snapshot.Snapshot{Root: *root, Summary: sum, Host: "proof", Complete: true}, w.Flush()
}

// back restores a snapshot to memory and returns what came back, and of what
// could not be restored the reasons.
func back(ctx context.Context, r *repo.Repository, s *snapshot.Snapshot) (got tree, problems map[string]error, err error) {
	got, problems = tree{}, map[string]error{}
	o := restore.Options{Problem: func(p string, err error) { problems[p] = err }}
	_, err = restore.Run(ctx, r, &s.Root, &shelf{files: got}, o)
	return got, problems, err
}

func allPacks(ctx context.Context, r *repo.Repository) (packs []index.PackID, err error) {
	ix, err := r.Index(ctx)
	if err != nil {
		return nil, err
	}
	for info, err := range ix.Packs() {
		if err != nil {
			return nil, err
		}
		packs = append(packs, info.ID)
	}
	return packs, nil
}

// inspect does a full check: everything that is stored is read, and everything
// that snapshots need is sought.
func inspect(ctx context.Context, r *repo.Repository) (faults []repo.Fault, missing []snapshot.Fault, err error) {
	packs, err := allPacks(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	err = r.Check(ctx, repo.CheckOptions{ReadData: packs, Fault: func(f repo.Fault) { faults = append(faults, f) }})
	if err != nil {
		return nil, nil, err
	}
	snapshots, broken, err := snapshot.All(ctx, r)
	for _, b := range broken {
		missing = append(missing, snapshot.Fault{Err: b})
	}
	var roots []*snapshot.Node
	for _, s := range snapshots {
		roots = append(roots, &s.Root)
	}
	if err == nil {
		err = snapshot.Mark(ctx, r, new(snapshot.Marks), roots, func(f snapshot.Fault) { missing = append(missing, f) })
	}
	return faults, missing, err
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// files reads all of a store.
func files(t testing.TB, st storage.Store) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for info, err := range st.List(t.Context(), "") {
		must(t, err)
		b, err := storage.ReadAll(t.Context(), st, info.Name, 1<<30)
		must(t, err)
		all[info.Name] = b
	}
	return all
}

// differences names the files that two stores do not have alike.
func differences(a, b map[string][]byte) (names []string) {
	for n := range a {
		if is, ok := b[n]; !ok || !bytes.Equal(is, a[n]) {
			names = append(names, n)
		}
	}
	for n := range b {
		if _, ok := a[n]; !ok {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return names
}
