package pack

import (
	"bytes"
	"slices"

	"chartkeep/index"
)

// Verify compares a whole pack file with its tables and them with its name. What
// is wrong with it is in the report.
func Verify(file []byte, id index.PackID) Report {
	s, err := locate(bytes.NewReader(file), int64(len(file)), packMagic, &id)
	if err != nil || s == nil {
		return Report{}
	}
	s.sumShards(file)
	return s.report()
}

func (s *survey) report() Report {
	if s == nil {
		return Report{}
	}
	r := Report{
		Data: s.dataShards(), Parity: s.parityShards(),
		BadData: s.badData(), BadParity: s.badParity(),
		Missing: max(int64(s.fileSize())-s.size, 0), Extra: max(s.size-int64(s.fileSize()), 0),
	}
	for i := range r.BadParity {
		r.BadParity[i] -= r.Data
	}
	r.Foreign = s.id != nil && !s.named() && (s.foreign || len(r.BadData) == 0)
	r.BadHeads = s.badHeads(len(r.BadData) == 0 || r.BadData[0] != 0)
	r.BadTables = s.badTables()
	r.Mendable = !r.Foreign && s.parityReaches()
	return r
}

// badHeads counts them. When shard 0 is good the first head is, and the second
// one has to be its equal.
func (s *survey) badHeads(shard0 bool) (n int) {
	if s.restored || s.labels[0] == nil {
		n++
	}
	if s.labels[1] == nil || shard0 && !s.restored && string(s.heads[0]) != string(s.heads[1]) {
		n++
	}
	return n
}

// badTables counts the tables that are not whole, or not what the one to be
// trusted is.
func (s *survey) badTables() (n int) {
	for _, t := range s.tables {
		if !t.whole || len(s.trusted) == 1 && !t.equal(s.trusted[0]) {
			n++
		}
	}
	return n
}

// parityReaches reports whether every stripe has enough good shards.
func (s *survey) parityReaches() bool {
	lost := make([]int, s.stripes)
	for _, i := range append(s.badData(), s.badParity()...) {
		lost[i%s.stripes]++
	}
	return slices.Max(lost) <= s.parity
}
