package gc_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"chartkeep/gc"
)

// A practice runs every night for ten years; what it does not do every night
// is drawn by lot.
type practice struct {
	name     string
	calendar gc.Calendar
	policy   gc.Policy
	first    int    // year of the first night
	clock    string // which way its clock errs: "", "fast", "slow", "both"
}

var practices = []practice{
	{
		name: "business days and ends of periods, Chicago", first: 2020, calendar: elmStreet,
		policy: gc.Policy{BusinessDays: 10, Monthly: 12, Quarterly: 8, FiscalYearly: 7, FiscalYearStart: gc.MonthDay{time.July, 1}},
	},
	{
		name: "everything at once, Berlin", first: 2019, clock: "fast",
		calendar: gc.Calendar{Zone: location("Europe/Berlin"), DayEndsAt: 5*time.Hour + 30*time.Minute, Holidays: public("de-by")},
		policy:   gc.Policy{Last: 3, Hourly: 4, Daily: 7, Weekly: 5, Monthly: 6, Yearly: gc.All},
	},
	{
		name: "spans, a zone that shifts by half an hour", first: 2018, clock: "slow",
		calendar: gc.Calendar{Zone: location("Australia/Lord_Howe"), DayEndsAt: 4 * time.Hour},
		policy: gc.Policy{
			Within: gc.Duration{Days: 3, Hours: 5}, WithinDaily: gc.Duration{Days: 10}, WithinWeekly: gc.Duration{Months: 1, Days: 3},
			WithinMonthly: gc.Duration{Years: 1}, WithinQuarterly: gc.Duration{Years: 2}, WithinYearly: gc.Duration{Years: 5},
		},
	},
	{
		name: "summer time that begins at midnight, Santiago", first: 2017, clock: "both",
		calendar: gc.Calendar{Zone: location("America/Santiago"), OpenDays: []time.Weekday{1, 2, 3, 4, 5, 6}},
		policy:   gc.Policy{Daily: 5, BusinessDays: 6, Weekly: 3, Monthly: 4, Quarterly: 3},
	},
	{
		name: "a year that begins on a leap day, Kolkata", first: 2016, clock: "fast",
		calendar: gc.Calendar{Zone: location("Asia/Kolkata"), DayEndsAt: 3 * time.Hour},
		policy: gc.Policy{
			Hourly: 3, Weekly: 4, Yearly: 3, FiscalYearly: 4, FiscalYearStart: gc.MonthDay{time.February, 29},
			WithinHourly: gc.Duration{Hours: 40},
		},
	},
	{
		name: "a day left out of the calendar, Apia", first: 2008, clock: "slow",
		calendar: gc.Calendar{Zone: location("Pacific/Apia"), DayEndsAt: 90 * time.Minute, Holidays: public("nz")},
		policy:   gc.Policy{BusinessDays: 4, Monthly: 3, Yearly: 2, Tags: [][]string{{"keep"}}},
	},
}

func TestTenYearsHoldWhatTheReferenceHolds(t *testing.T) {
	for _, p := range practices {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			almanack := newAlmanack(p.calendar)
			var there []gc.Snapshot
			removed := 0
			for night := range p.nights(years) {
				there = append(there, night.made...)
				decisions := gc.Decide(there, p.policy, p.calendar, night.now)
				compare(t, decisions, naive(there, p.policy, almanack, night.now), night.now)
				removed += len(there)
				there = kept(decisions)
				removed -= len(there)
			}
			t.Logf("%d removed, %d left", removed, len(there))
			if removed < 200*years || len(there) < 5 {
				t.Errorf("%d removed, %d left: the simulation is not worth its name", removed, len(there))
			}
		})
	}
}

func compare(t *testing.T, decisions []gc.Decision, want map[string]bool, now time.Time) {
	t.Helper()
	for _, d := range decisions {
		if d.Keep != want[d.Snapshot.ID] {
			t.Fatalf("at %v, of %s: keep %v, reference %v\n%s", now, d.Snapshot.ID, d.Keep, want[d.Snapshot.ID], listed(decisions))
		}
	}
}

func listed(decisions []gc.Decision) string {
	var list strings.Builder
	for _, d := range decisions {
		s := d.Snapshot
		fmt.Fprintf(&list, "%s %v complete=%v dated=%v keep=%v %q\n", s.ID, s.Time, s.Complete, s.Dated, d.Keep, d.Reasons)
	}
	return list.String()
}

