package gc

import (
	"fmt"
	"time"
)

// A unit divides time into periods. A period is known by its key, the number
// of its first day (hours: 24 for each day before, and the hour on the clock),
// so that keys grow with time.
type unit struct {
	one  string // "day"
	many string // "days"

	// first is the first day of the period that holds a day, next the first
	// day of the period after that. They are nil where every night begins a
	// period, whatever the day.
	first func(day int) int
	next  func(a *almanac, day int) int

	// name says a period that is over ("month end 2026-10"), open one that
	// can still get snapshots ("month 2026-11 so far").
	name func(key int) string
	open func(key int) string

	key func(m moment) int

	single       bool // every snapshot is a period
	openDaysOnly bool // closed days lie in no period
}

// count says a number of periods: "1 day", "3 days".
func (u unit) count(n int) string {
	if n == 1 {
		return "1 " + u.one
	}
	return fmt.Sprintf("%d %s", n, u.many)
}

// A moment is where a snapshot stands: its number in the group, the newest
// being 0, its day in the practice, and its hour on the clock.
type moment struct{ index, day, hour int }

// each makes every snapshot a period of its own.
var each = unit{
	one: "snapshot", many: "snapshots", single: true,
	key: func(m moment) int { return -m.index },
}

// hour is an hour on the clock of the wall. The hour that comes twice when
// summer time ends is one period, as it is in restic.
var hour = unit{
	one: "hour", many: "hours",
	key: func(m moment) int { return m.hour },
	name: func(key int) string {
		return fmt.Sprintf("hourly %v %02d:00", dayNumbered(floorDiv(key, 24)), key-24*floorDiv(key, 24))
	},
}

var day = unit{
	one: "day", many: "days",
	first: sameDay, next: nextDay, key: byDay(sameDay),
	name: func(key int) string { return "daily " + dayNumbered(key).String() },
}

var businessDay = unit{
	one: "business day", many: "business days",
	first: sameDay, next: nextBusinessDay, key: byDay(sameDay), openDaysOnly: true,
	name: func(key int) string { return "business day " + dayNumbered(key).String() },
}

var week = unit{
	one: "week", many: "weeks",
	first: monday, key: byDay(monday),
	next: func(_ *almanac, day int) int { return monday(day) + 7 },
	name: func(key int) string { return "weekly " + isoWeek(key) },
	open: func(key int) string { return "week " + isoWeek(key) + " so far" },
}

var month = months("month", 1, func(d Date) string { return fmt.Sprintf("%04d-%02d", d.Year, d.Month) })

var quarter = months("quarter", 3, func(d Date) string { return fmt.Sprintf("%04d-Q%d", d.Year, (d.Month+2)/3) })

var year = months("year", 12, func(d Date) string { return fmt.Sprintf("%04d", d.Year) })

func byDay(first func(day int) int) func(moment) int {
	return func(m moment) int { return first(m.day) }
}

func sameDay(day int) int { return day }

func nextDay(_ *almanac, day int) int { return day + 1 }

func nextBusinessDay(a *almanac, day int) int { return a.nextOpen(day + 1) }

// monday is the first day of a day's ISO week; 1970-01-01 was a Thursday.
func monday(day int) int { return day - (day + 3 - 7*floorDiv(day+3, 7)) }

func isoWeek(day int) string {
	y, w := dayNumbered(day).utc().ISOWeek()
	return fmt.Sprintf("%04d-W%02d", y, w)
}

// months is the unit of n months that divide the year.
func months(one string, n int, label func(Date) string) unit {
	start := func(day, ahead int) int {
		d := dayNumbered(day)
		began := time.Month((int(d.Month)-1)/n*n + 1 + ahead)
		return dateOf(time.Date(d.Year, began, 1, 0, 0, 0, 0, time.UTC)).number()
	}
	first := func(day int) int { return start(day, 0) }
	return unit{
		one: one, many: one + "s",
		first: first, key: byDay(first),
		next: func(_ *almanac, day int) int { return start(day, n) },
		name: func(key int) string { return one + " end " + label(dayNumbered(key)) },
		open: func(key int) string { return one + " " + label(dayNumbered(key)) + " so far" },
	}
}

// fiscalYear is the unit of years that begin on a given day. They are named by
// their last day.
func fiscalYear(begins MonthDay) unit {
	start := func(day, ahead int) int {
		y := dayNumbered(day).Year
		if begins.in(y).number() > day {
			y--
		}
		return begins.in(y + ahead).number()
	}
	last := func(key int) string { return dayNumbered(start(key, 1) - 1).String() }
	first := func(day int) int { return start(day, 0) }
	return unit{
		one: "fiscal year", many: "fiscal years",
		first: first, key: byDay(first),
		next: func(_ *almanac, day int) int { return start(day, 1) },
		name: func(key int) string { return "fiscal year end " + last(key) },
		open: func(key int) string { return "fiscal year to " + last(key) + " so far" },
	}
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
