package local_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"

	"chartkeep/repo/storage"
	"chartkeep/repo/storage/local"
	"chartkeep/repo/storage/storagetest"
)

// ledger is what a caller of a store may rely on: what each name can stand for,
// with "" for no file. There is one such content for a name whose last call
// returned nil; during a call, and after one that failed, the old and the new.
type ledger map[string][]string

// script is a day in the life of a store: files in old and new folders, a
// replacement, a removal. Contents span several sectors, none of them zero.
func (l ledger) script(t *testing.T, st *local.Store) {
	put := func(name, content string) {
		half := len(content) / 2
		err := l.do(name, content, func() error { return st.Put(t.Context(), name, []byte(content[:half]), []byte(content[half:])) })
		if _, there := st.Open(t.Context(), name); err != nil && !errors.Is(there, fs.ErrNotExist) {
			t.Errorf("put %s has failed with %v, and opening it gives %v", name, err, there)
		}
	}
	for i, name := range []string{"config", "sessions/s", "packs/ab/1", "packs/ab/2", "packs/cd/1", "index/i", "packs/ab/3"} {
		put(name, strings.Repeat(fmt.Sprint(i+1), 700*i+3))
	}
	healed := strings.Repeat("healed", 500)
	l.do("packs/ab/1", healed, func() error { return st.Replace(t.Context(), "packs/ab/1", []byte(healed)) })
	l.do("packs/ab/2", "", func() error { return st.Remove(t.Context(), "packs/ab/2") })
	put("copies/keys/k", "key")
	put("copies/snapshots/s", "snapshot")
}

func (l ledger) do(name, target string, call func() error) error {
	if l[name] == nil {
		l[name] = []string{""}
	}
	l[name] = append(l[name], target)
	err := call()
	if err == nil {
		l[name] = []string{target}
	}
	return err
}

// audit returns what in a store contradicts the ledger.
func (l ledger) audit(t *testing.T, st storage.Store) error {
	found := map[string]string{}
	for info, err := range st.List(t.Context(), "") {
		if err != nil {
			return err
		}
		content, err := storage.ReadAll(t.Context(), st, info.Name, 1<<20)
		if err != nil {
			return err
		}
		if found[info.Name] = string(content); l[info.Name] == nil {
			return fmt.Errorf("%s was never put", info.Name)
		}
	}
	for name, may := range l {
		if !slices.Contains(may, found[name]) {
			return fmt.Errorf("%s holds %q", name, short(found[name]))
		}
	}
	return nil
}

func short(s string) string { return s[:min(len(s), 20)] }

// cutEverywhere runs the script on a file system, whose power it cuts before
// each operation, in several ways, and returns the first contradiction.
func cutEverywhere(t *testing.T, fsys *storagetest.CrashFS, st *local.Store, after func(*storagetest.Crash) error) (cuts int, err error) {
	l := ledger{}
	rng := rand.New(rand.NewPCG(1, 2))
	crash := &storagetest.Crash{Store: st, FS: fsys}
	fsys.Before = func(op storagetest.FSOp, path string) error {
		for range 12 {
			if err != nil {
				break
			}
			cuts++
			left := crash.Clone(rng)
			if err = l.audit(t, left); err == nil {
				err = after(left)
			}
			if err != nil {
				err = fmt.Errorf("power cut before %s %s: %w", op, path, err)
			}
		}
		return nil
	}
	l.script(t, st)
	if err == nil {
		err = l.audit(t, crash.Clone(rng))
	}
	return cuts, err
}

