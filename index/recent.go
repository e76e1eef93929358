package index

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
)

// recent keeps the values that were used last, up to a number of bytes, more or less: to make room it drops the oldest
// of a few that it picks at random, which spares the hits from keeping a list in order. It is safe for concurrent use.
type recent struct {
	limit int64
	now   atomic.Uint64 // counts the values that were added

	mu    sync.RWMutex
	size  int64
	byKey map[key]*kept
	all   []*kept
}

type kept struct {
	key   key
	value []byte
	slot  *slot
	used  atomic.Uint64 // when it was used last
	at    int           // in all
}

// A slot leads to a value without a lock and a map, for those of which every look-up needs one.
type slot = atomic.Pointer[kept]

// samples is how many values are compared to find an old one.
const samples = 8

func newRecent(limit int64) *recent {
	return &recent{limit: limit, byKey: make(map[key]*kept)}
}

func (r *recent) get(k key) ([]byte, bool) {
	r.mu.RLock()
	e := r.byKey[k]
	r.mu.RUnlock()
	return r.use(e)
}

// getSlot returns the value that a slot leads to.
func (r *recent) getSlot(s *slot) ([]byte, bool) { return r.use(s.Load()) }

func (r *recent) use(e *kept) ([]byte, bool) {
	if e == nil {
		return nil, false
	}
	if now := r.now.Load(); e.used.Load() != now {
		e.used.Store(now)
	}
	return e.value, true
}

// add keeps a value. While it does, the slot, if there is one, leads to it.
func (r *recent) add(k key, value []byte, slot *slot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.byKey[k]; ok {
		return
	}
	for r.size+int64(len(value)) > r.limit && len(r.all) > 0 {
		r.drop(r.old())
	}
	e := &kept{key: k, value: value, slot: slot, at: len(r.all)}
	e.used.Store(r.now.Add(1))
	r.byKey[k] = e
	r.all = append(r.all, e)
	r.size += int64(len(value))
	if slot != nil {
		slot.Store(e)
	}
}

// old returns one of the values that were not used for long.
func (r *recent) old() *kept {
	oldest := r.all[rand.IntN(len(r.all))]
	for range samples - 1 {
		if e := r.all[rand.IntN(len(r.all))]; e.used.Load() < oldest.used.Load() {
			oldest = e
		}
	}
	return oldest
}

func (r *recent) remove(k key) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e, ok := r.byKey[k]; ok {
		r.drop(e)
	}
}

func (r *recent) drop(e *kept) {
	last := r.all[len(r.all)-1]
	r.all[e.at], last.at = last, e.at
	r.all = r.all[:len(r.all)-1]
	delete(r.byKey, e.key)
	r.size -= int64(len(e.value))
	if e.slot != nil {
		e.slot.Store(nil)
	}
}
