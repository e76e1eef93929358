package local

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// together is how many of 20 reads of a drive, asked for at once, were under way at
// a time.
func together(a *arm, takes time.Duration) int64 {
	var wg sync.WaitGroup
	var now, most atomic.Int64
	for range 20 {
		wg.Go(func() {
			a.read(1<<20, func() (int, error) {
				if n := now.Add(1); n > most.Load() {
					most.Store(n)
				}
				time.Sleep(takes)
				now.Add(-1)
				return 1 << 20, nil
			})
		})
		synctest.Wait()
	}
	wg.Wait()
	return most.Load()
}

func TestOneAtATimeReadsASlowDriveAndManyAFastOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newArm()
		if n := together(a, 40*time.Millisecond); n != 1 {
			t.Errorf("%d at a time read a slow drive", n)
		}
		together(a, time.Millisecond) // shows that it is fast after all
		if n := together(a, time.Millisecond); n < 10 {
			t.Errorf("%d at a time read a fast drive", n)
		}
		together(a, 40*time.Millisecond)
		if n := together(a, 40*time.Millisecond); n != 1 {
			t.Errorf("%d at a time read a drive that has become slow", n)
		}
	})
}
