package gc_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"chartkeep/gc"
)

// lot draws groups, policies and calendars.
type lot struct{ *rand.Rand }

func (l lot) one(n int) bool { return l.IntN(n) == 0 }

func (l lot) group() (snaps []gc.Snapshot, now time.Time) {
	start := time.Date(2019, time.January, 1, 12, 0, 0, 0, time.UTC)
	hours := []int{150, 24 * 20, 24 * 200, 24 * 1500}[l.IntN(4)]
	for i := range l.IntN(40) {
		s := gc.Snapshot{
			ID:   fmt.Sprintf("s%02d", i),
			Time: start.Add(time.Duration(l.IntN(hours)) * time.Hour).Add(time.Duration(l.IntN(60)) * time.Minute),
			Host: "elm", Complete: !l.one(5), Dated: l.one(9), Held: l.one(30),
		}
		if l.one(20) {
			s.Tags = []string{"keep"}
		}
		if l.one(25) {
			s.Host = "oak"
		}
		if i > 0 && l.one(60) {
			s.Time = snaps[i-1].Time
		}
		snaps = append(snaps, s)
	}
	l.number(snaps)
	return snaps, start.Add(time.Duration(hours-l.IntN(hours/8)) * time.Hour)
}

// number gives most groups an order of writing that agrees with the times but
// for some.
func (l lot) number(snaps []gc.Snapshot) {
	if l.one(4) {
		return
	}
	byTime := slices.Clone(snaps)
	slices.SortFunc(byTime, func(a, b gc.Snapshot) int { return a.Time.Compare(b.Time) })
	for range l.IntN(8) - 4 {
		if n := len(byTime); n > 0 {
			moved := l.IntN(n)
			s := byTime[moved]
			byTime = slices.Insert(slices.Delete(byTime, moved, moved+1), l.IntN(n), s)
		}
	}
	for i := range snaps {
		at := slices.IndexFunc(byTime, func(s gc.Snapshot) bool { return s.ID == snaps[i].ID })
		snaps[i].Sequence = uint64(1 + at)
		if l.one(30) {
			snaps[i].Sequence = 0
		}
	}
}

func (l lot) policy() (p gc.Policy) {
	for _, n := range []*int{&p.Last, &p.Hourly, &p.Daily, &p.BusinessDays, &p.Weekly, &p.Monthly, &p.Quarterly, &p.Yearly, &p.FiscalYearly} {
		switch {
		case l.one(4):
			*n = 1 + l.IntN(6)
		case l.one(30):
			*n = gc.All
		}
	}
	for _, d := range []*gc.Duration{
		&p.Within, &p.WithinHourly, &p.WithinDaily, &p.WithinWeekly, &p.WithinMonthly, &p.WithinQuarterly, &p.WithinYearly,
	} {
		if l.one(14) {
			*d = gc.Duration{Years: l.IntN(8) / 7, Months: l.IntN(8) / 3, Days: l.IntN(20), Hours: l.IntN(30)}
		}
	}
	if l.one(6) {
		p.Tags = [][]string{{"keep"}}
	}
	p.FiscalYearStart = []gc.MonthDay{{}, {time.April, 6}, {time.July, 1}, {time.February, 29}}[l.IntN(4)]
	return p
}

func (l lot) calendar() gc.Calendar {
	zone := []string{"UTC", "America/Chicago", "Europe/Berlin", "Pacific/Auckland", "America/Santiago"}[l.IntN(5)]
	return gc.Calendar{Zone: location(zone), DayEndsAt: time.Duration(l.IntN(2)) * 4 * time.Hour, Holidays: public([]string{"", "us", "gb"}[l.IntN(3)])}
}

// forLots runs a check on many draws.
func forLots(t *testing.T, check func(l lot, snaps []gc.Snapshot, p gc.Policy, c gc.Calendar, now time.Time) string) {
	t.Helper()
	for seed := range uint64(120 * years) {
		l := lot{rand.New(rand.NewPCG(seed, 11))}
		snaps, now := l.group()
		p, c := l.policy(), l.calendar()
		if wrong := check(l, snaps, p, c, now); wrong != "" {
			t.Fatalf("draw %d, policy %v: %s\n%s", seed, p, wrong, listed(gc.Decide(snaps, p, c, now)))
		}
	}
}

func ids(snaps []gc.Snapshot) map[string]bool {
	set := make(map[string]bool)
	for _, s := range snaps {
		set[s.ID] = true
	}
	return set
}

func TestAnyGroupIsDecidedAsTheReferenceDoes(t *testing.T) {
	almanacks := make(map[string]*almanack)
	forLots(t, func(_ lot, snaps []gc.Snapshot, p gc.Policy, c gc.Calendar, now time.Time) string {
		if p.Empty() || sameTime(snaps) {
			return ""
		}
		name := fmt.Sprint(c.Zone, c.DayEndsAt, len(c.Holidays))
		if almanacks[name] == nil {
			almanacks[name] = newAlmanack(c)
		}
		want := naive(snaps, p, almanacks[name], now)
		for _, d := range gc.Decide(snaps, p, c, now) {
			if d.Keep != want[d.Snapshot.ID] {
				return fmt.Sprintf("%s: keep %v, reference %v", d.Snapshot.ID, d.Keep, want[d.Snapshot.ID])
			}
		}
		return ""
	})
}