// A night is what it brings, and when retention is asked.
type night struct {
	made []gc.Snapshot
	now  time.Time // by the true clock
	good bool      // what it brings is sound and bears its true time
}

// nights simulates years of nights: closures, runs that are put off past
// midnight, second runs at noon, runs that could not read everything, typed
// times, clocks that are wrong for some nights.
func (p practice) nights(years int) func(yield func(night) bool) {
	return func(yield func(night) bool) {
		lot := rand.New(rand.NewPCG(7, uint64(len(p.name))))
		var sequence uint64
		closed, wrong := 0, 0
		var shift time.Duration
		var last time.Time
		zone := p.calendar.Zone
		for day := range years * 365 {
			if closed > 0 {
				closed--
				continue
			}
			switch n := lot.IntN(1000); {
			case n < 4:
				closed = 14 // holidays
			case n < 5:
				closed = 150 // the practice moves
			}
			if wrong--; wrong <= 0 {
				shift = 0
				if lot.IntN(60) == 0 {
					wrong, shift = 1+lot.IntN(3), p.jump(lot)
				}
			}
			run := func(hour, minute int) bool {
				at := time.Date(p.first, time.January, 2+day, hour, minute, lot.IntN(60), 0, zone)
				if !at.After(last) {
					return true // a day that the zone left out
				}
				last = at
				sequence++
				s := gc.Snapshot{ID: fmt.Sprintf("n%06d", sequence), Time: at.Add(shift), Host: "elm", Sequence: sequence, Complete: lot.IntN(25) > 0}
				if lot.IntN(50) == 0 {
					s.Dated, s.Time = true, at.AddDate(0, 0, -lot.IntN(400)).Add(time.Duration(lot.IntN(4000))*time.Minute)
				}
				if lot.IntN(900) == 0 {
					s.Tags = []string{"keep"}
				}
				return yield(night{[]gc.Snapshot{s}, at.Add(20 * time.Minute), shift == 0 && s.Complete && !s.Dated})
			}
			if lot.IntN(12) == 0 && !run(12, 30) {
				return
			}
			tonight := [][2]int{{19, 30}, {19, 30}, {19, 30}, {19, 30}, {23, 50}, {24, 40}, {25, 15}}[lot.IntN(7)]
			if lot.IntN(20) > 0 && !run(tonight[0], tonight[1]) {
				return
			}
		}
	}
}

// jump is how far the clock is from the truth.
func (p practice) jump(lot *rand.Rand) time.Duration {
	hours := []int{5, 24, 50, 24 * 40, 24 * 200, 24 * 900}[lot.IntN(6)] + lot.IntN(9)
	switch {
	case p.clock == "":
		return 0
	case p.clock == "slow", p.clock == "both" && lot.IntN(2) == 0:
		hours = -hours
	}
	return time.Duration(hours) * time.Hour
}

// undetectable reports whether a time that is wrong contradicts neither the
// order of writing nor, when it comes, the present.
func undetectable(w gc.Snapshot, nights []night) bool {
	return w.Complete && !w.Dated && !slices.ContainsFunc(nights, func(n night) bool {
		g := n.made[0]
		return n.good && (g.Sequence < w.Sequence && g.Time.After(w.Time) || g.Sequence > w.Sequence && g.Time.Before(w.Time))
	})
}

func TestWhatIsDoubtfulNeverPushesOutTheGood(t *testing.T) {
	for _, p := range practices {
		if p.clock == "both" {
			continue // then the order of writing does not always tell which is wrong
		}
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			var all, good []gc.Snapshot // two repositories: one has only the good ones
			nights := slices.Collect(p.nights(years / 2))
			doubtful := 0
			for _, night := range nights {
				decisions := gc.Decide(append(all, night.made...), p.policy, p.calendar, night.now)
				all = kept(decisions)
				if night.good || undetectable(night.made[0], nights) {
					good = append(good, night.made...)
				} else {
					doubtful++
				}
				good = kept(gc.Decide(good, p.policy, p.calendar, night.now))
				for _, s := range good {
					if !slices.ContainsFunc(all, func(o gc.Snapshot) bool { return o.ID == s.ID }) {
						t.Fatalf("%v: %s of %v was pushed out\n%s", night.now, s.ID, s.Time, listed(decisions))
					}
				}
			}
			t.Logf("%d doubtful ones; at the end %d good ones among %d", doubtful, len(good), len(all))
		})
	}
}
