package gc_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"chartkeep/gc"
)

// A story is a group of snapshots, one a line: + stays, - goes; local time;
// flags; and after # a reason that must be among those given.
type story struct {
	name     string
	policy   gc.Policy
	calendar gc.Calendar
	now      string // default: one minute after the newest
	lines    string
}

var elmStreet = gc.Calendar{
	Zone: location("America/Chicago"), DayEndsAt: 4 * time.Hour,
	Holidays: public("us"), ExtraClosed: []gc.Date{{2026, time.December, 24}},
}

var stories = []story{
	{
		name: "a run after midnight belongs to the day, month and year before", calendar: elmStreet,
		policy: gc.Policy{Daily: 1, Monthly: 2, Yearly: 2},
		lines: `
			+ 2027-01-05 19:30 # daily 2027-01-05
			- 2027-01-01 19:30 # monthly: 40000000 stands for the month
			+ 2027-01-01 01:30 # month end 2026-12
			- 2026-12-31 19:30`,
	},
	{
		name: "without an end of the day, midnight divides", calendar: gc.Calendar{Zone: elmStreet.Zone},
		policy: gc.Policy{Monthly: 2},
		lines: `
			+ 2027-01-05 19:30
			- 2027-01-01 01:30
			+ 2026-12-31 19:30 # month end 2026-12`,
	},
	{
		name: "the zone of the practice counts, not UTC", calendar: gc.Calendar{Zone: elmStreet.Zone},
		policy: gc.Policy{Monthly: 12},
		lines: `
			+ 2026-11-02 19:30 # month 2026-11 so far
			+ 2026-10-31 19:30 # month end 2026-10
			- 2026-10-30 19:30
			- 2026-10-02 19:30
			+ 2026-10-01 01:30 # oldest, while monthly is not full`,
	},
	{
		name: "business days skip weekends, holidays and the practice's own closed days", calendar: elmStreet,
		policy: gc.Policy{BusinessDays: 3},
		lines: `
			+ 2026-12-28 19:30 # business day 2026-12-28
			- 2026-12-27 19:30 # business days: 2026-12-27 is a closed day (Sunday)
			- 2026-12-25 19:30 # business days: 2026-12-25 is a closed day (Christmas Day)
			- 2026-12-24 19:30 # business days: 2026-12-24 is a closed day (closed by the practice)
			+ 2026-12-23 19:30
			+ 2026-12-22 23:00
			- 2026-12-22 19:30 # business days: 30000000 stands for the business day
			- 2026-12-21 19:30 # business days: no place beside the newest 3 business days`,
	},
	{
		name: "the newest stays though its day is closed", calendar: elmStreet,
		policy: gc.Policy{BusinessDays: 1},
		lines: `
			+ 2026-11-26 19:30 # newest, of a closed day (Thanksgiving Day)
			+ 2026-11-25 19:30
			- 2026-11-24 19:30`,
	},
	{
		name: "a practice that works on Saturdays", calendar: gc.Calendar{OpenDays: []time.Weekday{time.Saturday, time.Monday}},
		policy: gc.Policy{BusinessDays: 2},
		lines: `
			+ 2026-11-23 19:30
			- 2026-11-22 19:30
			+ 2026-11-21 19:30
			- 2026-11-20 19:30`,
	},
	{
		name: "the weeks are ISO's", policy: gc.Policy{Weekly: 3},
		lines: `
			+ 2027-01-04 19:30 # week 2027-W01 so far
			+ 2027-01-03 19:30 # weekly 2026-W53
			- 2026-12-28 19:30
			+ 2026-12-27 19:30 # weekly 2026-W52
			- 2026-12-21 19:30`,
	},
	{
		name: "quarters", policy: gc.Policy{Quarterly: 3},
		lines: `
			+ 2027-01-04 19:30 # quarter 2027-Q1 so far
			+ 2026-12-30 19:30 # quarter end 2026-Q4
			- 2026-10-01 19:30
			+ 2026-06-30 19:30 # quarter end 2026-Q2
			- 2026-05-30 19:30`,
	},
	{
		name: "fiscal years begin when the policy says", policy: gc.Policy{FiscalYearly: 3, FiscalYearStart: gc.MonthDay{time.July, 1}},
		lines: `
			+ 2026-11-20 19:30 # fiscal year to 2027-06-30 so far
			- 2026-07-01 19:30
			+ 2026-06-30 19:30 # fiscal year end 2026-06-30
			- 2026-01-01 19:30
			+ 2025-06-29 19:30 # fiscal year end 2025-06-30
			- 2025-06-28 19:30`,
	},
	{
		name: "a fiscal year that begins on a leap day", policy: gc.Policy{FiscalYearly: 4, FiscalYearStart: gc.MonthDay{time.February, 29}},
		lines: `
			+ 2025-03-01 12:00 # fiscal year to 2026-02-28 so far
			+ 2025-02-28 12:00 # fiscal year end 2025-02-28
			- 2024-02-29 12:00
			+ 2024-02-28 12:00 # fiscal year end 2024-02-28
			+ 2023-02-28 12:00 # fiscal year end 2023-02-28
			- 2023-02-27 12:00`,
	},
	{
		name: "units do not share their periods", calendar: elmStreet,
		policy: gc.Policy{Daily: 2, Weekly: 2, Monthly: 2},
		lines: `
			+ 2026-11-02 19:30 # daily 2026-11-02
			+ 2026-11-01 19:30 # weekly 2026-W44
			+ 2026-10-31 19:30 # month end 2026-10
			- 2026-10-30 19:30`,
	},
	{
		name: "a long closure removes nothing", policy: gc.Policy{Daily: 3}, now: "2029-01-01 12:00",
		lines: `
			+ 2026-11-20 19:30
			+ 2026-11-19 19:30
			+ 2026-11-18 19:30
			- 2026-11-17 19:30 # daily: no place beside the newest 3 days`,
	},
	{
		name: "the last complete one stands for its period", policy: gc.Policy{Daily: 2, Monthly: 2},
		lines: `
			+ 2026-11-20 19:30
			- 2026-10-31 23:30 incomplete # monthly: 20000000 stands for the month
			+ 2026-10-31 19:30 # month end 2026-10
			- 2026-10-30 19:30`,
	},
	{
		name: "an incomplete one stands for a period without a complete one, beside the counts", policy: gc.Policy{Daily: 2},
		lines: `
			+ 2026-11-20 19:30
			+ 2026-11-19 19:30 incomplete # daily 2026-11-19, incomplete, with none better
			+ 2026-11-18 19:30
			- 2026-11-17 19:30 incomplete # incomplete`,
	},
	{
		name: "incomplete ones do not use up the last", policy: gc.Policy{Last: 2},
		lines: `
			+ 2026-11-20 19:30 incomplete # incomplete, and none better is newer
			+ 2026-11-19 19:30 incomplete # last 2, incomplete, with none better
			- 2026-11-18 19:30 incomplete
			+ 2026-11-17 19:30 # last 2
			- 2026-11-16 19:30 incomplete # last: a complete one is newer
			+ 2026-11-15 19:30
			- 2026-11-14 19:30`,
	},
	{
		name: "the newest incomplete one stays until a sound one is newer", policy: gc.Policy{Monthly: 1},
		lines: `
			+ 2026-11-20 19:30 incomplete # incomplete, and none better is newer
			- 2026-11-19 19:30 incomplete
			+ 2026-11-18 19:30`,
	},
	{
		name: "a group of incomplete ones is thinned by the same rules", policy: gc.Policy{Daily: 2},
		lines: `
			+ 2026-11-20 19:30 incomplete
			- 2026-11-20 07:30 incomplete
			+ 2026-11-19 19:30 incomplete
			- 2026-11-18 19:30 incomplete`,
	},
	{
		name: "one from the future waits, and takes no place", policy: gc.Policy{Last: 1, Daily: 2}, now: "2026-11-20 20:00",
		lines: `
			+ 2036-01-01 00:10 # in the future: saved under a clock that was fast, or with a wrong time
			+ 2026-11-20 20:11
			+ 2026-11-20 20:09
			- 2026-11-20 19:30
			+ 2026-11-19 19:30
			- 2026-11-18 19:30`,
	},
	{
		name: "within is measured from the newest, but not from the future", policy: gc.Policy{Within: gc.Duration{Days: 2}}, now: "2030-11-20 20:00",
		lines: `
			+ 2036-01-01 00:10
			+ 2026-11-20 19:30
			+ 2026-11-18 19:31 # within 2d
			- 2026-11-18 19:30 # within: more than 2d before the newest`,
	},
	{
		name: "months within", policy: gc.Policy{WithinMonthly: gc.Duration{Months: 2}},
		lines: `
			+ 2026-11-20 19:30 # month 2026-11 so far, within 2m
			- 2026-11-01 19:30
			+ 2026-10-20 19:30 # month end 2026-10, within 2m
			+ 2026-09-21 19:30
			- 2026-09-20 19:30`,
	},
	{
		name: "tags keep, all of a list or none", policy: gc.Policy{Last: 1, Tags: [][]string{{"year", "end"}, {"audit"}}},
		lines: `
			+ 2026-11-20 19:30
			+ 2026-11-19 19:30 tag=end tag=year # tagged year+end
			- 2026-11-18 19:30 tag=year # not tagged to be kept
			+ 2026-11-17 19:30 tag=audit tag=x # tagged audit`,
	},
	{
		name: "as in restic, the empty tag is no tag", policy: gc.Policy{Tags: [][]string{{""}}},
		lines: `
			- 2026-11-20 19:30 tag=a
			+ 2026-11-19 19:30 # not tagged
			- 2026-11-18 19:30 tag=b # not tagged to be kept`,
	},
	{
		name: "of equal times, the one written later is the newer", policy: gc.Policy{Last: 1},
		lines: `
			+ 2026-11-20 19:30 seq=2
			- 2026-11-20 19:30 seq=1`,
	},
	{
		name: "tags alone never empty a group", policy: gc.Policy{Tags: [][]string{{"audit"}}},
		lines: `
			+ 2026-11-20 19:30 # the last of its group
			- 2026-11-19 19:30`,
	},
	{
		name: "what people protect among the incomplete does not cost the last sound one", policy: gc.Policy{Tags: [][]string{{"audit"}}},
		lines: `
			+ 2026-11-20 19:30 incomplete
			- 2026-11-20 18:30 incomplete
			+ 2026-11-20 12:30 # the last of its group
			+ 2026-11-19 19:30 incomplete held # held
			+ 2026-11-18 19:30 incomplete tag=audit`,
	},
	{
		name: "a hold keeps, and takes no place", policy: gc.Policy{Last: 2},
		lines: `
			+ 2026-11-20 19:30
			+ 2026-11-19 19:30
			- 2026-11-18 19:30
			+ 2026-11-17 19:30 held # held`,
	},
	{
		name: "suspicion stops its plan", policy: gc.Policy{Last: 1},
		lines: `
			+ 2026-11-20 19:30 plan=a suspicious # retention is stopped: 70000000 of 2026-11-20 is suspicious
			+ 2026-11-19 19:30 plan=b
			+ 2026-11-18 19:30 plan=a # retention is stopped: 70000000 of 2026-11-20 is suspicious
			- 2026-11-17 19:30 plan=b
			+ 2026-11-16 19:30 plan=a
			- 2026-11-15 19:30 plan=a host=other
			- 2026-11-14 19:30 plan=b`,
	},
	{
		name: "an empty policy removes nothing",
		lines: `
			+ 2026-11-20 19:30 # no rule is given, so nothing is removed
			+ 2026-11-20 19:29`,
	},
	{
		name: "an impossible policy removes nothing", policy: gc.Policy{Last: 1, Daily: -2},
		lines: `
			+ 2026-11-20 19:30
			+ 2026-11-19 19:29`,
	},
	{
		name: "an impossible calendar removes nothing", policy: gc.Policy{Last: 1}, calendar: gc.Calendar{DayEndsAt: 25 * time.Hour},
		lines: `
			+ 2026-11-20 19:30
			+ 2026-11-19 19:29`,
	},
	{
		name: "a typed time pushes out nothing, and is itself kept by the rules", policy: gc.Policy{Daily: 2},
		lines: `
			+ 2026-11-20 23:30 dated
			+ 2026-11-20 19:30
			- 2026-11-20 18:30 dated
			+ 2026-11-19 23:30 dated
			+ 2026-11-19 19:30
			- 2026-11-18 23:30 dated`,
	},
	{
		name: "a clock that fell back: the late one pushes out nothing", policy: gc.Policy{Daily: 3},
		lines: `
			+ 2026-11-20 19:30 seq=20
			+ 2026-11-19 19:30 seq=18
			+ 2026-11-18 23:59 seq=19 # daily 2026-11-18
			+ 2026-11-18 19:30 seq=17 # daily 2026-11-18
			+ 2026-11-17 19:30 seq=16
			- 2026-11-16 19:30 seq=15`,
	},
	{
		name: "a dead battery: the newest one bears an old time and stays until later ones suffice", policy: gc.Policy{Daily: 2},
		lines: `
			+ 2026-11-19 19:30 seq=18
			+ 2026-11-18 19:30 seq=17
			- 2026-11-17 19:30 seq=16
			+ 2015-01-01 00:05 seq=19`,
	},
	{
		name: "a clock that ran ahead, when its time has come", policy: gc.Policy{Daily: 2},
		lines: `
			+ 2026-11-21 19:30 seq=22
			+ 2026-11-20 23:59 seq=18 # shows that the clock of elm was wrong: later ones have earlier times
			+ 2026-11-20 19:30 seq=21 # daily 2026-11-20
			- 2026-11-19 19:30 seq=20
			- 2026-11-18 19:30 seq=19
			- 2026-11-17 19:30 seq=17
			- 2026-11-16 19:30 seq=16`,
	},
	{
		name: "the orders of two hosts say nothing about each other", policy: gc.Policy{Daily: 1},
		lines: `
			+ 2026-11-21 19:30 seq=3 host=a
			- 2026-11-20 19:30 seq=900 host=b
			- 2026-11-19 19:30 seq=2 host=a
			- 2026-11-18 19:30 seq=899 host=b`,
	},
	{
		name: "all of a unit", policy: gc.Policy{Yearly: gc.All},
		lines: `
			+ 2026-11-21 19:30
			- 2026-01-21 19:30
			+ 2025-01-21 19:30
			+ 2019-01-21 19:30 # year end 2019
			+ 2019-01-20 19:30 # oldest, while yearly is not full`,
	},
	{
		name: "the hour that comes twice is one hour", policy: gc.Policy{Hourly: 3}, calendar: elmStreet,
		lines: `
			+ 2026-11-01T02:10:00-06:00
			+ 2026-11-01T01:10:00-06:00 # hourly 2026-11-01 01:00
			- 2026-11-01T01:50:00-05:00
			+ 2026-11-01T00:50:00-05:00
			- 2026-10-31T23:50:00-05:00`,
	},
}

