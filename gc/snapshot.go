package gc

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Tolerance is how far a snapshot's time may lie after the present and still
// be taken for a clock that is a little fast.
const Tolerance = 10 * time.Minute

// A Snapshot is what retention has to know of one.
type Snapshot struct {
	ID    string
	Time  time.Time // start of the run
	Host  string
	Plan  string
	Paths []string
	Tags  []string

	Complete   bool // every source was read to its end
	Held       bool // protected by a person
	Suspicious bool // flagged, and no person has said that it is right
	Dated      bool // Time was typed in, not read from the clock

	// Sequence counts the snapshots that Host has written, in the order in
	// which it wrote them. Zero means that the order is not known.
	Sequence uint64
}

// sound reports whether s can stand for its period.
func (s *Snapshot) sound() bool { return s.Complete && !s.Suspicious }

// short is the part of the ID that people see.
func (s *Snapshot) short() string { return s.ID[:min(8, len(s.ID))] }

// hasAll reports whether s has all of the tags; as in restic, an empty tag
// stands for having none.
func (s *Snapshot) hasAll(tags []string) bool {
	for _, t := range tags {
		if t == "" && len(s.Tags) == 0 {
			return true
		}
		if !slices.Contains(s.Tags, t) {
			return false
		}
	}
	return true
}

// newestFirst orders snapshots by time. Equal times are told apart by the
// order of writing and then by ID, so that the result never depends on the
// order in which a repository lists its files.
func newestFirst(a, b Snapshot) int {
	return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(b.Sequence, a.Sequence), strings.Compare(a.ID, b.ID))
}

// A Decision says whether a snapshot stays, and why.
type Decision struct {
	Snapshot Snapshot
	Keep     bool

	// Reasons are why it stays ("daily 2026-11-20", "month end 2026-10"), or
	// for each rule why that does not keep it.
	Reasons []string

	// Until is the start of the day on which a snapshot that stays would go,
	// supposing that from now on every day brings one sound snapshot and that
	// nothing is removed by hand. (It stays longer if it has become the oldest
	// of its group by then, and a rule keeps that.) Zero: it does not go by
	// itself.
	Until time.Time

	// Goes is the event behind Until: "when 3 more months have a snapshot".
	Goes string
}
