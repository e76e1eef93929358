package schedule

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/adhocore/gronx"

	"chartkeep/gc"
)

func location(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func clock(text string) time.Duration {
	c, err := gc.ParseClock(text)
	if err != nil {
		panic(err)
	}
	return c
}

func clocks(texts ...string) (all []time.Duration) {
	for _, text := range texts {
		all = append(all, clock(text))
	}
	return all
}

// A passage is an instant at which the wall clock shows what it has never shown,
// and all the readings that it has passed on the way there.
type passage struct {
	at    time.Time
	walls []time.Time
}

// passages go through the years step by step, with their eyes on the highest
// reading of the wall clock so far. What the clock passes on the way to a new
// one, be it at one jump, is started there. When it is put back, nothing is
// started until it shows what it has never shown.
func passages(step time.Duration, from, to time.Time, zone *time.Location) (all []passage) {
	highest := wallOf(from, zone)
	for t := from.Add(step); t.Before(to); t = t.Add(step) {
		p := passage{at: t}
		for now := wallOf(t, zone); highest.Before(now); {
			highest = highest.Add(step)
			p.walls = append(p.walls, highest)
		}
		all = append(all, p)
	}
	return all
}

func reference(due func(wall time.Time) bool, all []passage) (starts []time.Time) {
	for _, p := range all {
		if slices.ContainsFunc(p.walls, due) {
			starts = append(starts, p.at)
		}
	}
	return starts
}

func wallOf(t time.Time, zone *time.Location) time.Time {
	t = t.In(zone)
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), 0, 0, time.UTC)
}

// said is what Times say of one reading of the clock, word for word.
func (t Times) said(wall time.Time) bool {
	date, at := dateOf(wall), wall.Sub(wall.Truncate(24*time.Hour))
	if slices.Contains(t.Skip, date) {
		return false
	}
	if slices.Contains(t.Once, Moment{date, at}) {
		return true
	}
	if !slices.Contains(t.At, at) {
		return false
	}
	last := wall.AddDate(0, 0, 1).Day() == 1 && slices.Contains(t.MonthDays, -1)
	return len(t.Days)+len(t.MonthDays) == 0 || slices.Contains(t.Days, wall.Weekday()) || slices.Contains(t.MonthDays, wall.Day()) || last
}

var plans = map[string]Times{
	"nightly":       {At: clocks("19:30")},
	"in the gap":    {At: clocks("02:00", "02:30", "03:00")},
	"twice":         {At: clocks("01:30", "00:00", "23:45")},
	"midnight":      {At: clocks("00:00", "00:30")},
	"weekdays":      {At: clocks("12:30", "02:15"), Days: []time.Weekday{time.Monday, time.Sunday}},
	"days of month": {At: clocks("02:30"), MonthDays: []int{1, 15, 29, 31, -1}},
	"either":        {At: clocks("06:00"), Days: []time.Weekday{time.Friday}, MonthDays: []int{13}},
	"with skips":    {At: clocks("19:30"), Skip: []gc.Date{{Year: 2012, Month: 12, Day: 25}, {Year: 2016, Month: 2, Day: 29}}},
	"once":          {Once: []Moment{{gc.Date{Year: 2016, Month: 2, Day: 29}, clock("02:30")}, {gc.Date{Year: 2011, Month: 12, Day: 30}, clock("12:00")}}},
}

func TestTenYearsAreAsAClockWouldHaveThem(t *testing.T) {
	for _, name := range []string{"America/Chicago", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia"} {
		zone := location(t, name)
		from := time.Date(2010, 6, 1, 0, 0, 0, 0, time.UTC)
		to := from.AddDate(10, 0, 0)
		years := passages(15*time.Minute, from, to, zone)
		for plan, times := range plans {
			var got []time.Time
			for at := range Coming(times, from, zone) {
				if !at.Before(to) {
					break
				}
				got = append(got, at)
			}
			if want := reference(times.said, years); !slices.EqualFunc(got, want, time.Time.Equal) {
				t.Errorf("%s, %s: %d times, want %d; %s", name, plan, len(got), len(want), difference(got, want, zone))
			}
		}
	}
}

func difference(got, want []time.Time, zone *time.Location) string {
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || !got[i].Equal(want[i]) {
			var words []string
			for _, all := range [][]time.Time{got, want} {
				if i < len(all) {
					words = append(words, all[i].In(zone).String())
				}
			}
			return "first difference: " + strings.Join(words, " and ")
		}
	}
	return ""
}

func TestCronIsAsItsLibraryHasIt(t *testing.T) {
	zone := location(t, "Europe/Berlin")
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, zone) // the clock is put forward on the 29th
	to := from.AddDate(0, 0, 38)
	months := passages(time.Minute, from, to, zone)
	for _, expression := range []string{
		"30 19 * * 1-5", "0 */5 * * *", "*/7 2 * * sun", "15,45 8-18/3 1,15 * *", "0 12 13 * fri", "30 2 * mar,4 *", "5 4 * * 7", "59 23 31 * *",
	} {
		times := Times{Cron: expression}
		if err := times.Validate(); err != nil {
			t.Error(err)
		}
		g := gronx.New()
		want := reference(func(wall time.Time) bool {
			due, err := g.IsDue(expression, wall)
			return due && err == nil
		}, months)
		var got []time.Time
		for at := range Coming(times, from, zone) {
			if !at.Before(to) {
				break
			}
			got = append(got, at)
		}
		if !slices.EqualFunc(got, want, time.Time.Equal) {
			t.Errorf("%s: %d times, want %d; %s", expression, len(got), len(want), difference(got, want, zone))
		}
	}
}

