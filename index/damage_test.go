package index

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const damageSegments = 4

// makeCache fills a cache, in several runs, so that it has files of every kind, and closes it.
func makeCache(t *testing.T, dir string) {
	t.Helper()
	for n := range damageSegments {
		ix, err := Open(dir, [32]byte{1}, childOptions)
		if err != nil {
			t.Fatal(err)
		}
		if err := ix.Import(fmt.Sprint(n), crashSegment(n)); err != nil {
			t.Fatal(err)
		}
		if err := ix.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// damages are ways to spoil a file.
var damages = map[string]func(name string, b []byte) error{
	"removed":   func(name string, b []byte) error { return os.Remove(name) },
	"emptied":   func(name string, b []byte) error { return os.Truncate(name, 0) },
	"cut short": func(name string, b []byte) error { return os.Truncate(name, int64(len(b)/2)) },
	"longer": func(name string, b []byte) error {
		return os.WriteFile(name, append(b, "something else"...), 0o600)
	},
	"zeroed": func(name string, b []byte) error {
		clear(b)
		return os.WriteFile(name, b, 0o600)
	},
	"garbled": func(name string, b []byte) error {
		fill(rand.New(rand.NewPCG(1, 1)), b)
		return os.WriteFile(name, b, 0o600)
	},
	"changed in bits": func(name string, b []byte) error {
		for at := 10; at < len(b); at += 1 + len(b)/50 {
			b[at] ^= 4
		}
		return os.WriteFile(name, b, 0o600)
	},
}

func spoilFile(t *testing.T, name string, spoil func(name string, b []byte) error) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := spoil(name, b); err != nil {
		t.Fatal(err)
	}
}

// checkDamaged uses a cache that may be damaged. What it says has to be true, and when it is in trouble it has to say
// so and be empty next time.
func checkDamaged(t *testing.T, dir string) {
	t.Helper()
	err := useCache(dir)
	if errors.Is(err, ErrDamaged) {
		err = useCache(dir)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func useCache(dir string) error {
	ix, err := Open(dir, [32]byte{1}, childOptions)
	if err != nil {
		return err
	}
	defer ix.Close()
	names, err := ix.Segments()
	if err != nil {
		return err
	}
	for n := range damageSegments + 1 {
		for _, d := range crashSegment(n) {
			for _, b := range d.Blocks {
				places, err := ix.Lookup(b.Chunks[0].ID)
				if err != nil {
					return err
				}
				if listed := names[fmt.Sprint(n)]; listed != (len(places) == 1) {
					return fmt.Errorf("segment %d is listed: %v; chunk is at %v", n, listed, places)
				}
			}
		}
	}
	if err := ix.Import("new", crashSegment(damageSegments+1)); err != nil {
		return err
	}
	return ix.Close()
}

func TestDamagedFilesNeverMislead(t *testing.T) {
	good := t.TempDir()
	makeCache(t, good)
	entries, err := os.ReadDir(filepath.Join(good, "badger"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		for how, spoil := range damages {
			t.Run(e.Name()+" "+how, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				copyCache(t, good, dir)
				spoilFile(t, filepath.Join(dir, "badger", e.Name()), spoil)
				checkDamaged(t, dir)
			})
		}
	}
}

// Nobody can say which files of a process that was killed are damaged before they are opened. So whoever opens them
// may die of it, but only once.
func TestDamageInAnUnclosedCacheIsOvercome(t *testing.T) {
	good := t.TempDir()
	makeCache(t, good)
	killChild(t, good, 30*time.Millisecond)
	entries, err := os.ReadDir(filepath.Join(good, "badger"))
	if err != nil {
		t.Fatal(err)
	}
	hows := slices.Sorted(maps.Keys(damages))
	for _, e := range entries {
		how := hows[rand.IntN(len(hows))]
		t.Run(e.Name()+" "+how, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			copyCache(t, good, dir)
			spoilFile(t, filepath.Join(dir, "badger", e.Name()), damages[how])
			checkOvercome(t, dir)
		})
	}
}

// checkOvercome lets processes use a cache until one is content. None may be misled.
func checkOvercome(t *testing.T, dir string) {
	t.Helper()
	for range 3 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+dir, childUses+"=1")
		out, _ := cmd.Output()
		if string(out) == childContent {
			return
		}
		if said := string(out); said != "" && !strings.Contains(said, ErrDamaged.Error()) {
			t.Fatal(said)
		}
	}
	t.Fatal("three died in a row")
}

func TestUndamagedCacheKeepsAll(t *testing.T) {
	dir := t.TempDir()
	makeCache(t, dir)
	if n := checkCrashed(t, dir); n != damageSegments {
		t.Fatalf("%d segments", n)
	}
}

