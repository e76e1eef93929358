package schedule

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"chartkeep/gc"
)

// Times say when a plan runs, on the wall clock of the practice. The zero value
// is never.
type Times struct {
	At        []time.Duration // times of day, since midnight; to the minute
	Days      []time.Weekday  // only on these days of the week
	MonthDays []int           // only on these days of the month; -1 is its last day
	Cron      string          // or five fields as crontab(5) has them, in place of the above
	Once      []Moment        // and once at each of these
	Skip      []gc.Date       // never on these dates
}

// A Moment is a time of day on a date.
type Moment struct {
	gc.Date
	Clock time.Duration // since midnight
}

// ParseMoment reads a moment such as 2026-12-01 19:30.
func ParseMoment(s string) (Moment, error) {
	t, err := time.Parse("2006-01-02 15:04", s)
	if err != nil {
		return Moment{}, fmt.Errorf("moment %q: want a date and a time of day, such as 2026-12-01 19:30", s)
	}
	return Moment{dateOf(t), clockOf(t)}, nil
}

// String gives the form that ParseMoment reads.
func (m Moment) String() string { return m.Date.String() + " " + ClockText(m.Clock) }

// ClockText is a time of day such as 19:30.
func ClockText(clock time.Duration) string {
	return fmt.Sprintf("%02d:%02d", clock/time.Hour, clock/time.Minute%60)
}

// Never reports whether t has no time at all.
func (t Times) Never() bool { return len(t.At) == 0 && t.Cron == "" && len(t.Once) == 0 }

