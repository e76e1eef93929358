package gc

import (
	"fmt"
	"time"
)

// A Date is a day on the calendar, without a time zone.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// ParseDate reads a date such as 2026-12-24.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, fmt.Errorf("date %q: want year-month-day, such as 2026-12-24", s)
	}
	return dateOf(t), nil
}

func dateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

// String gives the form that ParseDate reads.
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) }

// Weekday is the day of the week of d.
func (d Date) Weekday() time.Weekday { return d.utc().Weekday() }

// AddDays is the date n days after d.
func (d Date) AddDays(n int) Date { return dayNumbered(d.number() + n) }

func (d Date) utc() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

// number counts days from 1970-01-01, so that days can be compared and added.
func (d Date) number() int { return int(d.utc().Unix() / 86400) }

func dayNumbered(n int) Date { return dateOf(time.Unix(int64(n)*86400, 0).UTC()) }

// A MonthDay is a day that comes every year, such as the start of a fiscal
// year. The zero value is 1 January; 29 February is 1 March in common years.
type MonthDay struct {
	Month time.Month
	Day   int
}

// ParseMonthDay reads a month and a day such as 07-01.
func ParseMonthDay(s string) (MonthDay, error) {
	t, err := time.Parse(time.DateOnly, "2000-"+s) // a leap year
	if err != nil {
		return MonthDay{}, fmt.Errorf("day of the year %q: want month-day, such as 07-01", s)
	}
	return MonthDay{t.Month(), t.Day()}, nil
}

// String gives the form that ParseMonthDay reads.
func (m MonthDay) String() string {
	d := m.in(2000)
	return fmt.Sprintf("%02d-%02d", d.Month, d.Day)
}

// in is the date of m in a year.
func (m MonthDay) in(year int) Date {
	return dateOf(time.Date(year, max(m.Month, 1), max(m.Day, 1), 0, 0, 0, 0, time.UTC))
}

func (m MonthDay) validate() error {
	if m == (MonthDay{}) || m.in(2000) == (Date{2000, m.Month, m.Day}) {
		return nil
	}
	return fmt.Errorf("there is no day %d in month %d", m.Day, int(m.Month))
}

// ParseClock reads a time of day such as 04:00, as the time since midnight.
func ParseClock(s string) (time.Duration, error) {
	t, err := time.Parse("15:04", s)
	if err != nil {
		return 0, fmt.Errorf("time of day %q: want hours:minutes, such as 04:00", s)
	}
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, nil
}
