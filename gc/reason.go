package gc

import (
	"slices"
	"strconv"
	"time"
)

// farAhead bounds how many coming periods are worked out for Decision.Until.
const farAhead = 10_000

// newPeriods are the days on which the coming periods of a rule begin, if every
// day from j.next on brings a snapshot; newest is the last period there is.
func (j *judge) newPeriods(r rule, newest int) []int {
	days := make([]int, 0, max(0, min(r.count, farAhead)))
	d, next := j.next, r.unit.next
	if next == nil {
		next = nextDay
	} else {
		if r.unit.openDaysOnly {
			d = j.almanac.nextOpen(d)
		}
		if r.unit.first(d) <= newest {
			d = next(j.almanac, d)
		}
	}
	for len(days) < cap(days) {
		days = append(days, d)
		d = next(j.almanac, d)
	}
	return days
}

// unfinished reports whether the snapshot that is supposed to come next falls
// into the period.
func (j *judge) unfinished(u unit, key int) bool { return u.open != nil && u.first(j.next) == key }

func (j *judge) countReason(r rule, p period, rank int, begins []int) reason {
	words := j.periodWords(r, p)
	if j.unfinished(r.unit, p.key) {
		return reason{words, j.next, "when the " + r.unit.one + " has a newer one"}
	}
	if r.count < 0 {
		return reason{words, forever, "never by this policy"}
	}
	return reason{words, nth(begins, r.count-rank), whenMore(r, r.count-rank)}
}

func oldestReason(r rule, left int, begins []int) reason {
	words := "oldest, while " + r.word + " is not full"
	if r.count < 0 {
		return reason{words, forever, "never by this policy"}
	}
	return reason{words, nth(begins, left), whenMore(r, left)}
}

func whenMore(r rule, n int) string {
	if n == 1 {
		return "when 1 more " + r.unit.one + " has a snapshot"
	}
	return "when " + strconv.Itoa(n) + " more " + r.unit.many + " have a snapshot"
}

func nth(days []int, n int) int {
	if n > len(days) {
		return forever
	}
	return days[n-1]
}

func (j *judge) periodWords(r rule, p period) string {
	words := r.text
	switch {
	case r.unit.single:
	case j.unfinished(r.unit, p.key):
		words = r.unit.open(p.key)
	default:
		words = r.unit.name(p.key)
	}
	if !j.snaps[p.best].sound() {
		words += ", " + doubt(&j.snaps[p.best]) + ", with none better"
	}
	return words
}

// doubt is what keeps a snapshot from standing for its period.
func doubt(s *Snapshot) string {
	if s.Suspicious {
		return "suspicious"
	}
	return "incomplete"
}

func (j *judge) withinReason(r rule, p period, newest int) reason {
	words := j.periodWords(r, p)
	if !r.unit.single {
		words += ", within " + r.span
	}
	until := j.leaves(r.within, p.best, newest)
	if j.unfinished(r.unit, p.key) && until > j.next {
		return reason{words, j.next, "when the " + r.unit.one + " has a newer one"}
	}
	return reason{words, until, "when the newest one is more than " + r.span + " after it"}
}

// leaves is the day on which a snapshot no longer lies within a span of the
// newest, if that moves on by a day each night.
func (j *judge) leaves(span Duration, i, newest int) int {
	t, from := j.wall(i), j.wall(newest)
	// Months differ in length: begin a little early and search.
	n := max(1, int((span.after(t).Unix()-from.Unix())/86400)-4)
	for span.before(from.AddDate(0, 0, n)).Before(t) {
		n++
	}
	return max(j.next, j.almanac.Day(from.AddDate(0, 0, n)).number())
}

// latestUntil is the greatest year that times are written with.
const latestUntil = 9999

// until is when the last of the reasons ends, and by what.
func (j *judge) until(i int) (time.Time, string) {
	last := slices.MaxFunc(j.reasons[i], reason.compare)
	if last.until == forever || dayNumbered(last.until).Year > latestUntil {
		return time.Time{}, last.goes
	}
	return j.almanac.Start(dayNumbered(last.until)), last.goes
}