func TestStories(t *testing.T) {
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			snaps, want, reasons := s.read(t)
			now := snaps[0].Time.Add(time.Minute)
			if s.now != "" {
				now = s.time(t, s.now)
			}
			slices.Reverse(snaps) // the order in which they come must not matter
			got := gc.Decide(snaps, s.policy, s.calendar, now)
			for i, d := range got {
				if d.Snapshot.ID != fmt.Sprintf("%d0000000", len(got)-i) {
					t.Fatalf("decision %d is about %s: not newest first", i, d.Snapshot.ID)
				}
				if d.Keep != want[i] {
					t.Errorf("%v: keep %v, want %v: %q", d.Snapshot.Time, d.Keep, want[i], d.Reasons)
				}
				if len(d.Reasons) == 0 || reasons[i] != "" && !slices.Contains(d.Reasons, reasons[i]) {
					t.Errorf("%v: reasons %q, want %q", d.Snapshot.Time, d.Reasons, reasons[i])
				}
				if d.Keep != (d.Goes != "") {
					t.Errorf("%v: kept %v, but goes %q", d.Snapshot.Time, d.Keep, d.Goes)
				}
			}
		})
	}
}

// read turns the lines into snapshots, newest first. The ID is the number of
// the line from the end, so that "30000000" is the third from below.
func (s story) read(t *testing.T) (snaps []gc.Snapshot, keep []bool, reasons []string) {
	lines := strings.Split(strings.TrimSpace(s.lines), "\n")
	for i, line := range lines {
		line, reason, _ := strings.Cut(strings.TrimSpace(line), " # ")
		words := strings.Fields(line)
		stamp, flags := words[1], words[2:]
		if !strings.Contains(stamp, "T") {
			stamp, flags = words[1]+" "+words[2], words[3:]
		}
		snap := gc.Snapshot{ID: fmt.Sprintf("%d0000000", len(lines)-i), Time: s.time(t, stamp), Complete: true, Host: "elm"}
		for _, flag := range flags {
			setFlag(t, &snap, flag)
		}
		snaps, keep, reasons = append(snaps, snap), append(keep, words[0] == "+"), append(reasons, reason)
	}
	return snaps, keep, reasons
}

