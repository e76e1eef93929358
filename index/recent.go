package index

import (
	"math/rand/v2"
	"sync"
)

// recent keeps the values that were used last, up to a number of bytes, more or less: to make room it drops the oldest
// of a few that it picks at random, which spares the hits from keeping a list in order. It is safe for concurrent use.
type recent struct {
	mu    sync.Mutex
	limit int64
	size  int64
	now   uint64 // counts the values that were added
	byKey map[key]*kept
	all   []*kept
}

type kept struct {
	key   key
	value []byte
	used  uint64 // when it was used last
	at    int    // in all
}

// samples is how many values are compared to find an old one.
const samples = 8

func newRecent(limit int64) *recent {
	return &recent{limit: limit, byKey: make(map[key]*kept)}
}

func (r *recent) get(k key) ([]byte, bool) {
	r.mu.Lock()
	e, ok := r.byKey[k]
	if !ok {
		r.mu.Unlock()
		return nil, false
	}
	e.used = r.now
	v := e.value
	r.mu.Unlock()
	return v, true
}

func (r *recent) add(k key, value []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.byKey[k]; ok {
		return
	}
	for r.size+int64(len(value)) > r.limit && len(r.all) > 0 {
		r.drop(r.old())
	}
	r.now++
	e := &kept{key: k, value: value, used: r.now, at: len(r.all)}
	r.byKey[k] = e
	r.all = append(r.all, e)
	r.size += int64(len(value))
}

// old returns one of the values that were not used for long.
func (r *recent) old() *kept {
	oldest := r.all[rand.IntN(len(r.all))]
	for range samples - 1 {
		if e := r.all[rand.IntN(len(r.all))]; e.used < oldest.used {
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
}
