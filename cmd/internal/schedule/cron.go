package schedule

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/adhocore/gronx"

	"chartkeep/gc"
)

// A cron is an expression of crontab(5), taken apart: each field is the sorted
// list of the values that it lets through. gronx reads the fields; what they
// mean together is as in Debian's cron.
type cron struct {
	fields   [5]string // as written, but for names
	minutes  []int
	hours    []int
	days     []int // of the month
	months   []int
	weekdays []int // Sunday is 0
}

// plainField is what all of the schedulers understand, names having become
// numbers: gronx knows more.
var plainField = regexp.MustCompile(`^[0-9*/,-]+$`)

// cronRanges are the values of the fields, in their order.
var cronRanges = [5]struct {
	name     string
	from, to int
	at       func(value int) time.Time // a moment that has the value
}{
	{"minute", 0, 59, func(v int) time.Time { return time.Date(2000, 1, 1, 0, v, 0, 0, time.UTC) }},
	{"hour", 0, 23, func(v int) time.Time { return time.Date(2000, 1, 1, v, 0, 0, 0, time.UTC) }},
	{"day of the month", 1, 31, func(v int) time.Time { return time.Date(2000, 1, v, 0, 0, 0, 0, time.UTC) }},
	{"month", 1, 12, func(v int) time.Time { return time.Date(2000, time.Month(v), 1, 0, 0, 0, 0, time.UTC) }},
	{"day of the week", 0, 6, func(v int) time.Time { return time.Date(2000, 1, 2+v, 0, 0, 0, 0, time.UTC) }},
}

func parseCron(expression string) (c cron, err error) {
	if strings.HasPrefix(strings.TrimSpace(expression), "@") {
		return c, fmt.Errorf("cron %q: want five fields: minute, hour, day of the month, month, day of the week", expression)
	}
	segments, err := gronx.Segments(expression) // the first is the second
	if err != nil || len(segments) != 6 || len(strings.Fields(expression)) != 5 {
		return c, fmt.Errorf("cron %q: want five fields: minute, hour, day of the month, month, day of the week", expression)
	}
	for i, to := range []*[]int{&c.minutes, &c.hours, &c.days, &c.months, &c.weekdays} {
		c.fields[i] = segments[i+1]
		if *to, err = expand(segments[i+1], i); err != nil {
			return c, fmt.Errorf("cron %q: %s: %w", expression, cronRanges[i].name, err)
		}
	}
	if !c.possible() {
		return c, fmt.Errorf("cron %q: there is no such day", expression)
	}
	return c, nil
}

// expand lists the values that a field lets through.
func expand(field string, position int) (values []int, err error) {
	if !plainField.MatchString(field) {
		return nil, fmt.Errorf("%q is not numbers, names, * , - and /", field)
	}
	r := cronRanges[position]
	for v := r.from; v <= r.to; v++ {
		check := &gronx.SegmentChecker{}
		check.SetRef(r.at(v))
		due, err := check.CheckDue(field, position+1)
		if err != nil {
			return nil, fmt.Errorf("%q is impossible", field)
		}
		if due {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return nil, fmt.Errorf("%q is never", field)
	}
	return values, nil
}

// possible reports whether any date fits.
func (c cron) possible() bool {
	for d := (gc.Date{Year: 2000, Month: 1, Day: 1}); d.Year < 2001; d = d.AddDays(1) {
		if slices.Contains(c.months, int(d.Month)) && slices.Contains(c.days, d.Day) {
			return true
		}
	}
	return !c.both()
}

// both reports whether a date must fit the day of the month and the day of the
// week. When both are said, either is enough, unless one is said with a star.
func (c cron) both() bool {
	return strings.HasPrefix(c.fields[2], "*") || strings.HasPrefix(c.fields[4], "*")
}

// on reports whether the expression lets a date through.
func (c cron) on(d gc.Date) bool {
	day, weekday := slices.Contains(c.days, d.Day), slices.Contains(c.weekdays, int(d.Weekday()))
	if !slices.Contains(c.months, int(d.Month)) {
		return false
	}
	if c.both() {
		return day && weekday
	}
	return day || weekday
}

// clocks are the times of day, in order.
func (c cron) clocks() (clocks []time.Duration) {
	for _, h := range c.hours {
		for _, m := range c.minutes {
			clocks = append(clocks, time.Duration(h)*time.Hour+time.Duration(m)*time.Minute)
		}
	}
	return clocks
}
