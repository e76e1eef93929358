package gc_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"chartkeep/gc"

	"github.com/rickar/cal/v2"
)

func TestTheDayOfARun(t *testing.T) {
	berlin, chicago := location("Europe/Berlin"), location("America/Chicago")
	for _, c := range []struct {
		zone *time.Location
		ends time.Duration
		run  string
		want string
	}{
		{chicago, 4 * time.Hour, "2027-01-01T01:30:00-06:00", "2026-12-31"},
		{chicago, 4 * time.Hour, "2027-01-01T03:59:59.999-06:00", "2026-12-31"},
		{chicago, 4 * time.Hour, "2027-01-01T04:00:00-06:00", "2027-01-01"},
		{chicago, 0, "2027-01-01T00:00:00-06:00", "2027-01-01"},
		{chicago, 0, "2026-12-31T23:59:59-06:00", "2026-12-31"},
		{nil, 0, "2026-12-31T23:59:59-06:00", "2027-01-01"},
		// Clocks change: an hour less, and an hour more, on the wall.
		{berlin, 4 * time.Hour, "2026-03-29T03:30:00+02:00", "2026-03-28"},
		{berlin, 4 * time.Hour, "2026-03-29T04:00:00+02:00", "2026-03-29"},
		{berlin, 4 * time.Hour, "2026-10-25T02:30:00+01:00", "2026-10-24"},
		{berlin, 4 * time.Hour, "2026-10-25T03:59:00+01:00", "2026-10-24"},
		{berlin, 4 * time.Hour, "2026-10-25T04:00:00+01:00", "2026-10-25"},
		{berlin, 4 * time.Hour, "2028-03-01T03:00:00+01:00", "2028-02-29"},
		{location("Pacific/Apia"), time.Hour, "2011-12-31T00:30:00+14:00", "2011-12-30"},
	} {
		at, err := time.Parse(time.RFC3339, c.run)
		if err != nil {
			t.Fatal(err)
		}
		if got := (gc.Calendar{Zone: c.zone, DayEndsAt: c.ends}).Day(at).String(); got != c.want {
			t.Errorf("%s in %v, days end at %v: %s, want %s", c.run, c.zone, c.ends, got, c.want)
		}
	}
}

func TestADayBeginsWhereItsRunsDo(t *testing.T) {
	for _, zone := range []string{"America/Chicago", "Europe/Berlin", "Asia/Kolkata"} {
		c := gc.Calendar{Zone: location(zone), DayEndsAt: 4*time.Hour + 30*time.Minute}
		for d := (gc.Date{2026, time.January, 1}); d.Year < 2029; d = d.AddDays(1) {
			start := c.Start(d)
			if c.Day(start) != d || c.Day(start.Add(-1)) != d.AddDays(-1) {
				t.Fatalf("%s: %v begins at %v", zone, d, start)
			}
		}
	}
}

func TestClosedDays(t *testing.T) {
	for date, want := range map[string]string{
		"2026-11-21": "Saturday",
		"2026-11-20": "",
		"2026-12-24": "closed by the practice",
		"2026-07-04": "Saturday",
		"2026-07-03": "Independence Day", // observed
		"2027-12-31": "New Year's Day",   // observed in the year before
		"2026-11-26": "Thanksgiving Day",
		"2028-02-29": "",
	} {
		d, err := gc.ParseDate(date)
		if err != nil {
			t.Fatal(err)
		}
		if why, closed := elmStreet.Closed(d); why != want || closed != (want != "") {
			t.Errorf("%s: %q, %v, want %q", date, why, closed, want)
		}
	}
	saturdays := elmStreet
	saturdays.OpenDays = []time.Weekday{time.Saturday}
	if _, closed := saturdays.Closed(gc.Date{2026, time.July, 4}); !closed {
		t.Error("open on 4 July, a Saturday, since the holiday is observed the day before")
	}
}

func TestHolidaysOfEveryCountry(t *testing.T) {
	codes := gc.Countries()
	if len(codes) < 80 || !slices.IsSorted(codes) {
		t.Errorf("%d countries and regions: %v", len(codes), codes)
	}
	for _, code := range codes {
		days, err := gc.Holidays(strings.ToUpper(code))
		if err != nil || len(days) == 0 {
			t.Fatalf("%s: %d holidays, %v", code, len(days), err)
		}
		c, library := gc.Calendar{Holidays: days}, cal.NewBusinessCalendar()
		library.AddHoliday(days...)
		for d := (gc.Date{2026, time.January, 1}); d.Year < 2028; d = d.AddDays(1) {
			noon := time.Date(d.Year, d.Month, d.Day, 12, 0, 0, 0, time.UTC)
			falls, _, _ := library.IsHoliday(noon)
			if why, closed := c.Closed(d); closed == (library.IsWorkday(noon) && !falls) {
				t.Errorf("%s, %v: closed %v (%s), the library says workday %v", code, d, closed, why, !closed)
			}
		}
	}
	if _, err := gc.Holidays("atlantis"); err == nil || !strings.Contains(err.Error(), "known are") {
		t.Errorf("holidays of Atlantis: %v", err)
	}
	if days, err := gc.Holidays(""); err != nil || days != nil {
		t.Errorf("%v, %v", days, err)
	}
}