func TestForeignCacheIsReplaced(t *testing.T) {
	for name, spoil := range map[string]func(dir string) error{
		"other key": func(dir string) error {
			ix, err := Open(dir, [32]byte{2}, Options{})
			if err != nil {
				return err
			}
			return errors.Join(ix.Import("other", crashSegment(1)), ix.Close())
		},
		"other files": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "badger", "MANIFEST"), []byte("x"), 0o600)
		},
		"a file": func(dir string) error {
			return errors.Join(os.RemoveAll(dir+"/badger"), os.WriteFile(dir+"/badger", nil, 0o600))
		},
		"no state":      func(dir string) error { return os.Remove(filepath.Join(dir, "state")) },
		"strange state": func(dir string) error { return os.WriteFile(filepath.Join(dir, "state"), []byte("fine"), 0o600) },
		"died opening it": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "state"), []byte(stateOpening), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			makeCache(t, dir)
			if err := spoil(dir); err != nil {
				t.Fatal(err)
			}
			if n := checkCrashed(t, dir); n != 0 {
				t.Fatalf("%d segments", n)
			}
			checkDamaged(t, dir)
		})
	}
}

func TestOtherVersionIsReplaced(t *testing.T) {
	dir := t.TempDir()
	ix := openTemp(t, dir)
	if err := ix.Import("x", crashSegment(1)); err != nil {
		t.Fatal(err)
	}
	root := appendRoot(nil, &ix.cat, ix.base)
	root[0]++
	if err := errors.Join(ix.shelf.commit(root), ix.Close()); err != nil {
		t.Fatal(err)
	}
	if n := checkCrashed(t, dir); n != 0 {
		t.Fatalf("%d segments", n)
	}
}

func TestUnwritableDirectoryIsAnError(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "file", "cache")
	if err := os.WriteFile(filepath.Dir(dir), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if ix, err := Open(dir, [32]byte{1}, Options{}); err == nil {
		t.Fatal("opened", ix.Close())
	}
}

func TestNothingIsReadableOnDisk(t *testing.T) {
	dir := t.TempDir()
	ix := openTemp(t, dir)
	d := crashSegment(1)[0]
	if err := errors.Join(ix.Import("canary in a segment's name", []*Directory{d}), ix.Close()); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(dir, func(name string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for what, canary := range map[string]string{
			"segment": "canary", "pack": string(d.Pack[:]), "chunk": string(d.Blocks[0].Chunks[0].ID[:8]),
		} {
			if bytes.Contains(b, []byte(canary)) || strings.Contains(name, canary) {
				t.Errorf("%s is readable in %s", what, name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestUnclosedCacheIsVerified(t *testing.T) {
	dir := t.TempDir()
	makeCache(t, dir)
	logs, err := filepath.Glob(filepath.Join(dir, "badger", "*.vlog"))
	if err != nil {
		t.Fatal(err)
	}
	spoilFile(t, logs[0], damages["changed in bits"])
	if err := os.WriteFile(filepath.Join(dir, "state"), []byte(stateOpen), 0o600); err != nil {
		t.Fatal(err)
	}
	if n := checkCrashed(t, dir); n != 0 {
		t.Fatalf("%d segments", n)
	}
}

func TestUnclosedCacheIsSwept(t *testing.T) {
	dir, copied := t.TempDir(), t.TempDir()
	ix := openTemp(t, dir)
	if err := errors.Join(ix.Import("listed", crashSegment(1)), ix.Add(syntheticPack(5, 0, 5000))); err != nil {
		t.Fatal(err)
	}
	copyCache(t, dir, copied)
	if err := ix.Close(); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{dir, copied} {
		ix := openTemp(t, dir)
		count := 0
		if err := ix.shelf.keys(func(key) { count++ }); err != nil {
			t.Fatal(err)
		}
		if want := 4; count != want { // root, segment, two parts
			t.Errorf("%d values instead of %d", count, want)
		}
		if err := ix.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// After a crash a number may be given again whose earlier value is still there.
func TestStaleValuesAreNotTaken(t *testing.T) {
	for name, put := range map[string]func(ix *Index) record{
		"part of another pack": func(*Index) record {
			var w partWriter
			w.appendPack(syntheticPack(7, 0, 500), nil)
			return record{key: partKey(0), value: w.part()}
		},
		"part with fewer chunks": func(*Index) record {
			var w partWriter
			w.appendPack(crashSegment(1)[0], nil)
			return record{key: partKey(0), value: w.part()}
		},
		"part that is none": func(*Index) record {
			return record{key: partKey(0), value: make([]byte, 100)}
		},
		"segment of the same number": func(ix *Index) record {
			r := ix.cat.segments["night"].records()[0]
			r.tag = make([]byte, 8)
			return r
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			ix := openTemp(t, dir)
			if err := ix.Import("night", crashSegment(1)); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(ix.shelf.put([]record{put(ix)}), ix.Close()); err != nil {
				t.Fatal(err)
			}
			if n := checkCrashed(t, dir); n != 0 {
				t.Fatalf("%d segments", n)
			}
		})
	}
}