func TestWhatCronCannotBe(t *testing.T) {
	for _, expression := range []string{
		"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "1,99 * * * *", "*/0 * * * *",
		"0 0 31 2 *", "0 0 30 feb *", "@daily", "@every 1h", "* * L * *", "* * * * 5#3", "a b c d e", "5-1 * * * *", "0 0 * * mon-xyz", "-1 * * * *", "* * * * * 2026",
	} {
		if err := (Times{Cron: expression}).Validate(); err == nil && expression != "" {
			t.Errorf("%q is taken", expression)
		}
		if _, err := parseCron(expression); err == nil {
			t.Errorf("%q is parsed", expression)
		}
	}
}

func TestStarsAndDaysAreAsInDebian(t *testing.T) {
	zone := time.UTC
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, zone)
	for expression, want := range map[string]string{
		"0 0 13 * 5":    "2026-01-02", // the first Friday, though not the 13th
		"0 0 */5 * 5":   "2026-01-16", // both, because of the star
		"0 0 13 * *":    "2026-01-13",
		"0 0 29 2 *":    "2028-02-29",
		"0 0 * * */6":   "2026-01-03",
		"0 0 1-7 * */7": "2026-01-04",
	} {
		if got := Next(Times{Cron: expression}, from, zone).Format(time.DateOnly); got != want {
			t.Errorf("%s: %s, want %s", expression, got, want)
		}
	}
}

func TestMissedIsTheLastTimeThatWasNotRun(t *testing.T) {
	zone := location(t, "America/Chicago")
	at := func(text string) time.Time {
		m, err := time.ParseInLocation("2006-01-02 15:04", text, zone)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	nightly := Times{At: clocks("19:30"), Skip: []gc.Date{{Year: 2026, Month: 12, Day: 25}}}
	for _, c := range []struct{ last, now, want string }{
		{"2026-12-01 19:30", "2026-12-02 19:29", ""},
		{"2026-12-01 19:30", "2026-12-02 19:30", "2026-12-02 19:30"},
		{"2026-12-01 19:31", "2026-12-05 08:00", "2026-12-04 19:30"},
		{"2026-12-24 19:30", "2026-12-26 08:00", ""},
		{"2026-12-23 19:30", "2026-12-26 08:00", "2026-12-24 19:30"},
		{"2027-01-01 00:00", "2026-12-26 08:00", ""},
	} {
		got, ok := Missed(nightly, at(c.last), at(c.now), zone)
		if ok != (c.want != "") || ok && !got.Equal(at(c.want)) {
			t.Errorf("last %s, now %s: %v, %v, want %s", c.last, c.now, got, ok, c.want)
		}
	}
	if got, ok := Missed(nightly, time.Time{}, at("2026-12-02 20:00"), zone); !ok || !got.Equal(at("2026-12-02 19:30")) {
		t.Errorf("a plan that never ran: %v, %v", got, ok)
	}
	if _, ok := Missed(Times{}, time.Time{}, at("2026-12-02 20:00"), zone); ok {
		t.Error("a plan without times has missed one")
	}
}

func TestMissedAndNextAgree(t *testing.T) {
	zone := location(t, "Europe/Berlin")
	for name, times := range plans {
		now := time.Date(2011, 1, 1, 0, 7, 0, 0, zone)
		for range 2000 {
			now = now.Add(13*time.Hour + 41*time.Minute)
			last := now.Add(-50 * time.Hour)
			var want time.Time
			for at := range Coming(times, last, zone) {
				if at.After(now) {
					break
				}
				want = at
			}
			if got, ok := Missed(times, last, now, zone); ok == want.IsZero() || ok && !got.Equal(want) {
				t.Fatalf("%s: from %v to %v missed %v, %v, want %v", name, last, now, got, ok, want)
			}
		}
	}
}

func TestPlansComeInOrder(t *testing.T) {
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var got []string
	for at, name := range Merged(map[string]Times{"b": {At: clocks("12:00")}, "a": {At: clocks("12:00", "06:00")}, "never": {}}, from, time.UTC) {
		if got = append(got, name+at.Format(" 2 15")); len(got) == 5 {
			break
		}
	}
	if text := strings.Join(got, ", "); text != "a 1 06, a 1 12, b 1 12, a 2 06, a 2 12" {
		t.Error(text)
	}
	for range Merged(map[string]Times{"never": {}}, from, time.UTC) {
		t.Error("a plan without times runs")
	}
}

func TestFarMoments(t *testing.T) {
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	times := Times{Once: []Moment{{gc.Date{Year: 2050, Month: 1, Day: 1}, 0}, {gc.Date{Year: 2045, Month: 1, Day: 1}, 0}}}
	if got := Next(times, from, time.UTC).Year(); got != 2045 {
		t.Errorf("in %d", got)
	}
	if got := Next(Times{Once: times.Once, Skip: []gc.Date{{Year: 2045, Month: 1, Day: 1}}}, from, time.UTC).Year(); got != 2050 {
		t.Errorf("in %d", got)
	}
	if got := Next(Times{At: clocks("00:00"), MonthDays: []int{31}, Skip: nil}, from, time.UTC); got.Day() != 31 {
		t.Errorf("at %v", got)
	}
}

func TestTimesInWords(t *testing.T) {
	times := Times{At: clocks("07:05", "19:30"), Days: []time.Weekday{1}, MonthDays: []int{15, -1}, Skip: []gc.Date{{Year: 2026, Month: 12, Day: 24}}}
	if got := fmt.Sprint(times); got != "at 07:05, 19:30 on mon, the 15., the last of the month; not on 2026-12-24" {
		t.Error(got)
	}
}
