package storagetest

import (
	"context"
	"slices"
	"sync"

	"chartkeep/repo/storage"
)

// Call is one call of a store that has ended.
type Call struct {
	Op    Op
	Name  string
	Bytes int // written, or asked for
	Err   error

	// Begin and End are moments on one clock that ticks at each of them: a call
	// whose End is before another's Begin came wholly before it.
	Begin, End int
}

// Recorder remembers the calls of the store behind it.
type Recorder struct {
	interceptor

	mu    sync.Mutex
	clock int
	calls []Call
}

// NewRecorder returns a store before st that records from now on.
func NewRecorder(st storage.Store) *Recorder {
	r := &Recorder{}
	r.interceptor = interceptor{inner: st, around: r.record, read: plainRead}
	return r
}

// Calls returns the calls of the given operations, of all if none is given, in
// the order in which they ended.
func (r *Recorder) Calls(ops ...Op) []Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	calls := slices.Clone(r.calls)
	if len(ops) == 0 {
		return calls
	}
	return slices.DeleteFunc(calls, func(c Call) bool { return !slices.Contains(ops, c.Op) })
}

// Reset forgets the calls.
func (r *Recorder) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = nil
}

func (r *Recorder) record(_ context.Context, op Op, name string, bytes int, do func() error) error {
	c := Call{Op: op, Name: name, Bytes: bytes, Begin: r.tick()}
	c.Err = do()
	c.End = r.tick()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, c)
	return c.Err
}

func (r *Recorder) tick() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clock++
	return r.clock
}
