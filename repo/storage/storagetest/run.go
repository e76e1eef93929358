package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"chartkeep/repo/storage"
)

// Run tests that the stores which empty returns keep the contract of
// storage.Store, and of each of the optional interfaces that they have. Every
// call of it returns a new one that is empty.
func Run(t *testing.T, empty func(t *testing.T) storage.Store) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, st storage.Store)
	}{
		{"what was put is read", testPutOpen},
		{"parts are joined", testParts},
		{"a file is read at any offset", testReadAt},
		{"a large file is read in parallel", testLarge},
		{"nothing is overwritten", testNoOverwrite},
		{"a missing file is not there", testMissing},
		{"a removed name is free again", testRemove},
		{"a listing is sorted and deep", testList},
		{"a listing tells size and time", testListInfo},
		{"a listing ends when asked", testListBreak},
		{"a listing ends with its context", testListCancelled},
		{"names that are not plain are refused", testInvalidNames},
		{"a cancelled call does nothing", testCancelled},
		{"files are put in parallel", testParallel},
		{"of many puts to one name one wins", testRace},
		{"a listing goes together with changes", testListWhileChanging},
		{"a small file is read whole", testReadAll},
		{"locks exclude", testLocks},
		{"a lock is waited for", testLockWait},
		{"one run at a time has the lock of runs", testRunLock},
		{"a file is read again when it is not cached", testUncache},
		{"a file is replaced", testReplace},
		{"space is told", testSpace},
	} {
		t.Run(c.name, func(t *testing.T) {
			st := empty(t)
			defer func() { check(t, storage.Close(st)) }()
			c.test(t, st)
		})
	}
}

func testPutOpen(t *testing.T, st storage.Store) {
	for _, size := range []int{0, 1, 511, 512, 4096, 100_000} {
		name := fmt.Sprintf("packs/ab/%d", size)
		want := random(size)
		put(t, st, name, want)
		holds(t, st, name, want)
	}
}

func testParts(t *testing.T, st storage.Store) {
	check(t, st.Put(t.Context(), "none"))
	holds(t, st, "none", nil)
	a, b := random(70_000), random(3)
	put(t, st, "some", nil, a, []byte{}, b, b)
	put(t, st, "one", a)
	kept := slices.Clone(a)
	clear(a) // the parts are the caller's again
	holds(t, st, "some", slices.Concat(kept, b, b))
	holds(t, st, "one", kept)
}

func testReadAt(t *testing.T, st storage.Store) {
	want := random(1000)
	put(t, st, "f", want)
	f := open(t, st, "f")
	defer f.Close()
	for _, c := range []struct {
		off  int64
		size int
		n    int
		err  error
	}{
		{0, 10, 10, nil},
		{500, 100, 100, nil},
		{990, 20, 10, io.EOF},
		{1000, 1, 0, io.EOF},
		{5000, 1, 0, io.EOF},
	} {
		p := make([]byte, c.size)
		n, err := f.ReadAt(p, c.off)
		if n != c.n || err != c.err {
			t.Errorf("ReadAt(%d bytes, %d) = %d, %v, want %d, %v", c.size, c.off, n, err, c.n, c.err)
		}
		if n > 0 && !bytes.Equal(p[:n], want[c.off:][:n]) {
			t.Errorf("ReadAt(%d bytes, %d) gives wrong bytes", c.size, c.off)
		}
	}
	if n, err := f.ReadAt(make([]byte, 1), -1); n != 0 || err == nil {
		t.Errorf("ReadAt before the beginning = %d, %v, want an error", n, err)
	}
}

func testLarge(t *testing.T, st storage.Store) {
	want := random(9<<20 + 7)
	put(t, st, "large", want[:5<<20], want[5<<20:])
	f := open(t, st, "large")
	defer f.Close()
	var g errgroup.Group
	for i := range 8 {
		g.Go(func() error {
			off := i * len(want) / 8
			p := make([]byte, len(want)/8)
			if _, err := f.ReadAt(p, int64(off)); err != nil {
				return err
			}
			if !bytes.Equal(p, want[off:][:len(p)]) {
				return fmt.Errorf("wrong bytes at %d", off)
			}
			return nil
		})
	}
	check(t, g.Wait())
}

func testNoOverwrite(t *testing.T, st storage.Store) {
	put(t, st, "snapshots/a", []byte("old"))
	for _, b := range []string{"new content", "old", ""} {
		is(t, st.Put(t.Context(), "snapshots/a", []byte(b)), fs.ErrExist)
		holds(t, st, "snapshots/a", []byte("old"))
	}
	lists(t, st, "", "snapshots/a")
}

