package local

import (
	"sync"
	"time"
)

// An arm lets one read at a time go to a drive that shows to be slow. Readers that
// work at several places of a spinning disk keep its arm moving between them, and
// each gets less than half of what one alone would get. Fast drives want many.
//
// What a drive is shows in how long reads take, because what it says of itself is
// often wrong: USB bridges and virtual machines call everything a spinning disk.
// Most of the last reads decide, so what a busy computer looked like is soon
// forgotten.
type arm struct {
	turn chan struct{} // holds one token while the drive is read by one alone

	mu   sync.Mutex
	last [8]bool // of the last reads: whether they were slow
	next int
	slow int // how many of them
}

// newArm takes a drive for a slow one until a few reads have shown otherwise.
func newArm() *arm {
	a := &arm{turn: make(chan struct{}, 1), slow: len(arm{}.last)}
	for i := range a.last {
		a.last[i] = true
	}
	return a
}

// A read is slow that takes longer than a seek and the transfer at a rate that
// spinning disks do not pass by much, bytes a second.
const (
	slowSeek = 4 * time.Millisecond
	slowRate = 100e6
)

// read calls do, which reads n bytes.
func (a *arm) read(n int, do func() (int, error)) (int, error) {
	if a.isSlow() {
		a.turn <- struct{}{}
		defer func() { <-a.turn }()
	}
	start := time.Now()
	got, err := do()
	a.took(n, time.Since(start))
	return got, err
}

func (a *arm) isSlow() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.slow > len(a.last)/2
}

func (a *arm) took(n int, d time.Duration) {
	slow := d > slowSeek+time.Duration(float64(n)/slowRate*float64(time.Second))
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.last[a.next] {
		a.slow--
	}
	if slow {
		a.slow++
	}
	a.last[a.next] = slow
	a.next = (a.next + 1) % len(a.last)
}
