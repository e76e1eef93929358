package gc

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// A judge holds one group while it is decided.
type judge struct {
	policy  Policy
	rules   []rule
	almanac *almanac
	now     time.Time

	snaps   []Snapshot // newest first
	moments []moment   // of the snapshots
	next    int        // the day on which the next snapshot is supposed to come
	reasons [][]reason // why each snapshot stays; none: it goes
}

// A reason keeps a snapshot until a day, forever if nothing that happens by
// itself ends it.
type reason struct {
	words string
	until int
	goes  string // the event that ends it
}

// compare orders reasons by their end.
func (r reason) compare(o reason) int { return cmp.Compare(r.until, o.until) }

const forever = math.MaxInt

func newJudge(snaps []Snapshot, p Policy, c Calendar, now time.Time) *judge {
	j := &judge{policy: p, rules: p.rules(), almanac: newAlmanac(c), now: now, snaps: slices.Clone(snaps)}
	slices.SortStableFunc(j.snaps, newestFirst)
	j.reasons = make([][]reason, len(snaps))
	j.next = c.Day(now).number()
	for i := range j.snaps {
		wall := j.wall(i)
		m := moment{index: i, day: c.Day(wall).number(), hour: 24*dateOf(wall).number() + wall.Hour()}
		j.moments = append(j.moments, m)
		if !j.future(i) {
			j.next = max(j.next, m.day+1)
		}
	}
	return j
}

// wall is the time of a snapshot on the practice's clock.
func (j *judge) wall(i int) time.Time { return j.snaps[i].Time.In(j.almanac.zone()) }

// keep notes why a snapshot stays. The same words from two views are one
// reason, which ends when the last of them does.
func (j *judge) keep(i int, r reason) {
	for n, known := range j.reasons[i] {
		if known.words == r.words {
			if r.until > known.until {
				j.reasons[i][n] = r
			}
			return
		}
	}
	j.reasons[i] = append(j.reasons[i], r)
}

// A period is one that has a snapshot, and the one that stands for it.
type period struct{ key, best int }

// periods are those in which the view has snapshots, newest first, and the
// view's oldest snapshot that lies in one.
func (j *judge) periods(u unit, items []int) (found []period, oldest int) {
	known := make(map[int]int)
	oldest = -1
	for _, i := range items {
		if u.openDaysOnly && !j.almanac.open(j.moments[i].day) {
			continue
		}
		oldest = i
		key := u.key(j.moments[i])
		n, ok := known[key]
		if !ok {
			known[key] = len(found)
			found = append(found, period{key, i})
		} else if !j.snaps[found[n].best].sound() && j.snaps[i].sound() {
			found[n].best = i
		}
	}
	slices.SortStableFunc(found, func(a, b period) int { return b.key - a.key })
	return found, oldest
}

func stands(periods []period, i int) bool {
	return slices.ContainsFunc(periods, func(p period) bool { return p.best == i })
}

// apply notes what a rule keeps in a view.
func (j *judge) apply(r rule, v view) {
	if len(v.items) == 0 {
		return
	}
	if !r.within.Zero() {
		j.applyWithin(r, v)
		return
	}
	if r.unit.openDaysOnly {
		j.keepNewestOfClosedDay(v)
	}
	found, oldest := j.periods(r.unit, j.counted(r, v))
	if len(found) == 0 {
		return
	}
	begins := j.newPeriods(r, found[0].key)
	left := r.count - len(found)
	for rank, p := range found {
		if r.count < 0 || rank < r.count {
			j.keep(p.best, j.countReason(r, p, rank, begins))
		}
	}
	if (r.count < 0 || left > 0) && !stands(found, oldest) {
		j.keep(oldest, oldestReason(r, left, begins))
	}
}

// counted are the snapshots that a rule with a count sees. For "last", where
// each is a period of its own, any later sound one stands for an incomplete one.
func (j *judge) counted(r rule, v view) []int {
	if !v.whole || !r.unit.single {
		return v.items
	}
	end := slices.IndexFunc(v.items, func(i int) bool { return j.snaps[i].sound() })
	if end < 0 {
		return v.items
	}
	return v.items[:end]
}

// within are the snapshots of a view that lie within the rule's span from its
// newest one.
func (j *judge) within(r rule, v view) []int {
	cut := r.within.before(j.wall(v.items[0]))
	end := slices.IndexFunc(v.items, func(i int) bool { return !j.snaps[i].Time.After(cut) })
	if end < 0 {
		return v.items
	}
	return v.items[:end]
}

func (j *judge) applyWithin(r rule, v view) {
	recent := j.within(r, v)
	found, oldest := j.periods(r.unit, recent)
	for _, p := range found {
		j.keep(p.best, j.withinReason(r, p, v.items[0]))
	}
	if len(recent) == len(v.items) && !stands(found, oldest) {
		j.keep(oldest, reason{
			words: "oldest, " + r.text,
			until: j.leaves(r.within, oldest, v.items[0]),
			goes:  "when the newest one is more than " + r.span + " after it",
		})
	}
}

// keepNewestOfClosedDay keeps what is newer than the last business day: until
// the practice opens again it is the only copy of what changed since.
func (j *judge) keepNewestOfClosedDay(v view) {
	i := v.items[0]
	if why, closed := j.almanac.Closed(dayNumbered(j.moments[i].day)); closed {
		j.keep(i, reason{words: "newest, of a closed day (" + why + ")", until: j.next, goes: "when a newer one is there"})
	}
}
