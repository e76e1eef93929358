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
	"time"

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

var errDrive = errors.New("the drive says no")

func isSync(op storagetest.FSOp) bool { return op == storagetest.FSSync || op == storagetest.FSSyncDir }

// failAt runs the script with the n-th operation that fits failing, and checks
// it at the end and after a power cut then. It reports whether there was one.
func failAt(t *testing.T, n int, fits func(storagetest.FSOp) bool, seen func(op storagetest.FSOp, path string)) bool {
	t.Helper()
	crash := storagetest.NewCrash()
	failed := ""
	crash.FS.Before = func(op storagetest.FSOp, path string) error {
		seen(op, path)
		if !fits(op) {
			return nil
		}
		if n--; n != -1 {
			return nil
		}
		failed = fmt.Sprint(op, " ", path)
		return errDrive
	}
	l := ledger{}
	l.script(t, crash.Store)
	for i := range 10 {
		if err := l.audit(t, crash.Clone(rand.New(rand.NewPCG(uint64(n), uint64(i))))); err != nil {
			t.Errorf("after the failure of %s, and a power cut: %v", failed, err)
		}
	}
	return failed != ""
}

func TestAFailedSyncLosesNothingThatWasPut(t *testing.T) {
	n := 0
	for {
		synced := map[string]int{}
		more := failAt(t, n, isSync, func(op storagetest.FSOp, path string) {
			if op == storagetest.FSSync {
				synced[path]++
			}
		})
		for path, times := range synced {
			if times > 1 {
				t.Errorf("%s is synced %d times", path, times)
			}
		}
		if !more {
			break
		}
		n++
	}
	if n < 20 {
		t.Errorf("only %d syncs in the script", n)
	}
}

func TestAFailedOperationLosesNothingThatWasPut(t *testing.T) {
	n := 0
	for failAt(t, n, func(storagetest.FSOp) bool { return true }, func(storagetest.FSOp, string) {}) {
		n++
	}
	if n < 70 {
		t.Errorf("only %d operations in the script", n)
	}
}

func TestAFileWhoseSyncFailsIsWrittenAnewOnce(t *testing.T) {
	for _, c := range []struct {
		failures int
		syncs    int
		ok       bool
	}{{0, 1, true}, {1, 2, true}, {2, 2, false}, {9, 2, false}} {
		crash := storagetest.NewCrash()
		var synced []string
		crash.FS.Before = func(op storagetest.FSOp, path string) error {
			if op != storagetest.FSSync {
				return nil
			}
			synced = append(synced, path)
			if len(synced) <= c.failures {
				return errDrive
			}
			return nil
		}
		err := crash.Put(t.Context(), "config", []byte("content"))
		if (err == nil) != c.ok || !c.ok && !errors.Is(err, errDrive) {
			t.Errorf("after %d failures the error is %v", c.failures, err)
		}
		if len(synced) != c.syncs || len(slices.Compact(slices.Sorted(slices.Values(synced)))) != c.syncs {
			t.Errorf("after %d failures these were synced: %q", c.failures, synced)
		}
		if _, err := crash.Open(t.Context(), "config"); (err == nil) != c.ok || !c.ok && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("after %d failures opening gives %v", c.failures, err)
		}
		if err := crash.Close(); err != nil {
			t.Errorf("a temporary file is left: %v", err)
		}
	}
}

// The failure of one folder's sync must not pass by a neighbour in it, whose own
// sync then succeeds for want of anything left to write.
func TestAFailedSyncIsNotForgottenForAnotherFileInTheFolder(t *testing.T) {
	crash := storagetest.NewCrash()
	check(t, crash.Put(t.Context(), "packs/ab/0"))
	other := make(chan error, 1)
	renamed := make(chan struct{}, 10)
	failed := false
	crash.FS.Before = func(op storagetest.FSOp, path string) error {
		switch {
		case op == storagetest.FSRenameNew && strings.HasSuffix(path, "b"):
			defer close(renamed)
		case op == storagetest.FSSyncDir && !failed:
			failed = true
			go func() { other <- crash.Put(t.Context(), "packs/ab/b", []byte("b")) }()
			select {
			case <-renamed:
			case <-time.After(100 * time.Millisecond): // the other waits for this one
			}
			time.Sleep(10 * time.Millisecond)
			return errDrive
		case op == storagetest.FSSyncDir:
			time.Sleep(30 * time.Millisecond) // until the failure has happened
		}
		return nil
	}
	check(t, crash.Put(t.Context(), "packs/ab/a", []byte("a")))
	if !failed {
		t.Fatal("no folder was synced")
	}
	check(t, <-other)
	survives(t, crash.FS, ".", "packs/ab/a", "a")
	survives(t, crash.FS, ".", "packs/ab/b", "b")
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
