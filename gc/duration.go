package gc

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Duration is a span on the calendar: a month is as long as the month it
// falls in.
type Duration struct{ Years, Months, Days, Hours int }

// maxSpan bounds each part of a duration; time.AddDate stays exact below it.
const maxSpan = 1_000_000

// ParseDuration reads a span such as 1y5m7d2h: numbers with the units y, m, d
// and h, in any order, each unit at most once. The empty string is no span.
func ParseDuration(s string) (Duration, error) {
	var d Duration
	parts := map[byte]*int{'y': &d.Years, 'm': &d.Months, 'd': &d.Days, 'h': &d.Hours}
	for rest := strings.TrimSpace(s); rest != ""; {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		if digits == 0 || digits == len(rest) {
			return Duration{}, fmt.Errorf("duration %q: want numbers with units, such as 1y5m7d2h", s)
		}
		part := parts[rest[digits]]
		if part == nil {
			return Duration{}, fmt.Errorf("duration %q: the units are y, m, d and h, each once", s)
		}
		n, err := strconv.Atoi(rest[:digits])
		if err != nil || n > maxSpan {
			return Duration{}, fmt.Errorf("duration %q: %s is too large", s, rest[:digits])
		}
		*part = n
		delete(parts, rest[digits])
		rest = rest[digits+1:]
	}
	return d, nil
}

// String gives the form that ParseDuration reads.
func (d Duration) String() string {
	var b strings.Builder
	for _, part := range []struct {
		n    int
		unit byte
	}{{d.Years, 'y'}, {d.Months, 'm'}, {d.Days, 'd'}, {d.Hours, 'h'}} {
		if part.n != 0 {
			fmt.Fprintf(&b, "%d%c", part.n, part.unit)
		}
	}
	return b.String()
}

// Zero reports whether d is no span at all.
func (d Duration) Zero() bool { return d == Duration{} }

// before is the moment that lies d before t, by the clock of t's zone.
func (d Duration) before(t time.Time) time.Time {
	return t.AddDate(-d.Years, -d.Months, -d.Days).Add(-time.Duration(d.Hours) * time.Hour)
}

// after is the moment that lies d after t. Months differ in length, so that
// before does not always undo it.
func (d Duration) after(t time.Time) time.Time {
	return t.AddDate(d.Years, d.Months, d.Days).Add(time.Duration(d.Hours) * time.Hour)
}

func (d Duration) validate() error {
	for _, n := range []int{d.Years, d.Months, d.Days, d.Hours} {
		if n < 0 || n > maxSpan {
			return fmt.Errorf("%d is not a possible part of a duration", n)
		}
	}
	return nil
}

// All, as a count, keeps every period.
const All = -1

// ParseCount reads the count of a rule: a number, or "unlimited" for All.
func ParseCount(s string) (int, error) {
	if s == "unlimited" {
		return All, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("count %q: want a number from 0, or unlimited", s)
	}
	return n, nil
}
