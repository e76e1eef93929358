package gc_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"chartkeep/gc"
)

// A drive is one of two that are carried between the office and a safe.
type drive struct {
	name  string
	there []gc.Snapshot
	away  int // nights that it is missed for, beyond its turn
}

// newest is the highest number among what a drive holds.
func (d *drive) newest() (n uint64) {
	for _, s := range d.there {
		n = max(n, s.Sequence)
	}
	return n
}

// TestDrivesThatTakeTurnsEachHoldWhatTheReferenceHolds simulates ten years of
// two drives that change places every week, with one forgotten at home for
// months now and then. A drive that is back gets from the other what was saved
// since it was last there, and each is judged by itself.
func TestDrivesThatTakeTurnsEachHoldWhatTheReferenceHolds(t *testing.T) {
	t.Parallel()
	p := practices[0]
	almanack := newAlmanack(p.calendar)
	lot := rand.New(rand.NewPCG(11, 3))
	red, blue := &drive{name: "red"}, &drive{name: "blue"}
	count, both := 0, 0
	judge := func(d *drive, now time.Time) {
		decisions := gc.Decide(d.there, p.policy, p.calendar, now)
		compare(t, decisions, naive(d.there, p.policy, almanack, now), now)
		d.there = kept(decisions)
	}
	for night := range p.nights(years) {
		count++
		here, other := red, blue
		if count/5%2 == 1 {
			here, other = blue, red
		}
		if here.away > 0 { // still at home: the other one stays
			here.away--
			here, other = other, here
		} else if lot.IntN(200) == 0 {
			here.away = 5 + lot.IntN(60)
		}
		here.there = append(here.there, night.made...)
		judge(here, night.now)
		if count%5 != 0 { // on the day of the change both are connected
			continue
		}
		both++
		since := other.newest()
		for _, s := range here.there {
			if s.Sequence > since {
				other.there = append(other.there, s)
			}
		}
		judge(other, night.now)
		if a, b := here.newest(), other.newest(); b < a && !slices.ContainsFunc(other.there, func(s gc.Snapshot) bool { return s.Sequence >= since }) {
			t.Fatalf("at %v the drive %s holds up to %d after it was given up to %d", night.now, other.name, b, a)
		}
	}
	for _, d := range []*drive{red, blue} {
		if len(d.there) < 20 {
			t.Errorf("after ten years %s holds %d snapshots: months, quarters and years are missing", d.name, len(d.there))
		}
	}
	if both < 35*years {
		t.Errorf("the drives met %d times: the simulation is not worth its name", both)
	}
}
