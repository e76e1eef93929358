package notify

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"chartkeep/gc"
)

// warnAgain is how long a warning is not repeated.
const warnAgain = 7 * 24 * time.Hour

// afterRun decides what a run's outcome makes worth saying, and notes in m that
// it was said. It looks at m as it was before the run.
func (s Settings) afterRun(o Outcome, m *Memory) (notices []Notice) {
	p, now := m.plan(o.Plan), o.end()
	result := o.worst()
	switch {
	case result.well():
		notices = s.recovered(o, m, now)
	case result.quiet():
		notices = s.overduePlans([]Copy{{Plan: o.Plan, LastGood: p.LastSuccess, LastResult: result}}, o.Run, m, now)
	default:
		if p.Since.IsZero() {
			p.Since = o.Start
		}
		if trouble := o.troubles(); s.newDay(p.Told[trouble], now) {
			maps.DeleteFunc(p.Told, func(_ string, at time.Time) bool { return s.newDay(at, now) })
			remember(&p.Told, trouble, now)
			notices = append(notices, s.runNotice(o))
		}
	}
	warned := s.newWarnings(o, m, now)
	if len(notices) == 0 {
		notices = warned // else they are in the words of the run
	}
	return notices
}

// recovered is the notice that all is well again, where people believe that it
// is not. A plan that fails and succeeds in turns is well again once a day, and
// counts as in trouble until then; else there would be two notices an hour.
func (s Settings) recovered(o Outcome, m *Memory, now time.Time) []Notice {
	p := m.plan(o.Plan)
	told := len(p.Told) > 0 || !m.Overdue[o.Plan].IsZero()
	delete(m.Overdue, o.Plan)
	if told && !s.newDay(p.Recovered, now) {
		return nil
	}
	before := *p
	p.Since, p.Told = time.Time{}, nil
	if !told {
		return nil
	}
	p.Recovered = now
	return []Notice{s.recoveredNotice(o, before)}
}

// toldToday reports whether a failure of the plan was said today.
func (s Settings) toldToday(p *PlanMemory, now time.Time) bool {
	for _, at := range p.Told {
		if !s.newDay(at, now) {
			return true
		}
	}
	return false
}

// newDay reports whether now falls on another day of the practice than before.
func (s Settings) newDay(before, now time.Time) bool {
	return before.IsZero() || s.Calendar.Day(before) != s.Calendar.Day(now)
}

// newWarnings are the notices for what a run warns of for the first time in a week.
func (s Settings) newWarnings(o Outcome, m *Memory, now time.Time) (notices []Notice) {
	for _, w := range o.Warnings {
		if said := m.Warnings[w.About]; said.IsZero() || now.Sub(said) >= warnAgain {
			remember(&m.Warnings, w.About, now)
			notices = append(notices, s.warningNotice(o, w))
		}
	}
	return notices
}

// watch decides which copies are overdue and worth saying so. When nothing at
// all was saved of a plan that is said once, and not for each of its copies.
func (s Settings) watch(st State, m *Memory, now time.Time) (notices []Notice) {
	run := Run{Practice: st.Practice, Host: st.Host}
	notices = s.overduePlans(st.Copies, run, m, now)
	for _, c := range st.Copies {
		key := copyKey(c)
		if _, ok := m.Overdue[c.Plan]; ok {
			continue // said already, of the plan
		}
		late := s.late(c.LastGood, m.watchedSince(key, now), c.Days, now)
		if s.sayOverdue(m, key, late, now) {
			notices = append(notices, s.overdueCopyNotice(run, c, late, now))
		}
	}
	return notices
}

// overduePlans are the notices for plans of which nothing was saved lately. Where
// a failure was said today, it is not said in other words as well.
func (s Settings) overduePlans(copies []Copy, run Run, m *Memory, now time.Time) (notices []Notice) {
	for _, newest := range newestByPlan(copies) {
		run.Plan = newest.Plan
		late := s.late(newest.LastGood, m.watchedSince(newest.Plan, now), nil, now)
		if s.sayOverdue(m, newest.Plan, late, now) && !s.toldToday(m.plan(newest.Plan), now) {
			notices = append(notices, s.overduePlanNotice(run, newest, late, now))
		}
	}
	return notices
}

