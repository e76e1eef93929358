package gc_test

import (
	"slices"
	"time"

	"chartkeep/gc"

	"github.com/rickar/cal/v2"
)

// A naive reference for Decide, written from the package comment by other
// means: it walks back through the calendar period by period, with the bounds
// of each as moments, and looks which snapshots lie between them. It is slow,
// and only right where the end of the day is not in the hour that comes twice.

type span struct{ from, to time.Time }

// almanack finds the bounds of days and remembers them.
type almanack struct {
	gc.Calendar
	starts map[gc.Date]time.Time
	opens  *cal.BusinessCalendar
}

func newAlmanack(c gc.Calendar) *almanack {
	if c.Zone == nil {
		c.Zone = time.UTC
	}
	return &almanack{Calendar: c, starts: make(map[gc.Date]time.Time)}
}

// start finds the first minute whose clock shows the day's beginning or later.
func (a *almanack) start(y int, m time.Month, d int) time.Time {
	wanted := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	date := gc.Date{wanted.Year(), wanted.Month(), wanted.Day()}
	if t, ok := a.starts[date]; ok {
		return t
	}
	wanted = wanted.Add(a.DayEndsAt)
	clock := func(t time.Time) time.Time {
		t = t.In(a.Zone)
		return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), 0, 0, time.UTC)
	}
	t := wanted.Add(-16 * time.Hour) // no zone is further from UTC
	for clock(t).Before(wanted.Add(-2 * time.Hour)) {
		t = t.Add(time.Hour)
	}
	for clock(t).Before(wanted) {
		t = t.Add(time.Minute)
	}
	a.starts[date] = t
	return t
}

// backwards yields the periods of a unit, from the one that holds t.
func (a *almanack) backwards(unit string, fiscal gc.MonthDay, t time.Time, yield func(span) bool) {
	year, month, day := t.In(a.Zone).Date()
	step := map[string][3]int{"day": {0, 0, 1}, "week": {0, 0, 7}, "month": {0, 1, 0}, "quarter": {0, 3, 0}, "year": {1, 0, 0}, "fiscal": {1, 0, 0}}[unit]
	day++ // begin a little late, so that nothing is missed
	switch unit {
	case "week":
		for time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Weekday() != time.Monday {
			day++
		}
	case "month":
		month, day = month+1, 1
	case "quarter":
		month, day = (month-1)/3*3+4, 1
	case "year":
		year, month, day = year+1, 1, 1
	case "fiscal":
		year, month, day = year+1, max(fiscal.Month, 1), max(fiscal.Day, 1)
	}
	for n := 0; ; n++ {
		s := span{
			a.start(year-n*step[0], month-time.Month(n*step[1]), day-n*step[2]),
			a.start(year-(n-1)*step[0], month-time.Month((n-1)*step[1]), day-(n-1)*step[2]),
		}
		if !yield(s) {
			return
		}
	}
}

// hour is the hour of the clock that holds t; of the two that bear the same
// name in autumn it makes one.
func (a *almanack) hour(t time.Time) span {
	name := func(t time.Time) string { return t.In(a.Zone).Format("2006-01-02 15") }
	from := t.Truncate(time.Minute)
	for name(from.Add(-time.Minute)) == name(t) {
		from = from.Add(-time.Minute)
	}
	return span{from, t.Add(time.Nanosecond)} // what is newer has been seen
}

func (s span) holds(t time.Time) bool { return !t.Before(s.from) && t.Before(s.to) }

// open asks the library's own business calendar.
func (a *almanack) open(s span) bool {
	date := s.from.In(a.Zone)
	if a.opens == nil {
		a.opens = cal.NewBusinessCalendar()
		a.opens.AddHoliday(a.Holidays...)
		for w := range time.Saturday + 1 {
			weekend := w == time.Saturday || w == time.Sunday
			a.opens.SetWorkday(w, slices.Contains(a.OpenDays, w) || len(a.OpenDays) == 0 && !weekend)
		}
	}
	falls, _, _ := a.opens.IsHoliday(date)
	return a.opens.IsWorkday(date) && !falls && !slices.Contains(a.ExtraClosed, gc.Date{date.Year(), date.Month(), date.Day()})
}

// A counted rule of the reference.
type count struct {
	unit string
	n    int
}

// A reference collects what stays. Lists of snapshots go from old to new.
type reference struct {
	*almanack
	policy gc.Policy
	keep   map[string]bool
}

// naive is the set of IDs that stay. It does not know of suspicion.
func naive(snaps []gc.Snapshot, p gc.Policy, a *almanack, now time.Time) map[string]bool {
	r := &reference{a, p, make(map[string]bool)}
	var whole, sound []gc.Snapshot
	for _, s := range snaps {
		if s.Held || slices.ContainsFunc(p.Tags, func(tags []string) bool { return len(tags) == 1 && slices.Contains(s.Tags, tags[0]) }) {
			r.keep[s.ID] = true
		}
		if s.Time.Sub(now) > gc.Tolerance {
			r.keep[s.ID] = true
			continue
		}
		whole = append(whole, s)
		if s.Complete {
			sound = append(sound, s)
		}
	}
	byTime := func(x, y gc.Snapshot) int { return x.Time.Compare(y.Time) }
	slices.SortFunc(whole, byTime)
	slices.SortFunc(sound, byTime)
	r.rules(whole)
	r.rules(sound)
	r.orderly(sound)
	if n := len(whole); n > 0 && !whole[n-1].Complete {
		r.keep[whole[n-1].ID] = true
	}
	if n := len(sound); n > 0 && !slices.ContainsFunc(sound, func(s gc.Snapshot) bool { return r.keep[s.ID] }) {
		r.keep[sound[n-1].ID] = true
	}
	r.witnesses(sound)
	return r.keep
}