// sameTime reports whether two have the same time: the reference does not know
// which of them is the newer one.
func sameTime(snaps []gc.Snapshot) bool {
	seen := make(map[time.Time]bool)
	for _, s := range snaps {
		seen[s.Time] = true
	}
	return len(seen) < len(snaps)
}

func TestAGroupIsNeverEmptied(t *testing.T) {
	forLots(t, func(_ lot, snaps []gc.Snapshot, p gc.Policy, c gc.Calendar, now time.Time) string {
		past := func(s gc.Snapshot) bool { return s.Complete && !s.Time.After(now.Add(gc.Tolerance)) }
		stay := kept(gc.Decide(snaps, p, c, now))
		if len(stay) == 0 && len(snaps) > 0 {
			return "emptied"
		}
		if slices.ContainsFunc(snaps, past) && !slices.ContainsFunc(stay, past) {
			return "no sound one is left"
		}
		return ""
	})
}

func TestDecidingTwiceRemovesNothingMore(t *testing.T) {
	forLots(t, func(_ lot, snaps []gc.Snapshot, p gc.Policy, c gc.Calendar, now time.Time) string {
		if sameTime(snaps) {
			return "" // the order tells which is the newer one
		}
		first := kept(gc.Decide(snaps, p, c, now))
		want := ids(first)
		if disorderly(snaps) {
			// What only the doubt about a clock has kept may go when the
			// doubt has gone; what the rules keep without any doubt may not.
			want = ids(kept(gc.Decide(withoutOrder(snaps), p, c, now)))
		}
		again := ids(kept(gc.Decide(first, p, c, now)))
		for id := range want {
			if !again[id] {
				return id + " goes only the second time"
			}
		}
		return ""
	})
}

func disorderly(snaps []gc.Snapshot) bool {
	return slices.ContainsFunc(snaps, func(s gc.Snapshot) bool {
		return slices.ContainsFunc(snaps, func(o gc.Snapshot) bool { return writtenBefore(o, s) && o.Time.After(s.Time) })
	})
}

func withoutOrder(snaps []gc.Snapshot) []gc.Snapshot {
	snaps = slices.Clone(snaps)
	for i := range snaps {
		snaps[i].Sequence, snaps[i].Dated = 0, false
	}
	return snaps
}

func TestAGreaterCountNeverRemovesMore(t *testing.T) {
	forLots(t, func(l lot, snaps []gc.Snapshot, p gc.Policy, c gc.Calendar, now time.Time) string {
		if p.Empty() {
			return "" // removes nothing, and the first rule begins to
		}
		stay := kept(gc.Decide(snaps, p, c, now))
		counts := []*int{&p.Last, &p.Hourly, &p.Daily, &p.BusinessDays, &p.Weekly, &p.Monthly, &p.Quarterly, &p.Yearly, &p.FiscalYearly}
		for _, n := range counts {
			switch {
			case l.one(3) && *n != gc.All:
				*n += 1 + l.IntN(3)
			case l.one(10):
				*n = gc.All
			}
		}
		more := ids(kept(gc.Decide(snaps, p, c, now)))
		for _, s := range stay {
			if !more[s.ID] && !onlyLast(s, stay) {
				return fmt.Sprintf("%s goes with %v", s.ID, p)
			}
		}
		return ""
	})
}

// onlyLast reports whether s stood for its whole group: then another may.
func onlyLast(s gc.Snapshot, stay []gc.Snapshot) bool {
	return !slices.ContainsFunc(stay, func(o gc.Snapshot) bool { return o.ID != s.ID && o.Complete })
}

func TestTheOrderOfTheListDoesNotMatter(t *testing.T) {
	forLots(t, func(l lot, snaps []gc.Snapshot, p gc.Policy, c gc.Calendar, now time.Time) string {
		want := listed(gc.Decide(snaps, p, c, now))
		l.Shuffle(len(snaps), func(i, k int) { snaps[i], snaps[k] = snaps[k], snaps[i] })
		if got := listed(gc.Decide(snaps, p, c, now)); got != want {
			return "differs after shuffling:\n" + got
		}
		return ""
	})
}

func TestWhatStaysHasAReasonAndWhatGoesToo(t *testing.T) {
	forLots(t, func(_ lot, snaps []gc.Snapshot, p gc.Policy, c gc.Calendar, now time.Time) string {
		for _, d := range gc.Decide(snaps, p, c, now) {
			if len(d.Reasons) == 0 || slices.Contains(d.Reasons, "") || d.Keep != (d.Goes != "") {
				return fmt.Sprintf("%s: reasons %q, goes %q", d.Snapshot.ID, d.Reasons, d.Goes)
			}
			if !d.Keep && !d.Until.IsZero() || d.Keep && !d.Until.IsZero() && d.Until.AddDate(0, 0, 1).Before(now) {
				return fmt.Sprintf("%s: keep %v until %v", d.Snapshot.ID, d.Keep, d.Until)
			}
		}
		return ""
	})
}
