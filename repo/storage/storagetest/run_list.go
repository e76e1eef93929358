package storagetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"chartkeep/repo/storage"
)

func testList(t *testing.T, st storage.Store) {
	names := []string{
		"RESTORE.txt", "a", "a-b/f", "a.b", "b/c/d/e", "b/c/d0", "b/c0", "config",
		"packs/00/1", "packs/00/2", "packs/0a/1", "packs-old", "packs0/1", "q/a-b", "q/a/c",
	}
	slices.Sort(names)
	for _, i := range rand.Perm(len(names)) {
		put(t, st, names[i], []byte(names[i]))
	}
	lists(t, st, "", names...)
	lists(t, st, "packs", "packs/00/1", "packs/00/2", "packs/0a/1")
	lists(t, st, "packs/00", "packs/00/1", "packs/00/2")
	lists(t, st, "b/c", "b/c/d/e", "b/c/d0")
	lists(t, st, "q", "q/a-b", "q/a/c")
	lists(t, st, "pack")
	lists(t, st, "config")
	lists(t, st, "config/x")
	lists(t, st, "nothing/here")
}

func testListInfo(t *testing.T, st storage.Store) {
	begin := time.Now().Add(-time.Minute) // file systems and servers have clocks of their own
	put(t, st, "packs/ab/f", random(12_345))
	put(t, st, "packs/ab/g")
	var sizes []int64
	for info, err := range st.List(t.Context(), "packs") {
		check(t, err)
		sizes = append(sizes, info.Size)
		if info.ModTime.Before(begin) || info.ModTime.After(time.Now().Add(time.Minute)) {
			t.Errorf("%s is of %v, want about now", info.Name, info.ModTime)
		}
	}
	if !slices.Equal(sizes, []int64{12_345, 0}) {
		t.Errorf("sizes are %d", sizes)
	}
}

func testListBreak(t *testing.T, st storage.Store) {
	for i := range 5 {
		put(t, st, fmt.Sprintf("d/%d/f", i))
	}
	n := 0
	for range st.List(t.Context(), "d") {
		if n++; n == 2 {
			break
		}
	}
	n = 0
	for range storage.Names(t.Context(), st, "d") {
		if n++; n == 2 {
			break
		}
	}
}

func testListCancelled(t *testing.T, st storage.Store) {
	for i := range 5 {
		put(t, st, fmt.Sprintf("d/%d/f", i))
	}
	for what, steps := range map[string]func(context.Context, func(error)){
		"listing": func(ctx context.Context, step func(error)) {
			for _, err := range st.List(ctx, "") {
				step(err)
			}
		},
		"naming": func(ctx context.Context, step func(error)) {
			for _, err := range storage.Names(ctx, st, "") {
				step(err)
			}
		},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		n, last := 0, error(nil)
		steps(ctx, func(err error) {
			n, last = n+1, err
			cancel()
		})
		if n != 2 || !errors.Is(last, context.Canceled) {
			t.Errorf("a cancelled %s goes on for %d steps and ends with %v", what, n, last)
		}
	}
}

func testListWhileChanging(t *testing.T, st storage.Store) {
	put(t, st, "a/first")
	put(t, st, "z/last")
	var g errgroup.Group
	g.Go(func() error {
		for i := range 30 {
			name := fmt.Sprintf("m/%d", i)
			if err := st.Put(t.Context(), name, random(100)); err != nil {
				return err
			}
			if err := st.Remove(t.Context(), name); err != nil {
				return err
			}
		}
		return nil
	})
	for range 30 {
		names := list(t, st, "")
		if names[0] != "a/first" || names[len(names)-1] != "z/last" || !slices.IsSorted(names) {
			t.Fatalf("listed %q", names)
		}
	}
	check(t, g.Wait())
}
