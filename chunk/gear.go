package chunk

import (
	"io"
	"math"
)

const (
	// readSize is the least room a read is given, and how much is read before
	// the search goes on; bufferSize is what a Splitter begins with. Both stay
	// well inside a core's second-level cache, since what is read is searched,
	// hashed and copied right after.
	readSize   = 128 << 10
	bufferSize = 512 << 10
	// idleReads is how many reads in a row may bring neither data nor an error.
	idleReads = 100
)

// gearSplitter reads into its own buffer and returns slices of it.
//
//	buffer  ┌─ returned ─┬── current ──┬── rest of what was read ──┬── room ──┐
//	        0            start         start+given                 end
type gearSplitter struct {
	cutter *Cutter
	sizes  Sizes
	limit  uint64 // a window whose hash is below it is a cut

	r      io.Reader
	err    error  // of r; no more reads after it
	own    []byte // what it has allocated, the largest
	buffer []byte // own, or the caller's
	start  int    // of the current chunk
	given  int    // bytes at start that the last Next returned
	end    int    // of what was read
}

func (s *gearSplitter) Reset(r io.Reader, p Profile) {
	sizes := s.cutter.params.sizes(p)
	*s = gearSplitter{
		cutter: s.cutter,
		sizes:  sizes,
		limit:  math.MaxUint64 / uint64(sizes.Avg-sizes.Min),
		r:      r,
		own:    s.own,
		buffer: s.own,
	}
}

func (s *gearSplitter) Continue(head []byte, r io.Reader, p Profile) {
	s.Reset(r, p)
	s.buffer, s.end = head[:cap(head)], len(head)
	if r == nil {
		s.err = io.EOF
	}
}

func (s *gearSplitter) Next() ([]byte, error) {
	s.start += s.given
	s.given = 0
	for tested := 0; ; {
		data := s.buffer[s.start:s.end]
		n := s.find(data, tested+1)
		if n == 0 && s.err == io.EOF {
			n = len(data)
		}
		if n > 0 {
			s.given = n
			return data[:n:n], nil
		}
		if s.err != nil {
			return nil, s.err
		}
		tested = len(data)
		s.fill()
	}
}

// find returns the length of the chunk that data begins with, or 0 when data
// has no cut: then it is shorter than Max, and more of the stream decides.
// Lengths below from are known to be none.
func (s *gearSplitter) find(data []byte, from int) int {
	from = max(from, s.sizes.Min)
	data = data[:min(len(data), s.sizes.Max)]
	if from <= len(data) {
		h := roll(&s.cutter.table, data[from-Window:from-1])
		if i := scan(&s.cutter.table, data[from-1:], h, s.limit); i >= 0 {
			return from + i
		}
	}
	if len(data) == s.sizes.Max {
		return s.sizes.Max
	}
	return 0
}

// roll returns the hash of p, of which only the last 64 bytes matter.
func roll(table *[256]uint64, p []byte) (h uint64) {
	for _, b := range p {
		h = h<<1 + table[b]
	}
	return h
}

// scan rolls h over p and returns the first index where it falls below limit,
// or -1.
//
// Four bytes are a step. Rolling them one by one makes each hash wait for the
// one before, at two cycles a byte; the sums a to d wait for no hash, and
// then h waits for one shift and one addition a step. The loop's form leaves
// no bounds check.
func scan(table *[256]uint64, p []byte, h, limit uint64) int {
	i := 0
	for ; i <= len(p)-4; i += 4 {
		q := (*[4]byte)(p[i:])
		a := table[q[0]]
		b := table[q[1]] + a<<1
		c := table[q[2]] + b<<1
		d := table[q[3]] + c<<1
		ha, hb, hc := h<<1+a, h<<2+b, h<<3+c
		h = h<<4 + d
		switch {
		case ha < limit:
			return i
		case hb < limit:
			return i + 1
		case hc < limit:
			return i + 2
		case h < limit:
			return i + 3
		}
	}
	for ; i < len(p); i++ {
		if h = h<<1 + table[p[i]]; h < limit {
			return i
		}
	}
	return -1
}

// fill reads on behind s.end.
func (s *gearSplitter) fill() {
	s.makeRoom()
	stop := s.end + readSize
	for idle := 0; s.end < stop && s.err == nil; idle++ {
		n, err := s.r.Read(s.buffer[s.end:])
		s.end += n
		s.err = err
		if n > 0 {
			idle = 0
		}
		if idle == idleReads && err == nil {
			s.err = io.ErrNoProgress
		}
	}
}

// makeRoom leaves room for a read: it moves the current chunk to the front,
// and grows the buffer when that chunk is long. So only long chunks cost
// memory, at most twice the longest.
func (s *gearSplitter) makeRoom() {
	if len(s.buffer)-s.end >= readSize {
		return
	}
	to := s.buffer
	if s.end-s.start > len(to)-readSize {
		s.own = larger(s.own, max(bufferSize, 2*len(to)))
		to = s.own
	}
	s.end = copy(to, s.buffer[s.start:s.end])
	s.start = 0
	s.buffer = to
}

// larger returns n bytes or more: b, if it has as many.
func larger(b []byte, n int) []byte {
	if len(b) < n {
		b = make([]byte, n)
	}
	return b
}
