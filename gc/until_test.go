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

func TestSnapshotsGoOnTheDayThatWasSaid(t *testing.T) {
	told := 0
	for seed := range uint64(4 * years) {
		l := lot{rand.New(rand.NewPCG(seed, 5))}
		p, c := l.policy(), l.calendar()
		if p.Empty() {
			continue
		}
		told += followNights(t, seed, l, p, c)
	}
	if told < 10*years {
		t.Errorf("only %d snapshots went", told)
	}
}

// followNights saves one snapshot a day, asks on one day when each will go, and
// watches. It returns how many went.
func followNights(t *testing.T, seed uint64, l lot, p gc.Policy, c gc.Calendar) (went int) {
	t.Helper()
	var there []gc.Snapshot
	until := make(map[string]gc.Decision)
	asked := 20 + l.IntN(250)
	for n := range asked + 300 {
		if n < asked && l.one(7) {
			continue // until then a night can be left out
		}
		at := time.Date(2023, time.January, 1+n, 19, 30, 0, 0, c.Zone)
		there = append(there, gc.Snapshot{ID: fmt.Sprintf("n%03d", n), Time: at, Complete: true})
		decisions := gc.Decide(there, p, c, at.Add(time.Minute))
		there = kept(decisions)
		for _, d := range decisions {
			said, ok := until[d.Snapshot.ID]
			today := c.Start(c.Day(at))
			if ok && !d.Keep {
				went++
			}
			due := ok && !said.Until.IsZero() && !today.Before(said.Until)
			if ok && d.Keep == due && !isNowTheOldest(d) {
				t.Fatalf("seed %d, policy %v, on %v: %s kept %v %q, but was to go %v, %s: %q", seed, p, today,
					d.Snapshot.ID, d.Keep, d.Reasons, said.Until, said.Goes, said.Reasons)
			}
			if n == asked {
				until[d.Snapshot.ID] = d
			}
		}
	}
	return went
}

// isNowTheOldest reports whether a snapshot stays only since those before it
// have gone, which nobody could tell.
func isNowTheOldest(d gc.Decision) bool {
	return d.Keep && !slices.ContainsFunc(d.Reasons, func(r string) bool { return !strings.HasPrefix(r, "oldest, ") })
}

func TestWhenASnapshotGoesIsSaidInWords(t *testing.T) {
	snaps := []gc.Snapshot{
		saved("2026-11-20", "new"), saved("2026-11-19", "old"), saved("2026-10-31", "month"),
		saved("2026-08-31", "oldest"), saved("2026-08-30", "held"), saved("2026-08-29", "tagged"), saved("2030-01-01", "future"),
	}
	snaps[4].Held = true
	snaps[5].Tags = []string{"audit"}
	p := gc.Policy{Daily: 2, Monthly: 4, Tags: [][]string{{"audit"}}}
	want := map[string]string{
		"new":    "2026-11-22 when 2 more days have a snapshot",
		"old":    "2026-11-21 when 1 more day has a snapshot",
		"month":  "2027-02-01 when 3 more months have a snapshot",
		"oldest": "2027-01-01 when 2 more months have a snapshot",
		"held":   "never when it is released",
		"tagged": "never never while it has the tag",
		"future": "2030-01-01 by the rules, when its time has come",
	}
	for _, d := range gc.Decide(snaps, p, gc.Calendar{}, snaps[0].Time.Add(time.Hour)) {
		day := "never"
		if !d.Until.IsZero() {
			day = d.Until.Format(time.DateOnly)
		}
		if got := day + " " + d.Goes; got != want[d.Snapshot.ID] {
			t.Errorf("%s: %q, want %q", d.Snapshot.ID, got, want[d.Snapshot.ID])
		}
	}
}

func TestDaysOnWhichBusinessDaysAndSpansEnd(t *testing.T) {
	// The 19th is a Thursday; the 26th is Thanksgiving Day.
	snaps := []gc.Snapshot{saved("2026-11-19", "thursday"), saved("2026-11-18", "wednesday"), saved("2026-11-17", "tuesday")}
	for _, c := range []struct {
		policy gc.Policy
		now    string
		want   string
	}{
		{gc.Policy{BusinessDays: 3}, "2026-11-19", "2026-11-24 2026-11-23 2026-11-20"},
		{gc.Policy{BusinessDays: 3}, "2026-11-21", "2026-11-25 2026-11-24 2026-11-23"},
		{gc.Policy{BusinessDays: 3}, "2026-11-24", "2026-11-27 2026-11-25 2026-11-24"},
		{gc.Policy{Within: gc.Duration{Days: 3}}, "2026-11-19", "2026-11-22 2026-11-21 2026-11-20"},
		{gc.Policy{Within: gc.Duration{Days: 3}}, "2026-11-21", "2026-11-22 2026-11-21 2026-11-21"},
		{gc.Policy{WithinMonthly: gc.Duration{Days: 3}}, "2026-11-19", "2026-11-20"},
	} {
		var got []string
		now := saved(c.now, "").Time.Add(time.Minute)
		for _, d := range gc.Decide(snaps, c.policy, gc.Calendar{Holidays: public("us")}, now) {
			if d.Keep && !isNowTheOldest(d) {
				got = append(got, d.Until.Format(time.DateOnly))
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%v, on %s: %s, want %s", c.policy, c.now, got, c.want)
		}
	}
}

func TestASpanWithoutEndIsNoDate(t *testing.T) {
	snaps := []gc.Snapshot{saved("2026-11-20", "new")}
	for _, p := range []gc.Policy{{Within: gc.Duration{Years: 9000}}, {Last: 1 << 40}, {Daily: gc.All}} {
		d := gc.Decide(snaps, p, gc.Calendar{}, snaps[0].Time)[0]
		if !d.Keep || !d.Until.IsZero() {
			t.Errorf("%v: keep %v until %v", p, d.Keep, d.Until)
		}
	}
}

func saved(date, id string) gc.Snapshot {
	d, err := gc.ParseDate(date)
	if err != nil {
		panic(err)
	}
	return gc.Snapshot{ID: id, Time: time.Date(d.Year, d.Month, d.Day, 19, 30, 0, 0, time.UTC), Complete: true}
}
