package storagetest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"testing"

	"chartkeep/repo/storage"
)

// outcomes clones the file system many times and counts what becomes of a file.
func outcomes(fsys *CrashFS, path string, describe func(content []byte) string) map[string]int {
	seen := map[string]int{}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		f, err := fsys.Clone(rng).Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			seen["missing"]++
			continue
		}
		info, _ := f.Stat()
		content := make([]byte, info.Size())
		f.ReadAt(content, 0)
		seen[describe(content)]++
	}
	return seen
}

func write(t *testing.T, fsys *CrashFS, path string, content []byte, sync bool) {
	t.Helper()
	f, err := fsys.Create(path)
	check(t, err)
	_, err = f.Write(content)
	check(t, err)
	if sync {
		check(t, f.Sync())
	}
	check(t, f.Close())
}

func against(want []byte) func([]byte) string {
	return func(got []byte) string {
		switch {
		case bytes.Equal(got, want):
			return "whole"
		case len(got) < len(want) && bytes.Equal(got, want[:len(got)]):
			return "short"
		case len(got) == len(want):
			return "holed"
		}
		return "short and holed"
	}
}

func TestAPowerCutDoesAllThatAPowerCutCanDo(t *testing.T) {
	content := bytes.Repeat([]byte("x"), 5000)
	for _, c := range []struct {
		file, folder bool
		want         []string
	}{
		{false, false, []string{"missing", "whole", "short", "holed", "short and holed"}},
		{true, false, []string{"missing", "whole"}},
		{false, true, []string{"whole", "short", "holed", "short and holed"}},
		{true, true, []string{"whole"}},
	} {
		fsys := NewCrashFS()
		write(t, fsys, "f", content, c.file)
		if c.folder {
			check(t, fsys.SyncDir("."))
		}
		got := outcomes(fsys, "f", against(content))
		for _, want := range c.want {
			if got[want] == 0 {
				t.Errorf("file synced %v, folder synced %v: never %s, but %v", c.file, c.folder, want, got)
			}
		}
		if len(got) != len(c.want) {
			t.Errorf("file synced %v, folder synced %v: %v", c.file, c.folder, got)
		}
	}
}

func TestARenameReachesTheMediumInTwoParts(t *testing.T) {
	fsys := NewCrashFS()
	check(t, fsys.Mkdir("a"))
	check(t, fsys.Mkdir("b"))
	check(t, fsys.SyncDir("."))
	write(t, fsys, "a/f", []byte("x"), true)
	check(t, fsys.SyncDir("a"))
	check(t, fsys.Rename("a/f", "b/f"))
	seen := map[string]int{}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		left := fsys.Clone(rng)
		_, old := left.Stat("a/f")
		_, young := left.Stat("b/f")
		seen[fmt.Sprint(old == nil, young == nil)]++
	}
	if len(seen) != 4 {
		t.Errorf("old and new name are there: %v", seen)
	}
	check(t, fsys.SyncDir("b"))
	if got := outcomes(fsys, "b/f", against([]byte("x"))); got["whole"] != 300 {
		t.Errorf("after the sync: %v", got)
	}
}

func TestAReplacedFileIsOldOrNew(t *testing.T) {
	fsys := NewCrashFS()
	write(t, fsys, "f", []byte("old"), true)
	check(t, fsys.SyncDir("."))
	write(t, fsys, "new", []byte("new"), true)
	check(t, fsys.Rename("new", "f"))
	got := outcomes(fsys, "f", func(b []byte) string { return string(b) })
	if len(got) != 2 || got["old"] == 0 || got["new"] == 0 {
		t.Errorf("it is %v", got)
	}
}

func TestAFailedSyncLeavesNothingToSync(t *testing.T) {
	for _, op := range []FSOp{FSSync, FSSyncDir} {
		fsys := NewCrashFS()
		fails := true
		fsys.Before = func(o FSOp, _ string) error {
			if o == op && fails {
				fails = false
				return ErrInjected
			}
			return nil
		}
		f, err := fsys.Create("f")
		check(t, err)
		_, err = f.Write([]byte("x"))
		check(t, err)
		var failed error
		for _, sync := range []func() error{f.Sync, f.Sync, func() error { return fsys.SyncDir(".") }, func() error { return fsys.SyncDir(".") }} {
			if err := sync(); err != nil {
				failed = err
			}
		}
		is(t, failed, ErrInjected)
		if got := outcomes(fsys, "f", against([]byte("x"))); got["whole"] > 0 {
			t.Errorf("after a failed %s and a second one: %v", op, got)
		}
	}
}

func TestACloneDependsOnTheNumbersOnly(t *testing.T) {
	fsys := NewCrashFS()
	for i := range 20 {
		write(t, fsys, fmt.Sprint(i), random(2000), i%2 == 0)
	}
	picture := func(seed uint64) (s string) {
		left := fsys.Clone(rand.New(rand.NewPCG(seed, 0)))
		for i := range 20 {
			f, err := left.Open(fmt.Sprint(i))
			if err != nil {
				continue
			}
			p := make([]byte, 2000)
			n, _ := f.ReadAt(p, 0)
			s += fmt.Sprintln(i, p[:n])
		}
		return s
	}
	first := picture(1)
	if picture(1) != first {
		t.Error("equal numbers give different clones")
	}
	if picture(2) == first {
		t.Error("different numbers give equal clones")
	}
}

func TestACloneLivesByItself(t *testing.T) {
	st := NewCrash()
	put(t, st, "a", []byte("a"))
	held := lock(t, st, storage.Exclusive)
	defer held.Close()
	left := st.Clone(rand.New(rand.NewPCG(1, 2)))
	check(t, lock(t, left, storage.Exclusive).Close()) // the lock went with the power
	put(t, left, "b", []byte("b"))
	put(t, st, "c", []byte("c"))
	lists(t, st, "", "a", "c")
	lists(t, left, "", "a", "b")
}

func TestAFingerprintTellsEveryDifferenceThatAReaderSees(t *testing.T) {
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	c := NewCrashFS()
	write := func(name, data string) {
		f, err := c.Create(name)
		must(err)
		_, err = f.Write([]byte(data))
		must(err)
		must(f.Sync())
	}
	seen := map[[32]byte]string{c.Fingerprint(): "nothing"}
	differs := func(what string) {
		t.Helper()
		sum := c.Fingerprint()
		if was, ok := seen[sum]; ok {
			t.Errorf("%s: the same as %s", what, was)
		}
		seen[sum] = what
	}
	must(c.Mkdir("a"))
	differs("a folder")
	write("a/one", "")
	differs("a file")
	must(c.Rename("a/one", "a/two"))
	differs("another name")
	must(c.Mkdir("b"))
	must(c.Rename("a/two", "b/two"))
	differs("in another folder")
	must(c.Remove("b/two"))
	write("b/two", "2")
	differs("a longer file")
	n, err := c.find("b/two")
	must(err)
	n.data[0]++
	differs("other bytes of the same length")
	n.mod = n.mod.Add(1)
	differs("another time")
	for _, dir := range []string{"a", "b", "."} {
		must(c.SyncDir(dir))
	}
	if c.Clone(rand.New(rand.NewPCG(1, 1))).Fingerprint() != c.Fingerprint() {
		t.Error("what was synced is something else after a cut")
	}
}
