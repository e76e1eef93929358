package index

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	// childEnv makes the test program a process that imports into the cache in the directory it names,
	// and childUses one that looks chunks up in it.
	childEnv  = "CHARTKEEP_INDEX_CHILD"
	childUses = "CHARTKEEP_INDEX_CHILD_USES"

	childContent = "content\n"
)

var childOptions = Options{foldEntries: 2000}

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		os.Exit(child(dir))
	}
	os.Exit(m.Run())
}

func child(dir string) int {
	var err error
	if os.Getenv(childUses) == "" {
		var ready sync.Once
		err = importForEver(dir, func() bool {
			ready.Do(func() { fmt.Println("ready") })
			return true
		})
	} else if err = useCache(dir); err == nil {
		fmt.Print(childContent)
		return 0
	}
	fmt.Println(err)
	return 3
}

// crashChunks is the number of chunks in each segment of the crash tests, and crashPack that in each pack.
const crashChunks, crashPack = 600, 90

func crashSegment(n int) []*Directory {
	first := uint64(n) * crashChunks
	return syntheticSegment(0, first, first+crashChunks, crashPack)
}

// importForEver adds and imports segments 0, 1, 2, …; every fifth is followed by forgetting one before.
// It ends when step returns false.
func importForEver(dir string, step func() bool) (err error) {
	ix, err := Open(dir, [32]byte{1}, childOptions)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ix.Close()) }()
	names, err := ix.Segments()
	if err != nil {
		return err
	}
	n := 0
	for name := range names {
		last := 0
		_, _ = fmt.Sscan(name, &last)
		n = max(n, last+1)
	}
	for ; step(); n++ {
		dirs := crashSegment(n)
		if err := ix.Add(dirs[n%len(dirs)]); err != nil {
			return err
		}
		if err := ix.Import(fmt.Sprint(n), dirs); err != nil {
			return err
		}
		if n%5 == 4 {
			if err := ix.Forget(fmt.Sprint(n - 3)); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkCrashed opens a cache that importForEver left. It may have forgotten segments, but what it says has to be true.
func checkCrashed(t *testing.T, dir string) (segments int) {
	t.Helper()
	ix, err := Open(dir, [32]byte{1}, childOptions)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := ix.Close(); err != nil {
			t.Fatal(err)
		}
	}()
	names, err := ix.Segments()
	if err != nil {
		t.Fatal(err)
	}
	last := -1
	for name := range names {
		n := 0
		_, _ = fmt.Sscan(name, &n)
		last = max(last, n)
	}
	for n := range last + 3 {
		checkSegment(t, ix, n, names[fmt.Sprint(n)])
	}
	return len(names)
}

func checkSegment(t *testing.T, ix *Index, n int, listed bool) {
	t.Helper()
	for _, d := range crashSegment(n) {
		for _, b := range d.Blocks {
			for _, c := range b.Chunks[:min(len(b.Chunks), 3)] {
				places, err := ix.Lookup(c.ID)
				if err != nil {
					t.Fatal(err)
				}
				if listed != (len(places) == 1) || listed && places[0].Pack != d.Pack {
					t.Fatalf("segment %d is listed: %v; chunk is at %v", n, listed, places)
				}
			}
		}
	}
}

func TestCacheSurvivesAKilledProcess(t *testing.T) {
	dir := t.TempDir()
	kept := 0
	for range 5 {
		killChild(t, dir, time.Duration(10+rand.IntN(100))*time.Millisecond)
		now := checkCrashed(t, dir)
		if now < kept-1 { // one may just have been forgotten
			t.Fatalf("of %d segments %d are left", kept, now)
		}
		kept = now
	}
	t.Logf("%d segments", kept)
}

// killChild lets another process import into dir for a while.
func killChild(t *testing.T, dir string, after time.Duration) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	first := make([]byte, len("ready"))
	if _, err := io.ReadFull(out, first); err != nil || string(first) != "ready" {
		t.Fatalf("child says %q: %v", first, err)
	}
	time.Sleep(after)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(out)
	_ = cmd.Wait() // it was killed
	if said := strings.TrimSpace(string(rest)); said != "" {
		t.Fatalf("child says %q", said)
	}
}

func TestBusyCacheIsReportedAtOnce(t *testing.T) {
	dir := t.TempDir()
	ix := openTemp(t, dir)
	begin := time.Now()
	if _, err := Open(dir, [32]byte{1}, Options{}); !errors.Is(err, ErrBusy) {
		t.Fatal(err)
	}
	if waited := time.Since(begin); waited > time.Second {
		t.Fatalf("waited %v", waited)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	if out, err := cmd.Output(); err == nil || !strings.Contains(string(out), ErrBusy.Error()) {
		t.Fatalf("child says %q: %v", out, err)
	}
	if err := ix.Close(); err != nil {
		t.Fatal(err)
	}
	if err := openTemp(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
}

// A copy that is made while the cache is written is what a crash of the whole machine leaves, or worse.
func TestCacheSurvivesBeingCopiedWhileItIsWritten(t *testing.T) {
	dir := t.TempDir()
	var stop atomic.Bool
	done := make(chan error)
	go func() {
		done <- importForEver(dir, func() bool {
			time.Sleep(2 * time.Millisecond)
			return !stop.Load()
		})
	}()
	kept := 0
	for range 6 {
		time.Sleep(time.Duration(10+rand.IntN(30)) * time.Millisecond)
		copied := t.TempDir()
		copyCache(t, dir, copied)
		kept = max(kept, checkCrashed(t, copied))
	}
	stop.Store(true)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	t.Logf("up to %d segments", kept)
}

// copyCache copies the files, in any order. Some may vanish meanwhile.
func copyCache(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(to, "badger"), 0o700); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(from, "badger", "*"))
	if err != nil {
		t.Fatal(err)
	}
	names = append(names, filepath.Join(from, "state"))
	rand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for _, name := range names {
		copyFile(t, name, filepath.Join(to, strings.TrimPrefix(name, from)))
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
