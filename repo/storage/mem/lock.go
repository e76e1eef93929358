package mem

import (
	"io"
	"sync"

	"chartkeep/repo/storage"
)

// locks counts the holders of one lock.
type locks struct {
	mu        sync.Mutex
	shared    int
	exclusive bool
}

func (l *locks) try(mode storage.LockMode) (io.Closer, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.exclusive || mode == storage.Exclusive && l.shared > 0 {
		return nil, storage.ErrLocked
	}
	if mode == storage.Exclusive {
		l.exclusive = true
	} else {
		l.shared++
	}
	return &held{locks: l, mode: mode}, nil
}

// held is one lock until it is closed.
type held struct {
	locks *locks
	mode  storage.LockMode
	once  sync.Once
}

func (h *held) Close() error {
	h.once.Do(func() {
		h.locks.mu.Lock()
		defer h.locks.mu.Unlock()
		if h.mode == storage.Exclusive {
			h.locks.exclusive = false
		} else {
			h.locks.shared--
		}
	})
	return nil
}