func newOn(t *testing.T, fsys local.FS) *local.Store {
	t.Helper()
	st, err := local.NewOn(fsys, ".")
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestAPowerCutAtAnyMomentLosesNothingThatWasPut(t *testing.T) {
	fsys := storagetest.NewCrashFS()
	cuts, err := cutEverywhere(t, fsys, newOn(t, fsys), func(left *storagetest.Crash) error {
		// The store goes on working, and is rid of what the cut has left.
		if err := left.Put(t.Context(), "packs/ab/new", []byte("new")); err != nil {
			return err
		}
		if err := left.Close(); err != nil {
			return err
		}
		if _, err := left.CleanTemp(t.Context(), 0); err != nil {
			return err
		}
		if rest, err := left.FS.ReadDir("tmp"); err != nil || len(rest) > 0 {
			return fmt.Errorf("%d folders are left in tmp, %v", len(rest), err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if cuts < 500 {
		t.Errorf("the power was cut %d times only", cuts)
	}
}

// careless is a file system on which some syncs are left out.
type careless struct {
	*storagetest.CrashFS
	files   bool
	folders func(path string) bool
}

func (c careless) Create(path string) (local.File, error) {
	f, err := c.CrashFS.Create(path)
	if c.files && err == nil {
		f = carelessFile{f}
	}
	return f, err
}

func (c careless) SyncDir(path string) error {
	if c.folders != nil && c.folders(path) {
		return nil
	}
	return c.CrashFS.SyncDir(path)
}

type carelessFile struct{ local.File }

func (carelessFile) Sync() error { return nil }

// The crash test above is worth something only if it fails without each of the
// syncs.
func TestEachSyncIsMissedByTheCrashTest(t *testing.T) {
	for name, c := range map[string]careless{
		"of a file":         {files: true},
		"of a folder":       {folders: func(path string) bool { return strings.Contains(path, "ab") }},
		"of a new folder":   {folders: func(path string) bool { return path == "packs" }},
		"of the root":       {folders: func(path string) bool { return path == "." }},
		"of a folder above": {folders: func(path string) bool { return path == "copies" }},
	} {
		t.Run(name, func(t *testing.T) {
			c.CrashFS = storagetest.NewCrashFS()
			_, err := cutEverywhere(t, c.CrashFS, newOn(t, c), func(*storagetest.Crash) error { return nil })
			if err == nil {
				t.Error("nothing was lost")
			}
		})
	}
}

// plainer is a file system that cannot rename without overwriting, and perhaps
// cannot link either.
type plainer struct {
	*storagetest.CrashFS
	links bool
}

func (plainer) RenameNew(_, _ string) error { return errors.ErrUnsupported }

func (p plainer) Link(from, to string) error {
	if !p.links {
		return errors.ErrUnsupported
	}
	return p.CrashFS.Link(from, to)
}

func TestFileSystemsThatCannotRenameNewKeepTheContract(t *testing.T) {
	for name, links := range map[string]bool{"with links": true, "without links": false} {
		t.Run(name, func(t *testing.T) {
			storagetest.Run(t, func(t *testing.T) storage.Store {
				return newOn(t, plainer{storagetest.NewCrashFS(), links})
			})
			fsys := storagetest.NewCrashFS()
			if _, err := cutEverywhere(t, fsys, newOn(t, plainer{fsys, links}), func(*storagetest.Crash) error { return nil }); err != nil {
				t.Error(err)
			}
		})
	}
}

// survives checks that a file is whole after a power cut.
func survives(t *testing.T, fsys *storagetest.CrashFS, dir, name, want string) {
	t.Helper()
	for i := range uint64(20) {
		left, err := local.NewOn(fsys.Clone(rand.New(rand.NewPCG(0, i))), dir)
		check(t, err)
		b, err := storage.ReadAll(t.Context(), left, name, 100)
		if err != nil || string(b) != want {
			t.Fatalf("%s was durable, and after a power cut is %q, %v", name, b, err)
		}
	}
}

func TestFoldersOfARunThatWasKilledAreMadeDurable(t *testing.T) {
	fsys := storagetest.NewCrashFS()
	for _, dir := range []string{"packs", "packs/ab"} { // and there the run was killed
		check(t, fsys.Mkdir(dir))
	}
	check(t, newOn(t, fsys).Put(t.Context(), "packs/ab/f", []byte("x")))
	survives(t, fsys, ".", "packs/ab/f", "x")
}

func TestTheFolderOfANewStoreIsDurable(t *testing.T) {
	fsys := storagetest.NewCrashFS()
	dir := filepath.Join("drive", "practice", "repository")
	st, err := local.CreateOn(fsys, dir)
	check(t, err)
	check(t, st.Put(t.Context(), "config", []byte("x")))
	survives(t, fsys, dir, "config", "x")
}

// With several writers a folder is often made by one and used by another before
// its maker has synced it.
func TestParallelPutsAreEachDurable(t *testing.T) {
	for seed := range uint64(10) {
		crash := storagetest.NewCrash()
		var mu sync.Mutex
		rng := rand.New(rand.NewPCG(seed, 0))
		var durable []string
		crash.FS.Before = func(op storagetest.FSOp, path string) error {
			mu.Lock()
			defer mu.Unlock()
			left := crash.Clone(rng)
			for _, name := range durable {
				if b, err := storage.ReadAll(t.Context(), left, name, 100); err != nil || string(b) != name {
					t.Errorf("power cut before %s %s: %s was durable and is %q, %v", op, path, name, b, err)
				}
			}
			return nil
		}
		var g errgroup.Group
		for w := range 6 {
			g.Go(func() error {
				for i := range 3 {
					name := fmt.Sprintf("packs/%d/%d", i, w)
					if err := crash.Put(t.Context(), name, []byte(name)); err != nil {
						return err
					}
					mu.Lock()
					durable = append(durable, name)
					mu.Unlock()
				}
				return nil
			})
		}
		check(t, g.Wait())
	}
}