func setFlag(t *testing.T, s *gc.Snapshot, flag string) {
	key, value, _ := strings.Cut(flag, "=")
	switch key {
	case "incomplete":
		s.Complete = false
	case "held":
		s.Held = true
	case "suspicious":
		s.Suspicious = true
	case "dated":
		s.Dated = true
	case "tag":
		s.Tags = append(s.Tags, value)
	case "plan":
		s.Plan = value
	case "host":
		s.Host = value
	case "seq":
		if _, err := fmt.Sscan(value, &s.Sequence); err != nil {
			t.Fatal(err)
		}
	default:
		t.Fatalf("unknown flag %q", flag)
	}
}

func (s story) time(t *testing.T, stamp string) time.Time {
	zone := s.calendar.Zone
	if zone == nil {
		zone = time.UTC
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04"} {
		if at, err := time.ParseInLocation(layout, stamp, zone); err == nil {
			return at.UTC() // the zone of a snapshot's own time must not matter
		}
	}
	t.Fatalf("bad time %q", stamp)
	return time.Time{}
}

func TestWhatGoesIsToldByEveryRule(t *testing.T) {
	snaps := []gc.Snapshot{
		saved("2026-11-20", "new"), saved("2026-11-19", "old"), saved("2026-11-18", "sound"),
		saved("2026-11-15", "incomplete"), saved("2026-10-31", "first"),
	}
	snaps[3].Complete = false
	p := gc.Policy{Last: 1, Daily: 2, BusinessDays: 1, Within: gc.Duration{Days: 1}, Monthly: 2, Tags: [][]string{{"a"}}}
	want := map[string][]string{
		"sound": {
			"last: no place beside the newest 1 snapshot", "daily: no place beside the newest 2 days",
			"business days: no place beside the newest 1 business day", "monthly: new stands for the month",
			"within: more than 1d before the newest", "not tagged to be kept",
		},
		"incomplete": {
			"incomplete", "last: a complete one is newer", "daily: no place beside the newest 2 days",
			"business days: 2026-11-15 is a closed day (Sunday)", "monthly: new stands for the month",
			"within: more than 1d before the newest", "not tagged to be kept",
		},
	}
	for _, d := range gc.Decide(snaps, p, gc.Calendar{}, snaps[0].Time) {
		if !d.Keep && !slices.Equal(d.Reasons, want[d.Snapshot.ID]) || d.Keep != (want[d.Snapshot.ID] == nil) {
			t.Errorf("%s: keep %v\n got %q\nwant %q", d.Snapshot.ID, d.Keep, d.Reasons, want[d.Snapshot.ID])
		}
	}
}

func TestPlacesAreNotPromisedBeyondTheCount(t *testing.T) {
	snaps := []gc.Snapshot{saved("2026-11-20", "new"), saved("2026-11-10", "later"), saved("2026-11-10", "earlier")}
	snaps[2].Time = snaps[2].Time.Add(-time.Hour)
	for _, d := range gc.Decide(snaps, gc.Policy{Daily: 1}, gc.Calendar{}, snaps[0].Time)[1:] {
		if want := []string{"daily: no place beside the newest 1 day"}; !slices.Equal(d.Reasons, want) {
			t.Errorf("%s: %q, want %q", d.Snapshot.ID, d.Reasons, want)
		}
	}
}
