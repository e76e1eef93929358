package storagetest

import (
	"context"
	"errors"
	"io/fs"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"chartkeep/repo/storage"
)

func testLocks(t *testing.T, st storage.Store) {
	if _, ok := st.(storage.Locker); !ok {
		t.Skip("the store has no locks")
	}
	for _, c := range []struct {
		held, wanted storage.LockMode
		granted      bool
	}{
		{storage.Shared, storage.Shared, true},
		{storage.Shared, storage.Exclusive, false},
		{storage.Exclusive, storage.Shared, false},
		{storage.Exclusive, storage.Exclusive, false},
	} {
		first := lock(t, st, c.held)
		second, err := storage.Lock(t.Context(), st, c.wanted, 0)
		switch {
		case c.granted:
			check(t, err)
			check(t, second.Close())
		case !errors.Is(err, storage.ErrLocked):
			t.Errorf("%v beside %v: error %v, want ErrLocked", c.wanted, c.held, err)
		}
		check(t, first.Close())
		check(t, lock(t, st, c.wanted).Close())
	}
	lists(t, st, "") // a lock is no file
}

func testLockWait(t *testing.T, st storage.Store) {
	if _, ok := st.(storage.Locker); !ok {
		t.Skip("the store has no locks")
	}
	held := lock(t, st, storage.Exclusive)
	begin := time.Now()
	_, err := storage.Lock(t.Context(), st, storage.Shared, 50*time.Millisecond)
	is(t, err, storage.ErrLocked)
	if waited := time.Since(begin); waited < 50*time.Millisecond {
		t.Errorf("waited %v only", waited)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = storage.Lock(ctx, st, storage.Shared, -1)
	is(t, err, context.DeadlineExceeded)

	for _, wait := range []time.Duration{time.Minute, -1} {
		var g errgroup.Group
		g.Go(func() error {
			next, err := storage.Lock(t.Context(), st, storage.Exclusive, wait)
			if err != nil {
				return err
			}
			return next.Close()
		})
		time.Sleep(10 * time.Millisecond)
		check(t, held.Close())
		check(t, g.Wait())
		held = lock(t, st, storage.Exclusive)
	}
	check(t, held.Close())
}

func testRunLock(t *testing.T, st storage.Store) {
	if _, ok := st.(storage.RunLocker); !ok {
		t.Skip("the store has no lock of runs")
	}
	run, err := storage.LockRun(t.Context(), st, 0)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("the store has no lock of runs")
	}
	check(t, err)
	_, err = storage.LockRun(t.Context(), st, 10*time.Millisecond)
	is(t, err, storage.ErrLocked)
	if _, ok := st.(storage.Locker); ok {
		check(t, lock(t, st, storage.Exclusive).Close()) // the other lock is free
	}
	put(t, st, "packs/ab/f", []byte("by the run"))
	lists(t, st, "", "packs/ab/f") // a lock is no file
	check(t, run.Close())
	run, err = storage.LockRun(t.Context(), st, 0)
	check(t, err)
	check(t, run.Close())
}

func testUncache(t *testing.T, st storage.Store) {
	put(t, st, "packs/ab/f", []byte("content"))
	err := storage.Uncache(t.Context(), st, "packs/ab/f")
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("the store has no cache, or no way round it")
	}
	check(t, err)
	holds(t, st, "packs/ab/f", []byte("content"))
	is(t, storage.Uncache(t.Context(), st, "packs/ab/none"), fs.ErrNotExist)
	is(t, storage.Uncache(t.Context(), st, "tmp/x"), fs.ErrInvalid)
}

func testReplace(t *testing.T, st storage.Store) {
	if _, ok := st.(storage.Replacer); !ok {
		t.Skip("the store does not replace")
	}
	replace := func(name string, parts ...[]byte) error { return storage.Replace(t.Context(), st, name, parts...) }
	put(t, st, "packs/ab/f", []byte("damaged"))
	before := open(t, st, "packs/ab/f")
	defer before.Close()
	check(t, replace("packs/ab/f", []byte("hea"), []byte("led")))
	holds(t, st, "packs/ab/f", []byte("healed"))
	p := make([]byte, before.Size())
	if n, _ := before.ReadAt(p, 0); string(p[:n]) != "damaged" {
		t.Errorf("an open file turned into %q", p[:n])
	}
	check(t, replace("packs/cd/g", []byte("lost and found")))
	holds(t, st, "packs/cd/g", []byte("lost and found"))
	is(t, replace("tmp/x"), fs.ErrInvalid)
	lists(t, st, "", "packs/ab/f", "packs/cd/g")
}

func testSpace(t *testing.T, st storage.Store) {
	free, total, err := storage.FreeSpace(t.Context(), st)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("the store does not know")
	}
	check(t, err)
	if free == 0 || free > total {
		t.Errorf("%d bytes are free of %d", free, total)
	}
}
