package gc

import (
	"errors"
	"fmt"
	"strings"
)

// A Policy says what stays. Counts are numbers of periods that have a
// snapshot; 0 is no such rule, All keeps every period. Spans are measured back
// from the newest snapshot. The zero Policy removes nothing.
type Policy struct {
	Last         int
	Hourly       int
	Daily        int
	BusinessDays int
	Weekly       int // ISO weeks
	Monthly      int
	Quarterly    int
	Yearly       int
	FiscalYearly int

	FiscalYearStart MonthDay

	Within          Duration // everything within the span
	WithinHourly    Duration // one of each hour, and so on
	WithinDaily     Duration
	WithinWeekly    Duration
	WithinMonthly   Duration
	WithinQuarterly Duration
	WithinYearly    Duration

	Tags [][]string // what has all tags of one of the lists stays
}

// A rule keeps one snapshot for each period of a unit: of the newest count
// periods, or of those within a span.
type rule struct {
	word   string // as in the flags: "daily"
	unit   unit
	count  int
	within Duration
	text   string // "last 10", "daily within 30d"
	span   string // within, written out
}

// rules are the rules of the policy that are in use.
func (p Policy) rules() []rule {
	fiscal := fiscalYear(p.FiscalYearStart)
	all := []rule{
		{word: "last", unit: each, count: p.Last},
		{word: "hourly", unit: hour, count: p.Hourly},
		{word: "daily", unit: day, count: p.Daily},
		{word: "business days", unit: businessDay, count: p.BusinessDays},
		{word: "weekly", unit: week, count: p.Weekly},
		{word: "monthly", unit: month, count: p.Monthly},
		{word: "quarterly", unit: quarter, count: p.Quarterly},
		{word: "yearly", unit: year, count: p.Yearly},
		{word: "fiscal yearly", unit: fiscal, count: p.FiscalYearly},
		{word: "within", unit: each, within: p.Within},
		{word: "hourly within", unit: hour, within: p.WithinHourly},
		{word: "daily within", unit: day, within: p.WithinDaily},
		{word: "weekly within", unit: week, within: p.WithinWeekly},
		{word: "monthly within", unit: month, within: p.WithinMonthly},
		{word: "quarterly within", unit: quarter, within: p.WithinQuarterly},
		{word: "yearly within", unit: year, within: p.WithinYearly},
	}
	var used []rule
	for _, r := range all {
		if r.count != 0 || !r.within.Zero() {
			r.span = r.within.String()
			r.text = r.write()
			used = append(used, r)
		}
	}
	return used
}

// Empty reports whether p has no rule at all.
func (p Policy) Empty() bool { return len(p.rules()) == 0 && len(p.Tags) == 0 }

// Validate reports what is impossible in p.
func (p Policy) Validate() error {
	var problems []error
	for _, r := range p.rules() {
		if r.count < All {
			problems = append(problems, fmt.Errorf("keep %s: count %d is negative", r.word, r.count))
		}
		if err := r.within.validate(); err != nil {
			problems = append(problems, fmt.Errorf("keep %s: %w", r.word, err))
		}
	}
	if err := p.FiscalYearStart.validate(); err != nil {
		problems = append(problems, fmt.Errorf("start of the fiscal year: %w", err))
	}
	return errors.Join(problems...)
}

// String says the policy in one line: "10 business days, 12 monthly".
func (p Policy) String() string {
	var words []string
	for _, r := range p.rules() {
		words = append(words, r.text)
	}
	for _, tags := range p.Tags {
		words = append(words, tagged(tags))
	}
	if len(words) == 0 {
		return "everything"
	}
	return strings.Join(words, ", ")
}

func (r rule) write() string {
	switch {
	case !r.within.Zero():
		return r.word + " " + r.span
	case r.count < 0 && r.unit.single:
		return "all"
	case r.count < 0:
		return "all " + r.word
	case r.unit.single:
		return fmt.Sprintf("last %d", r.count)
	}
	return fmt.Sprintf("%d %s", r.count, r.word)
}
