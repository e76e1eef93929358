package proof_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestARealPowerCutLosesNothingThatWasAcknowledged cuts the power of a mounted
// file system at random moments of the real program. The runs go on with what the
// last one left, a life long; each life has a seed, and a disk of its own.
func TestARealPowerCutLosesNothingThatWasAcknowledged(t *testing.T) {
	needsRoot(t)
	for _, kind := range []string{"ext4", "xfs"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			needsKind(t, kind)
			lifeAfterLife(t, kind)
		})
	}
}

// lifeAfterLife leads several lives beside each other: each of them mostly waits.
func lifeAfterLife(t *testing.T, kind string) {
	lives, cuts, beside := 1, 5, 1
	if *full {
		lives, cuts, beside = 200, 25, 4
	}
	lengths := map[string]*moments{}
	for _, run := range runs {
		lengths[run.name] = newMoments()
	}
	began, last := time.Now(), *from+uint64(lives)
	seed, done := *from, 0
	var mu sync.Mutex
	next := func() (uint64, bool) {
		mu.Lock()
		defer mu.Unlock()
		if seed == last || !goesOn(began) || t.Failed() {
			return 0, false
		}
		seed++
		return seed - 1, true
	}
	var living sync.WaitGroup
	for range beside {
		living.Go(func() {
			for seed, more := next(); more; seed, more = next() {
				t.Run(fmt.Sprint(seed), func(t *testing.T) {
					p := newPower(t, kind, seed, lengths)
					for range cuts {
						p.cut()
					}
					mu.Lock()
					defer mu.Unlock()
					done += cuts
					fmt.Printf("%s: %d cuts, %d of them before the run had ended (%d faults); %d cuts so far, %v each\n",
						t.Name(), cuts, p.hit, p.died, done, time.Since(began)/time.Duration(done))
				})
			}
		})
	}
	living.Wait()
	t.Logf("%d cuts; the next one is seed %d", done, seed)
}

// needsKind skips what a kernel without this file system cannot do.
func needsKind(t *testing.T, kind string) {
	t.Helper()
	list, err := os.ReadFile("/proc/filesystems")
	must(t, err)
	if kind == "xfs" && !slices.Contains(strings.Fields(string(list)), kind) {
		t.Skip("this kernel has no XFS")
	}
}