// Validate reports what is impossible in t, and what contradicts itself.
func (t Times) Validate() error {
	var problems []error
	problem := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	for _, clock := range t.At {
		if clock < 0 || clock >= 24*time.Hour || clock%time.Minute != 0 {
			problem("there is no time of day %v", clock)
		}
	}
	for _, d := range t.MonthDays {
		if d != -1 && (d < 1 || d > 31) {
			problem("there is no day %d in a month", d)
		}
	}
	if len(t.At) > 0 && t.Cron != "" {
		problem("at and cron are two ways to say the same; keep one")
	}
	if len(t.At) == 0 && len(t.Days)+len(t.MonthDays) > 0 {
		problem("days without a time of day")
	}
	if t.Cron != "" {
		if _, err := parseCron(t.Cron); err != nil {
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

// String says t in words: "19:30 on mon, tue".
func (t Times) String() string {
	if t.Never() {
		return "only by hand"
	}
	var words []string
	if t.Cron != "" {
		words = append(words, "cron "+t.Cron)
	}
	if len(t.At) > 0 {
		var clocks []string
		for _, clock := range t.At {
			clocks = append(clocks, ClockText(clock))
		}
		words = append(words, "at "+strings.Join(clocks, ", ")+t.dayWords())
	}
	for _, m := range t.Once {
		words = append(words, "once at "+m.String())
	}
	for _, d := range t.Skip {
		words = append(words, "not on "+d.String())
	}
	return strings.Join(words, "; ")
}

func (t Times) dayWords() string {
	var days []string
	for _, d := range t.Days {
		days = append(days, strings.ToLower(d.String()[:3]))
	}
	for _, d := range t.MonthDays {
		if d == -1 {
			days = append(days, "the last of the month")
			continue
		}
		days = append(days, fmt.Sprintf("the %d.", d))
	}
	if days == nil {
		return ""
	}
	return " on " + strings.Join(days, ", ")
}

// A pattern is what repeats in Times.
type pattern struct {
	clocks []time.Duration // sorted
	on     func(gc.Date) bool
}

func (t Times) pattern() pattern {
	if t.Cron != "" {
		c, err := parseCron(t.Cron)
		if err != nil {
			return pattern{on: func(gc.Date) bool { return false }}
		}
		return pattern{c.clocks(), c.on}
	}
	clocks := slices.Clone(t.At)
	slices.Sort(clocks)
	return pattern{clocks, t.onDay}
}

// onDay reports whether a date is one of Days or one of MonthDays, as in
// crontab(5) either is enough.
func (t Times) onDay(d gc.Date) bool {
	if len(t.Days)+len(t.MonthDays) == 0 || slices.Contains(t.Days, d.Weekday()) {
		return true
	}
	return slices.Contains(t.MonthDays, d.Day) ||
		slices.Contains(t.MonthDays, -1) && d.AddDays(1).Day == 1
}

// of are the moments of a date in order, as instants.
func (p pattern) of(t Times, d gc.Date, zone *time.Location) (all []time.Time) {
	if slices.Contains(t.Skip, d) {
		return nil
	}
	if p.on(d) {
		for _, clock := range p.clocks {
			all = append(all, instant(d, clock, zone))
		}
	}
	for _, m := range t.Once {
		if m.Date == d {
			all = append(all, instant(d, m.Clock, zone))
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}

// horizon is how far ahead a time is looked for: 29 February can be eight
// years away.
const horizon = 9 * 366

// Next is the first time after a moment, in zone; zero if there is none.
func Next(t Times, after time.Time, zone *time.Location) (next time.Time) {
	for next = range Coming(t, after, zone) {
		break
	}
	return next
}

// farOnce is the next single moment however far away.
func (t Times) farOnce(after time.Time, zone *time.Location) (next time.Time) {
	for _, m := range t.Once {
		at := instant(m.Date, m.Clock, zone)
		if !slices.Contains(t.Skip, m.Date) && at.After(after) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}

// Coming are the times after a moment, in order.
func Coming(t Times, after time.Time, zone *time.Location) iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		p, last := t.pattern(), after
		day := dateOf(after.In(zone)).AddDays(-1)
		for idle := 0; idle < horizon; idle++ {
			for _, at := range p.of(t, day, zone) {
				if !at.After(last) {
					continue
				}
				if !yield(at) {
					return
				}
				last, idle = at, 0
			}
			day = day.AddDays(1)
		}
		for at := t.farOnce(last, zone); !at.IsZero() && yield(at); {
			at = t.farOnce(at, zone)
		}
	}
}

// Missed is the last time up to now, if it lies after last: the start of the
// last run, or for a plan that never ran, the moment since which it should.
// Several missed times are made up for by one run.
func Missed(t Times, last, now time.Time, zone *time.Location) (missed time.Time, ok bool) {
	p, day := t.pattern(), dateOf(now.In(zone)).AddDays(1)
	end := dateOf(last.In(zone)).AddDays(-1)
	for range horizon {
		for _, at := range slices.Backward(p.of(t, day, zone)) {
			if !at.After(now) {
				return at, at.After(last)
			}
		}
		if day == end {
			break
		}
		day = day.AddDays(-1)
	}
	return time.Time{}, false
}

// instant is the first moment at which the wall clock shows a time of day or,
// where it is put forward over that time, a later one.
func instant(d gc.Date, clock time.Duration, zone *time.Location) time.Time {
	wall := time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Add(clock)
	t := time.Date(d.Year, d.Month, d.Day, int(clock/time.Hour), int(clock/time.Minute%60), 0, 0, zone)
	start, end := t.ZoneBounds()
	switch shown := asShown(t); {
	case shown.After(wall):
		return start
	case shown.Before(wall):
		return end
	case start.IsZero():
		return t
	}
	_, offset := start.Add(-time.Second).Zone()
	if earlier := wall.Add(-time.Duration(offset) * time.Second).In(zone); earlier.Before(t) && asShown(earlier).Equal(wall) {
		return earlier
	}
	return t
}

// asShown is what the wall clock shows at t, as if it were UTC.
func asShown(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

func dateOf(t time.Time) gc.Date {
	y, m, d := t.Date()
	return gc.Date{Year: y, Month: m, Day: d}
}

func clockOf(t time.Time) time.Duration {
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
}