// sayOverdue reports whether it is time to call something overdue, and notes it.
func (s Settings) sayOverdue(m *Memory, key string, late int, now time.Time) bool {
	if late < s.OverdueAfter {
		delete(m.Overdue, key)
		return false
	}
	if !s.newDay(m.Overdue[key], now) {
		return false
	}
	remember(&m.Overdue, key, now)
	return true
}

// watchedSince is when something was first looked at. What never had a good
// snapshot is late from then on, and not from the beginning of time.
func (m *Memory) watchedSince(key string, now time.Time) time.Time {
	if since, ok := m.Watched[key]; ok {
		return since
	}
	remember(&m.Watched, key, now)
	return now
}

// newestByPlan is for each plan its copy with the newest good snapshot, in
// their order.
func newestByPlan(copies []Copy) (newest []Copy) {
	for _, c := range copies {
		i := slices.IndexFunc(newest, func(n Copy) bool { return n.Plan == c.Plan })
		switch {
		case i < 0:
			newest = append(newest, c)
		case c.LastGood.After(newest[i].LastGood):
			newest[i] = c
		}
	}
	return newest
}

// Overdue reports whether a copy is overdue at now, in a practice that counts
// its days by this calendar.
func (c Copy) Overdue(calendar gc.Calendar, after int, now time.Time) bool {
	return Settings{Calendar: calendar}.late(c.LastGood, time.Time{}, c.Days, now) >= max(1, after)
}

// maxLate bounds how far back days are counted.
const maxLate = 366

// late counts the open days on which a copy was expected that began after the
// day of its last good snapshot and have ended. Today is not among them: its run
// may still come. What never was good counts from the day since which it is
// watched; without one it is as late as can be.
func (s Settings) late(good, since time.Time, days []time.Weekday, now time.Time) (n int) {
	if good.IsZero() {
		good = since
	}
	if good.IsZero() {
		return maxLate
	}
	first, today := s.Calendar.Day(good), s.Calendar.Day(now)
	for i := 1; i <= maxLate; i++ {
		d := first.AddDays(i)
		if daysBetween(d, today) <= 0 {
			return n
		}
		if _, closed := s.Calendar.Closed(d); !closed && (len(days) == 0 || slices.Contains(days, d.Weekday())) {
			n++
		}
	}
	return n
}

func noon(d gc.Date) time.Time { return time.Date(d.Year, d.Month, d.Day, 12, 0, 0, 0, time.UTC) }

// daysBetween is how many days b is after a.
func daysBetween(a, b gc.Date) int { return int(noon(b).Sub(noon(a)) / (24 * time.Hour)) }

// summaryDue reports whether a summary is to be sent at now.
func (s Settings) summaryDue(m *Memory, now time.Time) bool {
	today := s.Calendar.Day(now)
	if _, closed := s.Calendar.Closed(today); closed || s.Summary == Never {
		return false
	}
	if !s.newDay(m.Summary, now) || now.Before(s.clock(today)) {
		return false
	}
	return s.Summary == Daily || m.Summary.IsZero() || week(s.Calendar.Day(m.Summary)) != week(today)
}

// clock is the moment on a day of the practice at which a summary may be sent.
func (s Settings) clock(d gc.Date) time.Time {
	at := int(s.SummaryAt / time.Minute)
	return time.Date(d.Year, d.Month, d.Day, at/60, at%60, 0, 0, s.zone())
}

func (s Settings) zone() *time.Location {
	if s.Calendar.Zone == nil {
		return time.UTC
	}
	return s.Calendar.Zone
}

// week names the ISO week of a day.
func week(d gc.Date) string {
	year, n := noon(d).ISOWeek()
	return fmt.Sprintf("%d-W%d", year, n)
}
