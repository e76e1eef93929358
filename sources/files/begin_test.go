package files

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"chartkeep/sources"
)

// begunSource is a source of 3 folders with 3 files each, and what was listed of it.
func begunSource(t *testing.T) (s *Source, root string, listed *atomic.Int64) {
	t.Helper()
	root = memoryDir(t)
	for i := range 9 {
		put(t, filepath.Join(root, fmt.Sprint(i/3), fmt.Sprint(i)), "")
	}
	s, err := New(Options{Paths: []string{root}})
	if err != nil {
		t.Fatal(err)
	}
	listed = new(atomic.Int64)
	s.hook = func(string) { listed.Add(1) }
	return s, root, listed
}

func entriesBelow(ctx context.Context, s *Source, root string) (list []sources.Entry) {
	for e := range s.Entries(ctx) {
		if within := entryPath(root); len(e.Path) >= len(within) && e.Path[:len(within)] == within {
			list = append(list, e)
		}
	}
	return list
}

// TestAWalkThatWasBegunGoesOn with what it has listed, and the next begins anew.
func TestAWalkThatWasBegunGoesOn(t *testing.T) {
	s, root, listed := begunSource(t)
	s.Begin()
	defer s.GiveUp()
	for try := 0; !s.begun.Load().listedAll(); try++ {
		if time.Sleep(time.Millisecond); try == 5000 {
			t.Fatal("nothing is listed before it is asked for")
		}
	}
	n := listed.Load()
	put(t, filepath.Join(root, "1", "late"), "")
	first := relative(t, entriesBelow(t.Context(), s, root), root)
	if listed.Load() != n || slices.Contains(first, "1/late") {
		t.Errorf("%d folders are listed again, or not before: %q", listed.Load()-n, first)
	}
	put(t, filepath.Join(root, "2", "later"), "")
	wantPaths(t, relative(t, entriesBelow(t.Context(), s, root), root), independent(t, root))
}

func (w *walk) listedAll() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.queue.head == nil
}

// TestAWalkThatIsGivenUpEnds, with all it holds open, and another can follow.
func TestAWalkThatIsGivenUpEnds(t *testing.T) {
	s, root, _ := begunSource(t)
	s.Begin()
	w := s.begun.Load()
	s.GiveUp()
	if w.pool.newest != nil {
		t.Errorf("%d folders stay open", w.pool.idle)
	}
	wantPaths(t, relative(t, entriesBelow(t.Context(), s, root), root), independent(t, root))
	s.Begin()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if list := entriesBelow(ctx, s, root); len(list) > 0 && list[len(list)-1].Err == nil {
		t.Errorf("%d entries after the end", len(list))
	}
}
