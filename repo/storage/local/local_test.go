package local_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"chartkeep/repo/storage"
	"chartkeep/repo/storage/local"
	"chartkeep/repo/storage/storagetest"
)

func create(t *testing.T) (st *local.Store, dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "drive", "repository")
	st, err := local.Create(dir)
	check(t, err)
	t.Cleanup(func() { st.Close() })
	return st, dir
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func is(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error is %v, want %v", err, want)
	}
}

// tree returns the paths of all that is in a folder.
func tree(t *testing.T, dir string) (paths []string) {
	t.Helper()
	check(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if path != dir {
			rel, _ := filepath.Rel(dir, path)
			paths = append(paths, filepath.ToSlash(rel))
		}
		return err
	}))
	return paths
}

func TestContract(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Store {
		st, _ := create(t)
		return st
	})
}

func TestNothingButTheFilesIsLeft(t *testing.T) {
	st, dir := create(t)
	check(t, st.Put(t.Context(), "packs/ab/f", []byte("x")))
	check(t, st.Replace(t.Context(), "packs/ab/f", []byte("y")))
	is(t, st.Put(t.Context(), "packs/ab/f", []byte("z")), fs.ErrExist)
	check(t, st.Close())
	if got := tree(t, dir); !slices.Equal(got, []string{"packs", "packs/ab", "packs/ab/f", "tmp"}) {
		t.Errorf("in the folder are %q", got)
	}
}

func TestOnlyTheOwnerCanRead(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no permission bits")
	}
	st, dir := create(t)
	check(t, st.Put(t.Context(), "packs/ab/f", []byte("x")))
	held, err := st.Lock(t.Context(), storage.Shared, 0)
	check(t, err)
	check(t, held.Close())
	for _, path := range append(tree(t, dir), ".", "..") {
		info, err := os.Stat(filepath.Join(dir, path))
		check(t, err)
		want := fs.FileMode(0o600)
		if info.IsDir() {
			want = 0o700
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s is %v", path, info.Mode())
		}
	}
}

func TestOpeningWritesNothing(t *testing.T) {
	_, dir := create(t)
	st, err := local.New(dir)
	check(t, err)
	_, err = st.Open(t.Context(), "config")
	is(t, err, fs.ErrNotExist)
	_, err = st.CleanTemp(t.Context(), 0)
	check(t, err)
	check(t, st.Close())
	if got := tree(t, dir); len(got) > 0 {
		t.Errorf("in the folder are %q", got)
	}
}

func TestCreateTakesAFolderThatIsThere(t *testing.T) {
	st, dir := create(t)
	check(t, st.Put(t.Context(), "config", []byte("x")))
	again, err := local.Create(dir)
	check(t, err)
	is(t, again.Put(t.Context(), "config", []byte("y")), fs.ErrExist)
}

func TestAFileIsNoStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	check(t, os.WriteFile(path, nil, 0o600))
	if _, err := local.New(path); err == nil {
		t.Error("a file is opened as a store")
	}
	for _, dir := range []string{path, filepath.Join(path, "below")} {
		if _, err := local.Create(dir); err == nil {
			t.Errorf("a store is created in %s", dir)
		}
	}
}

func TestAMissingFolderIsAbsent(t *testing.T) {
	_, err := local.New(filepath.Join(t.TempDir(), "missing"))
	is(t, err, storage.ErrAbsent)
}

// isAbsent checks that every operation says so, and none that a file is missing.
func isAbsent(t *testing.T, st *local.Store) {
	t.Helper()
	_, open := st.Open(t.Context(), "config")
	_, clean := st.CleanTemp(t.Context(), 0)
	_, lock := st.Lock(t.Context(), storage.Exclusive, 0)
	listed := errors.New("an empty listing")
	for _, err := range st.List(t.Context(), "packs") {
		listed = err
	}
	for op, err := range map[string]error{
		"open": open, "clean": clean, "list": listed, "lock": lock,
		"put":     st.Put(t.Context(), "config2", []byte("x")),
		"put in":  st.Put(t.Context(), "packs/ab/g", []byte("x")),
		"replace": st.Replace(t.Context(), "config", []byte("x")),
		"remove":  st.Remove(t.Context(), "config"),
	} {
		if !errors.Is(err, storage.ErrAbsent) || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: error is %v, want ErrAbsent alone", op, err)
		}
	}
}

func TestAStoreWhoseFolderVanishesIsAbsent(t *testing.T) {
	st, dir := create(t)
	check(t, st.Put(t.Context(), "packs/ab/f", []byte("x")))
	check(t, os.Rename(dir, dir+".away"))
	isAbsent(t, st)
	check(t, os.Rename(dir+".away", dir))
	check(t, st.Put(t.Context(), "packs/ab/g", []byte("x")))
}

func TestFoldersRemovedUnderTheStoreAreMadeAgain(t *testing.T) {
	st, dir := create(t)
	check(t, st.Put(t.Context(), "packs/ab/f", []byte("x")))
	check(t, os.RemoveAll(filepath.Join(dir, "packs")))
	check(t, st.Put(t.Context(), "packs/ab/f", []byte("x")))
	check(t, os.RemoveAll(filepath.Join(dir, "packs")))
	check(t, st.Replace(t.Context(), "packs/ab/f", []byte("x")))
	check(t, os.RemoveAll(filepath.Join(dir, "tmp")))
	check(t, st.Put(t.Context(), "packs/ab/g", []byte("x")))
}

