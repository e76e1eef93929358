package storagetest

import (
	"context"
	"sync"
	"time"

	"chartkeep/repo/storage"
)

// Pace is how slow a store is. Its zero value is no slower than the store is by
// itself.
type Pace struct {
	Latency        time.Duration // before each call
	BytesPerSecond int64         // for all calls together, reading and writing; 0 means no limit
}

// NewSlow returns a store before st that keeps to the pace. It sleeps by package
// time, so that a synctest bubble has it slow in no time.
func NewSlow(st storage.Store, pace Pace) storage.Store {
	s := &slow{pace: pace}
	return &interceptor{inner: st, around: s.call, read: plainRead}
}

// slow is a line on which one byte goes after the other.
type slow struct {
	pace Pace

	mu   sync.Mutex
	free time.Time // when the line has carried all that was given to it
}

func (s *slow) call(ctx context.Context, _ Op, _ string, bytes int, do func() error) error {
	timer := time.NewTimer(s.pace.Latency + s.occupy(bytes))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return do()
	}
}

// occupy gives the bytes to the line and returns how long they take to arrive.
func (s *slow) occupy(bytes int) time.Duration {
	if s.pace.BytesPerSecond <= 0 {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.free.Before(now) {
		s.free = now
	}
	s.free = s.free.Add(time.Duration(float64(bytes) / float64(s.pace.BytesPerSecond) * float64(time.Second)))
	return s.free.Sub(now)
}
