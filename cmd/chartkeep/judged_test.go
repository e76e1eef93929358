package main

import (
	"strings"
	"testing"
	"time"

	"chartkeep/gc"
	"chartkeep/repo"
	"chartkeep/snapshot"
)

// What makes a snapshot doubtful has to reach the rules, or it would push out good
// ones.
func TestWhatIsDoubtfulReachesTheRules(t *testing.T) {
	evening := time.Date(2026, 11, 20, 19, 30, 0, 0, time.UTC)
	nights := func(last snapshot.Snapshot) (judged []gc.Snapshot) {
		for i := range 3 {
			s := snapshot.Snapshot{Host: "server", Plan: "nightly", Complete: true, Sequence: uint64(i), Time: evening.AddDate(0, 0, i-2)}
			if i == 2 {
				last.Host, last.Plan, last.Sequence = s.Host, s.Plan, s.Sequence
				if last.Time.IsZero() {
					last.Time = s.Time
				}
				s = last
			}
			s.ID = repo.DocumentID(strings.Repeat(string(rune('a'+i)), 64))
			judged = append(judged, judgedOf(&s))
		}
		return judged
	}
	for name, night := range map[string]struct {
		last snapshot.Snapshot
		keep int // of the three, by "the last one"
	}{
		"sound":                  {snapshot.Snapshot{Complete: true}, 1},
		"incomplete":             {snapshot.Snapshot{}, 2},
		"suspicious":             {snapshot.Snapshot{Complete: true, Suspicion: []string{"the dump is empty"}}, 3},
		"found right":            {snapshot.Snapshot{Complete: true, Suspicion: []string{"the dump is empty"}, Cleared: &snapshot.Hold{}}, 1},
		"dated by a person":      {snapshot.Snapshot{Complete: true, Dated: true}, 2},
		"under a clock too slow": {snapshot.Snapshot{Complete: true, Time: evening.AddDate(0, 0, -30)}, 2},
	} {
		kept := 0
		for _, d := range gc.Decide(nights(night.last), gc.Policy{Last: 1}, gc.Calendar{Zone: time.UTC}, evening.Add(time.Hour)) {
			if d.Keep {
				kept++
			}
		}
		if kept != night.keep {
			t.Errorf("when the last one is %s, %d of three stay, want %d", name, kept, night.keep)
		}
	}
	held := judgedOf(&snapshot.Snapshot{Hold: &snapshot.Hold{}})
	if !held.Held {
		t.Error("a hold does not reach the rules")
	}
}