func testMissing(t *testing.T, st storage.Store) {
	put(t, st, "packs/ab/f", []byte("x"))
	for _, name := range []string{"nothing", "packs", "packs/ab", "packs/ab/g", "packs/ab/f/g", "sessions/ab"} {
		_, err := st.Open(t.Context(), name)
		is(t, err, fs.ErrNotExist)
		is(t, st.Remove(t.Context(), name), fs.ErrNotExist)
	}
	lists(t, st, "", "packs/ab/f")
}

func testRemove(t *testing.T, st storage.Store) {
	put(t, st, "index/a", []byte("first"))
	put(t, st, "index/b", []byte("other"))
	check(t, st.Remove(t.Context(), "index/a"))
	is(t, st.Remove(t.Context(), "index/a"), fs.ErrNotExist)
	lists(t, st, "index", "index/b")
	put(t, st, "index/a", []byte("second"))
	holds(t, st, "index/a", []byte("second"))
	check(t, st.Remove(t.Context(), "index/a"))
	check(t, st.Remove(t.Context(), "index/b"))
	lists(t, st, "")
	put(t, st, "index/a", []byte("third")) // in a folder that is empty now
	holds(t, st, "index/a", []byte("third"))
}

func testInvalidNames(t *testing.T, st storage.Store) {
	for _, name := range []string{
		"", ".", "..", "/", "/a", "a/", "a//b", "../a", "a/../b", "a/./b", "a\\b", "c:", "a b", "a\x00", "ä", ".hidden",
		"tmp", "tmp/a", "lock", "-a", "a.", strings.Repeat("a", 300), strings.Repeat("a/", 1000) + "a",
	} {
		_, err := st.Open(t.Context(), name)
		is(t, err, fs.ErrInvalid)
		is(t, st.Put(t.Context(), name, []byte("x")), fs.ErrInvalid)
		is(t, st.Remove(t.Context(), name), fs.ErrInvalid)
		if name == "" { // the folder of all
			continue
		}
		for _, err := range st.List(t.Context(), name) {
			is(t, err, fs.ErrInvalid)
		}
	}
	lists(t, st, "")
}

func testCancelled(t *testing.T, st storage.Store) {
	put(t, st, "f", []byte("x"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	is(t, st.Put(ctx, "g", []byte("y")), context.Canceled)
	is(t, st.Remove(ctx, "f"), context.Canceled)
	_, err := st.Open(ctx, "f")
	is(t, err, context.Canceled)
	lists(t, st, "", "f")
}

func testParallel(t *testing.T, st storage.Store) {
	var g errgroup.Group
	var names []string
	for i := range 64 {
		name := fmt.Sprintf("packs/%02x/%d", i%5, i)
		names = append(names, name)
		g.Go(func() error {
			return st.Put(t.Context(), name, []byte(name), bytes.Repeat([]byte{byte(i)}, 3000))
		})
	}
	check(t, g.Wait())
	slices.Sort(names)
	lists(t, st, "", names...)
	for i := range 64 {
		name := fmt.Sprintf("packs/%02x/%d", i%5, i)
		holds(t, st, name, append([]byte(name), bytes.Repeat([]byte{byte(i)}, 3000)...))
	}
}

func testRace(t *testing.T, st storage.Store) {
	for round := range 5 {
		name := fmt.Sprintf("index/%d", round)
		var won atomic.Int32
		var g errgroup.Group
		for i := range 8 {
			g.Go(func() error {
				err := st.Put(t.Context(), name, bytes.Repeat([]byte{byte(i)}, 2000))
				if err == nil {
					won.Store(won.Load()*100 + int32(i) + 1)
				} else if !errors.Is(err, fs.ErrExist) {
					return err
				}
				return nil
			})
		}
		check(t, g.Wait())
		if won.Load() < 1 || won.Load() > 8 {
			t.Fatalf("winners are %d", won.Load())
		}
		holds(t, st, name, bytes.Repeat([]byte{byte(won.Load() - 1)}, 2000))
	}
}

func testReadAll(t *testing.T, st storage.Store) {
	want := random(5000)
	put(t, st, "config", want)
	b, err := storage.ReadAll(t.Context(), st, "config", 5000)
	check(t, err)
	if !bytes.Equal(b, want) {
		t.Error("wrong bytes")
	}
	if _, err := storage.ReadAll(t.Context(), st, "config", 4999); err == nil {
		t.Error("a file above the limit is read")
	}
	_, err = storage.ReadAll(t.Context(), st, "nothing", 1)
	is(t, err, fs.ErrNotExist)
}
