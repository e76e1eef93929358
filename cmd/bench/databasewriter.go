package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// dbWriter commits one small change after another, as a practice's workstation
// does, and takes the time that each took.
type dbWriter struct {
	cancel context.CancelFunc
	ended  chan struct{}
	took   []time.Duration
	err    error
}

// pause is between two changes.
const pause = 2 * time.Millisecond

func startWriter(s dbServer) (*dbWriter, error) {
	c, err := s.connect(practice)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := &dbWriter{cancel: cancel, ended: make(chan struct{})}
	go func() { // end waits for it
		defer close(w.ended)
		defer c.close()
		for n := 0; ctx.Err() == nil && w.err == nil; n++ {
			start := time.Now()
			w.err = c.do(fmt.Sprintf("UPDATE seat SET n = n + 1 WHERE id = %d", n%seats))
			w.took = append(w.took, time.Since(start))
			time.Sleep(pause)
		}
	}()
	return w, nil
}

// end stops it and returns in milliseconds how long 99 of 100 commits took at
// most, and the longest.
func (w *dbWriter) end() (p99, longest float64, err error) {
	w.cancel()
	<-w.ended
	slices.Sort(w.took)
	at := func(i int) float64 { return w.took[i].Seconds() * 1000 }
	return at(len(w.took) * 99 / 100), at(len(w.took) - 1), w.err
}
