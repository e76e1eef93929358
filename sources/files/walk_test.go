package files

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"chartkeep/sources"
)

func TestEntriesAreInOrderAndComplete(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 1))
		root := memoryDir(t)
		grow(t, root, r, 20+r.IntN(800))
		o := Options{Paths: []string{root}, Concurrency: []int{1, 2, 8, 32}[seed%4]}
		wantPaths(t, relative(t, walkAll(t, o, root), root), independent(t, root))
	}
}

func TestAFolderOfManyBatchesIsInOrderAndComplete(t *testing.T) {
	root := memoryDir(t)
	for i := range 3*batchSize + 3 {
		name := filepath.Join(root, fmt.Sprintf("%x", i*7919%100003))
		if i%100 == 0 {
			put(t, filepath.Join(name, "inside"), "")
			continue
		}
		put(t, name, "")
	}
	wantPaths(t, relative(t, walkAll(t, Options{Paths: []string{root}}, root), root), independent(t, root))
}

func TestTheWalkDoesNotRunAwayFromASlowReader(t *testing.T) {
	root := memoryDir(t)
	for i := range 60 {
		for j := range 20 {
			put(t, filepath.Join(root, fmt.Sprintf("%03d", i), fmt.Sprintf("%03d", j)), "")
		}
	}
	s, err := New(Options{Paths: []string{root}, Concurrency: 4})
	if err != nil {
		t.Fatal(err)
	}
	s.aheadLimit = 100
	n, most := 0, 0
	w := s.start()
	w.serve(t.Context(), func(sources.Entry) bool {
		n++
		if n == 200 || n == 900 {
			time.Sleep(50 * time.Millisecond)
		}
		w.mu.Lock()
		ahead := w.ahead
		w.mu.Unlock()
		most = max(most, ahead)
		return true
	})
	// Each worker may have begun a folder below the limit.
	if allowed := 100 + 4*(20+batchCost) + 60 + batchCost; most > allowed {
		t.Errorf("%d entries ahead of the reader, at most %d are allowed", most, allowed)
	}
	if n < 60*21 {
		t.Errorf("%d entries", n)
	}
}

