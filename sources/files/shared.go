package files

import (
	"errors"
	"sync"
)

// errReplaced says that a name no longer stands for what it stood for.
var errReplaced = errors.New("replaced by something else meanwhile")

type closer interface {
	close() error
}

// An identity tells a file from all others on its machine. The zero identity
// is not known.
type identity struct {
	device, inode uint64
}

// A shared handle is open while somebody uses it and, as long as the pool has
// room, a while longer. When it is needed again it must be the same file.
type shared[H closer] struct {
	pool *pool[H]

	// Guarded by pool.mu; handle does not change while there are users.
	handle       H
	open         bool
	users        int
	id           identity // of the first opening
	err          error    // the first from closing it
	newer, older *shared[H]
}

// A pool bounds the number of open handles that nobody uses at the moment.
type pool[H closer] struct {
	mu             sync.Mutex
	limit          int // of idle handles
	idle           int
	newest, oldest *shared[H]
}

// hold counts one more user if the handle is open.
func (s *shared[H]) hold() bool {
	p := s.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.open {
		s.use()
	}
	return s.open
}

func (s *shared[H]) use() {
	if s.users == 0 && s.open {
		s.pool.unlink(s)
	}
	s.users++
}

// acquire opens the handle if it is not open, and counts one more user. When
// the system has no more handles to give, the idle ones are given up.
func (s *shared[H]) acquire(reach func() (H, identity, error)) (H, error) {
	h, id, err := reach()
	if tooMany(err) && s.pool.evict(0) {
		h, id, err = reach()
	}
	if err == nil {
		err = s.adopt(h, id)
	}
	if err != nil {
		var none H
		return none, err
	}
	return s.handle, nil
}

// adopt makes h the handle, unless another goroutine was faster.
func (s *shared[H]) adopt(h H, id identity) error {
	p := s.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	known := s.id != identity{}
	switch {
	case known && s.id != id:
		return errors.Join(errReplaced, h.close())
	case s.open:
		s.note(h.close())
		s.use()
	default:
		s.use()
		s.handle, s.open, s.id = h, true, id
	}
	return nil
}

// release ends what hold or acquire began.
func (s *shared[H]) release() {
	p := s.pool
	p.mu.Lock()
	s.users--
	if s.users == 0 {
		p.link(s)
	}
	over := p.idle > p.limit
	p.mu.Unlock()
	if over {
		p.evict(p.limit)
	}
}

// shut closes the handle, which nobody may use now, and returns the first
// error from this and earlier closings.
func (s *shared[H]) shut() error {
	p := s.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.open {
		p.unlink(s)
		s.open = false
		s.note(s.handle.close())
	}
	return s.err
}

func (s *shared[H]) note(err error) {
	if s.err == nil {
		s.err = err
	}
}

// identity returns which file it was when it was opened.
func (s *shared[H]) identity() identity {
	s.pool.mu.Lock()
	defer s.pool.mu.Unlock()
	return s.id
}

// evict closes the handles longest idle until only keep are left, and reports
// whether there were any.
func (p *pool[H]) evict(keep int) bool {
	for some := false; ; some = true {
		s, h := p.surrender(keep)
		if s == nil {
			return some
		}
		err := h.close() // may take its time on a network: not under mu
		p.mu.Lock()
		s.note(err)
		p.mu.Unlock()
	}
}

// surrender takes the longest idle handle from the pool if there are more than
// keep.
func (p *pool[H]) surrender(keep int) (*shared[H], H) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.oldest
	if s == nil || p.idle <= keep {
		var none H
		return nil, none
	}
	p.unlink(s)
	s.open = false
	return s, s.handle
}

// retire closes all idle handles and keeps none from now on.
func (p *pool[H]) retire() {
	p.mu.Lock()
	p.limit = 0
	p.mu.Unlock()
	p.evict(0)
}

func (p *pool[H]) link(s *shared[H]) {
	s.older, s.newer = p.newest, nil
	if p.newest != nil {
		p.newest.newer = s
	} else {
		p.oldest = s
	}
	p.newest = s
	p.idle++
}

func (p *pool[H]) unlink(s *shared[H]) {
	if s.newer != nil {
		s.newer.older = s.older
	} else {
		p.newest = s.older
	}
	if s.older != nil {
		s.older.newer = s.newer
	} else {
		p.oldest = s.newer
	}
	s.newer, s.older = nil, nil
	p.idle--
}
