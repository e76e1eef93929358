package gc_test

import (
	"strings"
	"testing"
	"time"

	"chartkeep/gc"
)

func TestDurationsAreReadAsRestics(t *testing.T) {
	for text, want := range map[string]gc.Duration{
		"":           {},
		"1y5m7d2h":   {Years: 1, Months: 5, Days: 7, Hours: 2},
		" 30d ":      {Days: 30},
		"2h1y":       {Years: 1, Hours: 2},
		"0d":         {},
		"1000000d":   {Days: 1000000},
		"007m":       {Months: 7},
		"12m30d400h": {Months: 12, Days: 30, Hours: 400},
	} {
		if got, err := gc.ParseDuration(text); err != nil || got != want {
			t.Errorf("%q: %+v, %v; want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"5", "d", "1w", "-3d", "1d2d", "1.5d", "1 d", "1000001d", "99999999999999999999d", "1d x", "1é"} {
		if got, err := gc.ParseDuration(text); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}

func FuzzParseDuration(f *testing.F) {
	for _, seed := range []string{"1y5m7d2h", "", "3d-1h", "0y0m", "9999999999999999999h", "1d1d"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := gc.ParseDuration(text)
		if err != nil {
			return
		}
		if err := (gc.Policy{Within: d}).Validate(); err != nil {
			t.Errorf("%q is read as %+v, which is not valid: %v", text, d, err)
		}
		if again, err := gc.ParseDuration(d.String()); err != nil || again != d {
			t.Errorf("%q is read as %+v, written as %q, read as %+v: %v", text, d, d, again, err)
		}
	})
}

func TestDaysOfTheYearAreRead(t *testing.T) {
	for text, want := range map[string]gc.MonthDay{"07-01": {time.July, 1}, "02-29": {time.February, 29}, "12-31": {time.December, 31}} {
		if got, err := gc.ParseMonthDay(text); err != nil || got != want || got.String() != text {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "7-1", "13-01", "02-30", "00-10", "07-01x", "2026-07-01"} {
		if got, err := gc.ParseMonthDay(text); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
	if got := (gc.MonthDay{}).String(); got != "01-01" {
		t.Errorf("no day of the year is %s", got)
	}
}

func TestDatesClocksAndCountsAreRead(t *testing.T) {
	if d, err := gc.ParseDate("2026-12-24"); err != nil || d != (gc.Date{2026, time.December, 24}) || d.String() != "2026-12-24" {
		t.Errorf("%v, %v", d, err)
	}
	if c, err := gc.ParseClock("04:30"); err != nil || c != 4*time.Hour+30*time.Minute {
		t.Errorf("%v, %v", c, err)
	}
	for text, want := range map[string]int{"0": 0, "12": 12, "unlimited": gc.All} {
		if n, err := gc.ParseCount(text); err != nil || n != want {
			t.Errorf("%q: %d, %v", text, n, err)
		}
	}
	for _, text := range []string{"", "x", "-1", "-2", "2026-02-29", "25:00", "1.5"} {
		_, err1 := gc.ParseDate(text)
		_, err2 := gc.ParseClock(text)
		_, err3 := gc.ParseCount(text)
		if err1 == nil || err2 == nil || err3 == nil {
			t.Errorf("%q is read: %v, %v, %v", text, err1, err2, err3)
		}
	}
}

func TestImpossiblePoliciesAndCalendarsAreNamed(t *testing.T) {
	for want, p := range map[string]gc.Policy{
		"keep daily: count -2":           {Daily: -2},
		"keep monthly within: -1":        {WithinMonthly: gc.Duration{Days: -1}},
		"there is no day 31 in month 4":  {FiscalYearStart: gc.MonthDay{time.April, 31}},
		"there is no day 0 in month 7":   {FiscalYearStart: gc.MonthDay{Month: time.July}},
		"there is no day 5 in month 0":   {FiscalYearStart: gc.MonthDay{Day: 5}},
		"there is no day 5 in month 500": {FiscalYearStart: gc.MonthDay{Month: 500, Day: 5}},
	} {
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", p, err, want)
		}
	}
	for want, c := range map[string]gc.Calendar{
		"a day cannot end at 24h0m0s": {DayEndsAt: 24 * time.Hour},
		"a day cannot end at -1h0m0s": {DayEndsAt: -time.Hour},
		"there is no day 7 in a week": {OpenDays: []time.Weekday{7}},
		"there is no date 2026-02-29": {ExtraClosed: []gc.Date{{2026, time.February, 29}}},
		"there is no date 0000-00-00": {ExtraClosed: []gc.Date{{}}},
	} {
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", c, err, want)
		}
	}
	if err := (gc.Policy{Last: gc.All, Within: gc.Duration{Days: 3}}).Validate(); err != nil {
		t.Error(err)
	}
	if err := elmStreet.Validate(); err != nil {
		t.Error(err)
	}
}

func TestAPolicyIsSaidInOneLine(t *testing.T) {
	p := gc.Policy{Last: 3, BusinessDays: 10, Monthly: gc.All, WithinDaily: gc.Duration{Months: 1, Days: 2}, Tags: [][]string{{"a", "b"}}}
	if got, want := p.String(), "last 3, 10 business days, all monthly, daily within 1m2d, tagged a+b"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := (gc.Policy{}).String(); got != "everything" {
		t.Errorf("%q", got)
	}
}