func TestFoldersAboveTheGivenPathsAreEntries(t *testing.T) {
	root := t.TempDir()
	put(t, filepath.Join(root, "a", "b", "wanted"), "x")
	put(t, filepath.Join(root, "a", "b", "other"), "x")
	put(t, filepath.Join(root, "c", "file"), "x")
	put(t, filepath.Join(root, "unseen"), "x")
	s, err := New(Options{Paths: []string{filepath.Join(root, "c"), filepath.Join(root, "a", "b", "wanted")}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for e := range s.Entries(t.Context()) {
		if e.Err != nil || e.Content == nil {
			t.Errorf("%s: %v", e.Path, e.Err)
		}
		got = append(got, e.Path)
	}
	var want []string
	for p := entryPath(root); ; p = parentOf(p) {
		want = append([]string{p}, want...)
		if p == "/" {
			break
		}
	}
	for _, p := range []string{"/a", "/a/b", "/a/b/wanted", "/c", "/c/file"} {
		want = append(want, entryPath(root)+p)
	}
	wantPaths(t, got, want)
}

func TestOverlappingPathsAreWalkedOnce(t *testing.T) {
	root := t.TempDir()
	put(t, filepath.Join(root, "a", "b", "x"), "")
	put(t, filepath.Join(root, "a", "c"), "")
	put(t, filepath.Join(root, "ab"), "")
	a := filepath.Join(root, "a")
	o := Options{Paths: []string{
		filepath.Join(a, "b", "x"), a, a + string(filepath.Separator), filepath.Join(a, "b"),
		filepath.Join(root, "ab"), filepath.Join(root, "ab"), filepath.Join(a, "..", "a", "c"),
	}}
	wantPaths(t, relative(t, walkAll(t, o, root), root), []string{"a", "a/b", "a/b/x", "a/c", "ab"})
}

func TestAPathThatDoesNotExistIsAnEntryWithAnError(t *testing.T) {
	root := t.TempDir()
	put(t, filepath.Join(root, "file"), "")
	o := Options{
		Paths:     []string{filepath.Join(root, "none"), filepath.Join(root, "file", "below"), filepath.Join(root, "file")},
		FilesFrom: []string{filepath.Join(root, "no*")},
	}
	missing := map[string]bool{}
	for _, e := range walkAll(t, o, root) {
		if e.Err != nil {
			missing[strings.TrimPrefix(e.Path, entryPath(root)+"/")] = true
			if e.Content != nil {
				t.Errorf("%s has both content and an error", e.Path)
			}
		}
	}
	for _, name := range []string{"none", "no*"} {
		if !missing[name] {
			t.Errorf("nothing says that %s is missing", name)
		}
	}
}

func TestAFileAsFolderIsAnEntryWithAnError(t *testing.T) {
	root := t.TempDir()
	put(t, filepath.Join(root, "file"), "")
	list := walkAll(t, Options{Paths: []string{filepath.Join(root, "file", "below")}}, root)
	if last := list[len(list)-1]; last.Err == nil || last.Path != entryPath(root)+"/file" {
		t.Errorf("got %s with error %v", last.Path, last.Err)
	}
}

func TestPathsFromAListMayBePatterns(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"a1", "a2", "b1", "lit*eral"} {
		put(t, filepath.Join(root, name), "")
	}
	o := Options{FilesFrom: []string{filepath.Join(root, "a*"), filepath.Join(root, "lit*eral")}}
	wantPaths(t, relative(t, walkAll(t, o, root), root), []string{"a1", "a2", "lit*eral"})
}

func TestNewRefusesWhatCannotBeWalked(t *testing.T) {
	for name, o := range map[string]Options{
		"no path":           {},
		"empty path":        {Paths: []string{""}},
		"zero byte":         {Paths: []string{"a\x00b"}},
		"malformed pattern": {Paths: []string{"/"}, Excludes: []string{"[a"}},
		"empty pattern":     {Paths: []string{"/"}, Excludes: []string{"!"}},
		"folded malformed":  {Paths: []string{"/"}, FoldedExcludes: []string{"a[]"}},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestWhatVanishesBeforeItIsSeenIsNotThere(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"a", "b", "c"} {
		put(t, filepath.Join(root, name), "")
	}
	s, err := New(Options{Paths: []string{root}})
	if err != nil {
		t.Fatal(err)
	}
	w := s.newWalk()
	defer w.pool.retire()
	b := &branch{folder: topFolder(w.pool, root), path: entryPath(root)}
	scratch := newScratch()
	if b.names, _, err = w.namesOf(b, scratch); err != nil || b.names.len() != 3 {
		t.Fatal(b.names.len(), err)
	}
	if err := os.Remove(filepath.Join(root, "b")); err != nil {
		t.Fatal(err)
	}
	tt := &batch{branch: b, to: 3}
	w.fill(tt, scratch)
	wantPaths(t, relative(t, tt.entries, root), []string{"a", "c"})
}

func TestAFolderThatVanishesIsNotThere(t *testing.T) {
	root := t.TempDir()
	put(t, filepath.Join(root, "a", "x"), "")
	put(t, filepath.Join(root, "b", "x"), "")
	s, err := New(Options{Paths: []string{root}, Concurrency: 1})
	if err != nil {
		t.Fatal(err)
	}
	s.hook = func(path string) {
		if path == entryPath(root)+"/a" {
			os.RemoveAll(filepath.Join(root, "a"))
		}
	}
	var got []string
	for e := range s.Entries(t.Context()) {
		if rest, ok := strings.CutPrefix(e.Path, entryPath(root)+"/"); ok {
			got = append(got, fmt.Sprint(rest, " ", e.Err != nil))
		}
	}
	wantPaths(t, got, []string{"b false", "b/x false"})
}

func TestAGivenFolderThatVanishesIsAnError(t *testing.T) {
	root := filepath.Join(t.TempDir(), "given")
	put(t, filepath.Join(root, "x"), "")
	s, err := New(Options{Paths: []string{root}})
	if err != nil {
		t.Fatal(err)
	}
	s.hook = func(path string) {
		if path == entryPath(root) {
			os.RemoveAll(root)
		}
	}
	var last sources.Entry
	for e := range s.Entries(t.Context()) {
		last = e
	}
	if last.Path != entryPath(root) || last.Err == nil {
		t.Errorf("the last entry is %s, %v", last.Path, last.Err)
	}
}

func TestLeavingTheLoopEndsTheWalk(t *testing.T) {
	root := memoryDir(t)
	grow(t, root, rand.New(rand.NewPCG(1, 1)), 300)
	s, err := New(Options{Paths: []string{root}})
	if err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	for n := range 30 {
		i := 0
		for range s.Entries(t.Context()) {
			if i++; i > n {
				break
			}
		}
	}
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}

func TestCancellingYieldsTheContextsErrorLast(t *testing.T) {
	root := memoryDir(t)
	for i := range 300 { // in one batch, which is there when the first is yielded
		put(t, filepath.Join(root, fmt.Sprintf("%03d", i)), "")
	}
	s, err := New(Options{Paths: []string{root}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	var last sources.Entry
	for e := range s.Entries(ctx) {
		if n++; n == 100 {
			cancel()
		}
		last = e
	}
	if last.Err != context.Canceled || n != 101 {
		t.Errorf("after %d entries the last has error %v", n, last.Err)
	}
}

// A folder that is slow to list is overtaken by those after it, until they
// fill what may be read ahead; what then is found in it must still be read.
func TestTheWalkDoesNotStandStillBehindASlowFolder(t *testing.T) {
	root := memoryDir(t)
	put(t, filepath.Join(root, "0", "a", "b", "x"), "")
	for i := range 40 {
		for j := range 20 {
			put(t, filepath.Join(root, fmt.Sprint("1", i), fmt.Sprint(j)), "")
		}
	}
	s, err := New(Options{Paths: []string{root}, Concurrency: 4})
	if err != nil {
		t.Fatal(err)
	}
	s.aheadLimit = 100
	s.hook = func(path string) {
		if path == entryPath(root)+"/0" {
			time.Sleep(50 * time.Millisecond)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for e := range s.Entries(ctx) {
		if e.Err != nil {
			t.Fatal(e.Err)
		}
	}
}

func TestASourceCanBeWalkedAgain(t *testing.T) {
	root := t.TempDir()
	put(t, filepath.Join(root, "a"), "")
	s, err := New(Options{Paths: []string{root}})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{1, 2} {
		n := 0
		for e := range s.Entries(t.Context()) {
			if strings.HasPrefix(e.Path, entryPath(root)+"/") {
				n++
			}
		}
		if n != want {
			t.Errorf("%d entries, want %d", n, want)
		}
		put(t, filepath.Join(root, "b"), "")
	}
}
