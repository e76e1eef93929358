package pack

import (
	"bytes"
	"io"
	"sync"
	"sync/atomic"

	"chartkeep/index"
)

// survey is what was found where a file of a certain geometry ought to lie.
type survey struct {
	geometry
	size    int64         // of the file
	heads   [2][]byte     // in front and at the end
	labels  [2]*label     // of the heads that are whole and of this geometry
	tables  [2]table      // before and behind the parity
	trusted []table       // those to believe
	id      *index.PackID // what the pack ought to be named; nil: not a pack
	foreign bool          // a table is whole, but is another pack's

	sums     []sum // of the shards as they lie there
	restored bool  // the first head was damaged, and nothing else of shard 0
}

// locate finds out the geometry, from a head that a table agrees with, from a
// table alone (for which the file must have its length), or from a head alone.
// The survey is nil when there is neither.
func locate(f io.ReaderAt, size int64, m magic, id *index.PackID) (s *survey, err error) {
	var found *survey
	for _, off := range []int64{0, size - headSize} {
		h, err := readHead(f, off, m)
		if err != nil {
			return nil, err
		}
		if h == nil {
			continue
		}
		s, err := newSurvey(f, size, h.geometry, m, id)
		if err != nil || len(s.trusted) == 1 {
			return s, err
		}
		if found == nil {
			found = s
		}
	}
	s, err = locateByTable(f, size, m, id)
	if s == nil && err == nil {
		s = found
	}
	return s, err
}

// readHead returns the head at off, or nil when none is there.
func readHead(f io.ReaderAt, off int64, m magic) (*head, error) {
	if off < 0 {
		return nil, nil
	}
	b := make([]byte, headSize)
	if err := readPart(f, b, off); err != nil {
		return nil, err
	}
	h, err := parseHead(b, m)
	if err != nil {
		return nil, nil
	}
	return h, nil
}

func locateByTable(f io.ReaderAt, size int64, m magic, id *index.PackID) (found *survey, err error) {
	geometriesOf(size, func(g geometry) bool {
		var s *survey
		if s, err = newSurvey(f, size, g, m, id); err == nil && len(s.trusted) == 1 {
			found = s
		}
		return err == nil && found == nil
	})
	return found, err
}

// newSurvey reads the heads and the tables.
func newSurvey(f io.ReaderAt, size int64, g geometry, m magic, id *index.PackID) (*survey, error) {
	s := &survey{geometry: g, size: size, id: id}
	for which, off := range []int{0, g.endOffset()} {
		b := make([]byte, headSize)
		if err := readPart(f, b, int64(off)); err != nil {
			return nil, err
		}
		s.heads[which] = b
		if h, err := parseHead(b, m); err == nil && h.geometry == g {
			s.labels[which] = &h.label
		}
	}
	b := make([]byte, g.tableSize())
	for which := range s.tables {
		if err := readPart(f, b, int64(g.tableOffset(which))); err != nil {
			return nil, err
		}
		s.tables[which] = g.parseTable(b)
	}
	s.trust()
	return s, nil
}

// trust decides which tables to believe: the one that the pack's name vouches
// for or, where there is no name, the first whole one. When there is no such
// table both are believed: a shard that has the sum that either of them says is
// good, however much of the table around this sum is not.
func (s *survey) trust() {
	s.trusted = s.tables[:]
	for i, t := range s.tables {
		if !t.whole {
			continue
		}
		if s.id == nil || s.packID(t.sums) == *s.id {
			s.trusted = s.tables[i : i+1]
			s.foreign = false
			return
		}
		s.foreign = true
	}
}

// vouched reports whether the tables say that a shard has this sum. A sum of
// zeros is none: it stands where there is no shard, or no table.
func (s *survey) vouched(shard int, x sum) bool {
	for _, t := range s.trusted {
		if t.sums[shard] == x && x != (sum{}) {
			return true
		}
	}
	return false
}

// named reports whether the sums of the data shards are those that the pack's
// name stands for; that they are good is then known without any table.
func (s *survey) named() bool { return s.id != nil && s.packID(s.sums) == *s.id }

// bad returns the shards from first up to end that are not known to be good.
func (s *survey) bad(first, end int) (bad []int) {
	for i := first; i < end; i++ {
		if !s.vouched(i, s.sums[i]) {
			bad = append(bad, i)
		}
	}
	return bad
}

func (s *survey) badData() []int {
	if s.named() {
		return nil
	}
	return s.bad(0, s.dataShards())
}

func (s *survey) badParity() []int { return s.bad(s.dataShards(), s.shards()) }

// sumsAtOnce is how many shards' sums are computed at a time: one who reads packs
// waits for nothing else.
const sumsAtOnce = 2

// sumShards computes the sum of every shard of a file. A shard that begins behind
// the end of the file has none.
func (s *survey) sumShards(file []byte) {
	s.sums = make([]sum, s.shards())
	var next atomic.Int64
	var all sync.WaitGroup
	for range sumsAtOnce {
		all.Go(func() {
			for i := int(next.Add(1) - 1); i < len(s.sums); i = int(next.Add(1) - 1) {
				if b := s.shardOf(file, i); b != nil {
					s.sums[i] = sumOf(b)
				}
			}
		})
	}
	all.Wait()
}

// shardOf returns a shard of a file: nil when it begins behind the end, and zeros
// for what it lacks.
func (s *survey) shardOf(file []byte, i int) []byte {
	at := s.offset(i)
	if at >= len(file) {
		return nil
	}
	b := file[at:min(at+s.shard, len(file))]
	if len(b) < s.shard {
		b = append(make([]byte, 0, s.shard), b...)[:s.shard]
	}
	if i == 0 {
		b = bytes.Clone(b)
		s.restoreHead(b)
	}
	return b
}

// restoreHead puts the second head in the place of the first one, when that is
// all that is wrong with shard 0. It needs no parity.
func (s *survey) restoreHead(shard []byte) {
	if s.labels[1] == nil || s.vouched(0, sumOf(shard)) {
		return
	}
	copy(shard, s.heads[1])
	if s.restored = s.vouched(0, sumOf(shard)); !s.restored {
		copy(shard, s.heads[0])
	}
}