func TestWhatSystemsDropOnDrivesIsNotListed(t *testing.T) {
	st, dir := create(t)
	check(t, st.Put(t.Context(), "packs/f", []byte("x")))
	for _, path := range []string{"System Volume Information/x", "lost+found/x", ".Trashes/x", "packs/._f", "tmp/x", "$RECYCLE.BIN/x"} {
		path = filepath.Join(dir, path)
		check(t, os.MkdirAll(filepath.Dir(path), 0o700))
		check(t, os.WriteFile(path, nil, 0o600))
	}
	if runtime.GOOS != "windows" {
		check(t, os.Symlink("f", filepath.Join(dir, "packs/link")))
	}
	var got []string
	for info, err := range st.List(t.Context(), "") {
		check(t, err)
		got = append(got, info.Name)
	}
	if !slices.Equal(got, []string{"packs/f"}) {
		t.Errorf("listed are %q", got)
	}
}

func TestOneUnreadableFolderDoesNotHideTheOthers(t *testing.T) {
	st := storagetest.NewCrash()
	for _, name := range []string{"a/f", "b/f", "c/f"} {
		check(t, st.Put(t.Context(), name))
	}
	bad := newOn(t, unreadable{st.FS, "b"})
	var names []string
	failures := 0
	for info, err := range bad.List(t.Context(), "") {
		if err != nil {
			is(t, err, errDrive)
			failures++
		}
		names = append(names, info.Name)
	}
	if failures != 1 || !slices.Equal(names, []string{"a/f", "b", "c/f"}) {
		t.Errorf("listed are %q, with %d failures", names, failures)
	}
}

// unreadable is a file system with a folder that cannot be read.
type unreadable struct {
	*storagetest.CrashFS
	folder string
}

func (u unreadable) ReadDir(path string) ([]fs.DirEntry, error) {
	if strings.HasSuffix(path, u.folder) {
		return nil, errDrive
	}
	return u.CrashFS.ReadDir(path)
}

func TestCleanTempTakesOnlyWhatIsDead(t *testing.T) {
	st, dir := create(t)
	check(t, st.Put(t.Context(), "f", nil)) // st is alive
	dead := filepath.Join(dir, "tmp", "00112233")
	check(t, os.Mkdir(dead, 0o700))
	for _, name := range []string{"lock", "1", "2"} {
		check(t, os.WriteFile(filepath.Join(dead, name), []byte("x"), 0o600))
	}
	clean := func(olderThan time.Duration, want int) {
		t.Helper()
		other, err := local.New(dir)
		check(t, err)
		if n, err := other.CleanTemp(t.Context(), olderThan); n != want || err != nil {
			t.Errorf("removed %d, %v, want %d", n, err, want)
		}
	}
	if n, err := st.DeadRuns(t.Context()); n != 1 || err != nil {
		t.Errorf("of a dead run and a living one %d are seen to be dead, %v", n, err)
	}
	clean(time.Hour, 0)
	if _, err := os.Stat(dead); err != nil {
		t.Error("a young folder was removed")
	}
	old := time.Now().Add(-2 * time.Hour)
	check(t, os.Chtimes(dead, old, old))
	clean(time.Hour, 2)
	if _, err := os.Stat(dead); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a dead folder is left")
	}
	if n, err := st.DeadRuns(t.Context()); n != 0 || err != nil {
		t.Errorf("of a living run alone %d are seen to be dead, %v", n, err)
	}
	clean(0, 0)
	if got := tree(t, filepath.Join(dir, "tmp")); len(got) != 2 {
		t.Errorf("of the living run are left %q", got)
	}
	check(t, st.Put(t.Context(), "g", nil))
}

// lockless is a file system without locks.
type lockless struct{ *storagetest.CrashFS }

func (lockless) TryLock(string, storage.LockMode) (io.Closer, error) {
	return nil, errors.ErrUnsupported
}

func TestWithoutLocksOneCanReadAndAddButNotRemove(t *testing.T) {
	st := newOn(t, lockless{storagetest.NewCrashFS()})
	held, err := st.Lock(t.Context(), storage.Shared, 0)
	check(t, err)
	check(t, st.Put(t.Context(), "packs/ab/f", []byte("x")))
	check(t, held.Close())
	_, err = st.Lock(t.Context(), storage.Exclusive, 0)
	is(t, err, errors.ErrUnsupported)
}

func TestWithoutLocksOnlyTheAgeProvesARunDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := lockless{storagetest.NewCrashFS()}
		fsys.Before = func(op storagetest.FSOp, path string) error {
			if op == storagetest.FSRenameNew || op == storagetest.FSRemove && strings.HasPrefix(path, "tmp") {
				return errDrive // as if the run ended here
			}
			return nil
		}
		is(t, newOn(t, fsys).Put(t.Context(), "f", []byte("x")), errDrive)
		fsys.Before = nil
		st := newOn(t, fsys)
		for _, c := range []struct {
			wait    time.Duration
			removed int
		}{{time.Hour, 0}, {6 * 24 * time.Hour, 0}, {24 * time.Hour, 1}} {
			time.Sleep(c.wait)
			if n, err := st.CleanTemp(t.Context(), 0); n != c.removed || err != nil {
				t.Errorf("removed %d, %v, want %d", n, err, c.removed)
			}
		}
	})
}
