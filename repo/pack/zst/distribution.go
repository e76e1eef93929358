//go:build amd64

package zst

import "math/bits"

const (
	numSymbols   = 64 // more than any of the three alphabets has
	minLog       = 5  // of a state table's size
	maxLog       = 9  // for lengths
	maxOffsetLog = 8
)

// distribution is how often each symbol of an alphabet comes, and what that is
// scaled to: shares of 1<<log, none of which is 0 for a symbol that comes.
type distribution struct {
	count *[numSymbols]uint32
	share [numSymbols]int
	n     int  // symbols, up to the last one that comes
	only  bool // the last symbol is the only one
	log   uint
}

// scale sets the shares for total symbols, total at least 1.
func (d *distribution) scale(total int, limit uint) {
	distinct := 0
	for s, c := range d.count {
		if c > 0 {
			d.n = s + 1
			distinct++
		}
	}
	d.only, d.log = distinct == 1, 0
	if d.only {
		return
	}
	d.log = min(max(uint(bits.Len(uint(total)))-2, uint(bits.Len(uint(distinct))), minLog), limit)
	size := 1 << d.log
	left, most := size, 0
	for s, c := range d.count[:d.n] {
		d.share[s] = 0
		if c > 0 {
			d.share[s] = max(1, (int(c)*size+total/2)/total)
		}
		left -= d.share[s]
		if d.share[s] > d.share[most] {
			most = s
		}
	}
	if d.share[most]+left > d.share[most]/2 {
		d.share[most] += left
		return
	}
	d.takeBack(-left)
}

// takeBack makes the shares so much less together: a quarter of the largest, again
// and again. Since there are fewer symbols than shares, the largest is 2 or more.
func (d *distribution) takeBack(over int) {
	for over > 0 {
		most := 0
		for s := range d.n {
			if d.share[s] > d.share[most] {
				most = s
			}
		}
		n := min(over, max(1, d.share[most]/4))
		d.share[most] -= n
		over -= n
	}
}

// appendShares writes the shares (RFC 8878, 4.1.1): each takes as many bits as
// what is left of the sum can need, and zeros are counted.
func (d *distribution) appendShares(dst []byte) []byte {
	w := bitWriter{dst: dst}
	w.put(uint64(d.log-minLog), 4)
	left, threshold, width := 1<<d.log+1, 1<<d.log, d.log+1
	for s := 0; left > 1; {
		share := d.share[s]
		s++
		short := 2*threshold - 1 - left // values below it take a bit less
		left -= share
		value, n := share+1, width
		if value >= threshold {
			value += short
		}
		if value < short {
			n--
		}
		w.put(uint64(value), n)
		for left < threshold {
			width--
			threshold >>= 1
		}
		if share == 0 && left > 1 {
			zeros := 0
			for ; d.share[s] == 0; s++ {
				zeros++
			}
			for ; zeros >= 3; zeros -= 3 {
				w.put(3, 2)
			}
			w.put(uint64(zeros), 2)
		}
	}
	return w.finish()
}

// bitWriter appends bits, the first ones lowest.
type bitWriter struct {
	dst  []byte
	bits uint64
	n    uint
}

// put appends n bits, at most 56.
func (w *bitWriter) put(v uint64, n uint) {
	w.bits |= v << w.n
	for w.n += n; w.n >= 8; w.n -= 8 {
		w.dst = append(w.dst, byte(w.bits))
		w.bits >>= 8
	}
}

// finish fills the last byte with zeros.
func (w *bitWriter) finish() []byte {
	if w.n > 0 {
		w.dst = append(w.dst, byte(w.bits))
	}
	return w.dst
}

// stateTable encodes one alphabet (FSE, RFC 8878, 4.1). States are from size to
// 2·size-1, as the table of next states has them.
type stateTable struct {
	step [numSymbols]transition
	next [1 << maxLog]uint16
}

// transition says what a symbol does to a state: (state + bits) >> 16 of its
// lowest bits are written, and the rest plus offset is where the next state stands.
type transition struct {
	bits   uint32
	offset int32
}

// build makes the table of a distribution.
func (t *stateTable) build(d *distribution) {
	if d.only {
		t.step[d.n-1], t.next[0] = transition{}, 0
		return
	}
	size := 1 << d.log
	var symbol [1 << maxLog]uint8
	place, stride := 0, size>>1+size>>3+3
	var first [numSymbols]int
	sum := 0
	for s, share := range d.share[:d.n] {
		first[s] = sum
		t.step[s] = newTransition(share, sum, d.log)
		sum += share
		for range share {
			symbol[place] = uint8(s)
			place = (place + stride) & (size - 1)
		}
	}
	for i, s := range symbol[:size] {
		t.next[first[s]] = uint16(size + i)
		first[s]++
	}
}

// newTransition is that of a symbol with so large a share, of which the ones before
// it have sum.
func newTransition(share, sum int, log uint) transition {
	if share == 0 {
		return transition{}
	}
	n := log - uint(bits.Len(uint(share-1))) + 1
	if share == 1 {
		n = log
	}
	return transition{uint32(n)<<16 - uint32(share)<<n, int32(sum - share)}
}

// begin returns a state from which a symbol follows without a bit written.
func (t *stateTable) begin(symbol uint8) uint32 {
	x := t.step[symbol]
	n := (x.bits + 1<<15) >> 16
	return uint32(t.next[int32((n<<16-x.bits)>>n)+x.offset])
}