func writtenBefore(o, s gc.Snapshot) bool {
	return !o.Dated && !s.Dated && o.Host == s.Host && o.Sequence > 0 && o.Sequence < s.Sequence
}

// orderly applies the rules to what does not contradict the order of writing,
// both ways.
func (r *reference) orderly(sound []gc.Snapshot) {
	var rising, falling []gc.Snapshot
	for _, s := range sound {
		slow := func(o gc.Snapshot) bool { return writtenBefore(o, s) && o.Time.After(s.Time) }
		fast := func(o gc.Snapshot) bool { return writtenBefore(s, o) && o.Time.Before(s.Time) }
		if !s.Dated && !slices.ContainsFunc(sound, slow) {
			rising = append(rising, s)
		}
		if !s.Dated && !slices.ContainsFunc(sound, fast) {
			falling = append(falling, s)
		}
	}
	r.rules(rising)
	r.rules(falling)
}

// witnesses keeps, for what stays and was overtaken, the one that overtook most.
func (r *reference) witnesses(sound []gc.Snapshot) {
	for _, s := range sound {
		late := s
		for _, o := range sound {
			if writtenBefore(o, s) && o.Time.After(late.Time) {
				late = o
			}
		}
		if r.keep[s.ID] {
			r.keep[late.ID] = true
		}
	}
}

func (r *reference) rules(items []gc.Snapshot) {
	if len(items) == 0 {
		return
	}
	p, newest := r.policy, items[len(items)-1]
	r.last(items, p.Last)
	for _, c := range []count{
		{"hour", p.Hourly},
		{"day", p.Daily},
		{"business", p.BusinessDays},
		{"week", p.Weekly},
		{"month", p.Monthly},
		{"quarter", p.Quarterly},
		{"year", p.Yearly},
		{"fiscal", p.FiscalYearly},
	} {
		r.count(items, c)
	}
	for unit, d := range map[string]gc.Duration{
		"": p.Within, "hour": p.WithinHourly, "day": p.WithinDaily, "week": p.WithinWeekly,
		"month": p.WithinMonthly, "quarter": p.WithinQuarterly, "year": p.WithinYearly,
	} {
		if d.Zero() {
			continue
		}
		cut := newest.Time.In(r.Zone).AddDate(-d.Years, -d.Months, -d.Days).Add(-time.Duration(d.Hours) * time.Hour)
		r.within(items, unit, cut)
	}
}

func (r *reference) last(items []gc.Snapshot, n int) {
	sound := !slices.ContainsFunc(items, func(s gc.Snapshot) bool { return !s.Complete })
	for i := len(items) - 1; i >= 0 && (n > 0 || n == gc.All); i-- {
		if !sound && items[i].Complete {
			return
		}
		r.keep[items[i].ID] = true
		if n > 0 {
			n--
		}
	}
}

// walk goes back through the periods that hold some of the items.
func (r *reference) walk(items []gc.Snapshot, unit string, yield func(in []gc.Snapshot, best gc.Snapshot) bool) {
	rest := items
	visit := func(s span) bool {
		first := len(rest)
		for first > 0 && s.holds(rest[first-1].Time) {
			first--
		}
		in := rest[first:]
		rest = rest[:first]
		if len(in) > 0 && (unit != "business" || r.open(s)) {
			best := in[len(in)-1]
			for _, o := range in {
				if o.Complete && (!best.Complete || o.Time.After(best.Time)) {
					best = o
				}
			}
			if !yield(in, best) {
				return false
			}
		}
		return len(rest) > 0
	}
	switch newest := items[len(items)-1].Time; unit {
	case "hour":
		for visit(r.hour(rest[len(rest)-1].Time)) {
		}
	case "business":
		r.backwards("day", gc.MonthDay{}, newest, visit)
	default:
		r.backwards(unit, r.policy.FiscalYearStart, newest, visit)
	}
}

func (r *reference) count(items []gc.Snapshot, c count) {
	if c.n == 0 {
		return
	}
	var oldest string
	left := c.n
	r.walk(items, c.unit, func(in []gc.Snapshot, best gc.Snapshot) bool {
		r.keep[best.ID] = true
		oldest = in[0].ID
		left--
		return left != 0
	})
	if left != 0 && oldest != "" {
		r.keep[oldest] = true
	}
	if c.unit == "business" {
		newest := items[len(items)-1]
		r.backwards("day", gc.MonthDay{}, newest.Time, func(s span) bool {
			if s.holds(newest.Time) && !r.open(s) {
				r.keep[newest.ID] = true
			}
			return !s.holds(newest.Time)
		})
	}
}

func (r *reference) within(items []gc.Snapshot, unit string, cut time.Time) {
	recent := slices.DeleteFunc(slices.Clone(items), func(s gc.Snapshot) bool { return !s.Time.After(cut) })
	if unit == "" {
		for _, s := range recent {
			r.keep[s.ID] = true
		}
		return
	}
	r.walk(recent, unit, func(_ []gc.Snapshot, best gc.Snapshot) bool {
		r.keep[best.ID] = true
		return true
	})
	if items[0].Time.After(cut) {
		r.keep[items[0].ID] = true
	}
}
