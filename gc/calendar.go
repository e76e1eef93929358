package gc

import (
	"fmt"
	"slices"
	"time"

	"github.com/rickar/cal/v2"
)

// A Calendar is how a practice counts its days. The zero value is UTC, days
// that end at midnight, open from Monday to Friday, no holidays.
type Calendar struct {
	Zone        *time.Location
	DayEndsAt   time.Duration  // on the clock: what is saved before it belongs to the day before
	OpenDays    []time.Weekday // days of the week on which the practice is open
	Holidays    []*cal.Holiday // public holidays, see Holidays; closed
	ExtraClosed []Date         // further closed days
}

// Validate reports what is impossible in c.
func (c Calendar) Validate() error {
	if c.DayEndsAt < 0 || c.DayEndsAt >= 24*time.Hour {
		return fmt.Errorf("a day cannot end at %v", c.DayEndsAt)
	}
	for _, w := range c.OpenDays {
		if w < time.Sunday || w > time.Saturday {
			return fmt.Errorf("there is no day %d in a week", int(w))
		}
	}
	for _, d := range c.ExtraClosed {
		if dayNumbered(d.number()) != d {
			return fmt.Errorf("there is no date %v", d)
		}
	}
	return nil
}

func (c Calendar) zone() *time.Location {
	if c.Zone == nil {
		return time.UTC
	}
	return c.Zone
}

// Day is the practice's day on which t falls. The clock on the wall decides,
// so that the hour that comes twice in autumn needs no rule of its own.
func (c Calendar) Day(t time.Time) Date {
	t = t.In(c.zone())
	h, m, s := t.Clock()
	clock := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute +
		time.Duration(s)*time.Second + time.Duration(t.Nanosecond())
	if clock < c.DayEndsAt {
		return dateOf(t).AddDays(-1)
	}
	return dateOf(t)
}

// Start is the moment at which a day of the practice begins.
func (c Calendar) Start(d Date) time.Time {
	clock := c.DayEndsAt
	return time.Date(d.Year, d.Month, d.Day, int(clock/time.Hour), int(clock/time.Minute%60),
		int(clock/time.Second%60), int(clock%time.Second), c.zone())
}

// Closed reports whether the practice is closed on a day, and why: the name of
// the weekday or of the holiday. A holiday closes the day it falls on and the
// day on which it is observed.
func (c Calendar) Closed(d Date) (why string, closed bool) { return newAlmanac(c).Closed(d) }

func (c Calendar) opensOn(w time.Weekday) bool {
	if len(c.OpenDays) == 0 {
		return w != time.Saturday && w != time.Sunday
	}
	return slices.Contains(c.OpenDays, w)
}

// holidaysOf names the holidays of a year by date. The years around it count
// too: New Year's Day can be observed on 31 December.
func (c Calendar) holidaysOf(year int) map[Date]string {
	names := make(map[Date]string)
	for _, h := range c.Holidays {
		for y := year - 1; y <= year+1; y++ {
			falls, observed := h.Calc(y)
			for _, t := range []time.Time{falls, observed} {
				if t.IsZero() {
					continue
				}
				// Midnight of the machine's zone: where the clocks change at
				// midnight it can be 23:00 of the day before.
				if d := dateOf(t.Add(12 * time.Hour)); d.Year == year {
					names[d] = h.Name
				}
			}
		}
	}
	return names
}

// An almanac is a calendar that remembers what it has worked out.
type almanac struct {
	Calendar
	holidays map[int]map[Date]string // by year
}

func newAlmanac(c Calendar) *almanac {
	return &almanac{Calendar: c, holidays: make(map[int]map[Date]string)}
}

// Closed is Calendar.Closed; it works out the holidays of a year once.
func (a *almanac) Closed(d Date) (why string, closed bool) {
	if w := d.Weekday(); !a.opensOn(w) {
		return w.String(), true
	}
	if slices.Contains(a.ExtraClosed, d) {
		return "closed by the practice", true
	}
	names, ok := a.holidays[d.Year]
	if !ok {
		names = a.holidaysOf(d.Year)
		a.holidays[d.Year] = names
	}
	why, closed = names[d]
	return why, closed
}

// open reports whether the practice is open on the day with that number.
func (a *almanac) open(day int) bool {
	_, closed := a.Closed(dayNumbered(day))
	return !closed
}

// nextOpen is the first open day from day on. A calendar that is closed for
// years on end is taken as open after two of them.
func (a *almanac) nextOpen(day int) int {
	for d := day; d < day+2*366; d++ {
		if a.open(d) {
			return d
		}
	}
	return day
}
