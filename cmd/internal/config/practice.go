package config

import (
	"time"

	// Computers without a time zone database of their own, such as those with
	// Windows, know the same zones.
	_ "time/tzdata"

	"chartkeep/gc"
)

func (r *reader) practice(t *table, p *Practice) {
	p.Zone = time.Local
	t.text("name", &p.Name)
	parsed(t, "time_zone", parseZone, &p.Zone)
	p.OpenDays = []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}
	parsedList(t, "open_days", parseWeekday, &p.OpenDays)
	parsed(t, "holidays", parseHolidays, &p.Holidays)
	parsedList(t, "extra_closed", gc.ParseDate, &p.ExtraClosed)
	parsed(t, "day_ends_at", parseClock, &p.DayEndsAt)
	parsed(t, "fiscal_year_starts", gc.ParseMonthDay, &p.FiscalYearStarts)
	t.done()
}

// Calendar is how the practice counts its days.
func (c *Config) Calendar() gc.Calendar {
	p := c.Practice
	holidays, _ := gc.Holidays(p.Holidays) // checked when it was read
	return gc.Calendar{Zone: p.Zone, DayEndsAt: p.DayEndsAt, OpenDays: p.OpenDays, Holidays: holidays, ExtraClosed: p.ExtraClosed}
}

// keepCounts are the rules that keep so many of something. A second name is
// that of the command line.
var keepCounts = []struct {
	keys []string
	of   func(*gc.Policy) *int
}{
	{[]string{"last"}, func(p *gc.Policy) *int { return &p.Last }},
	{[]string{"hourly"}, func(p *gc.Policy) *int { return &p.Hourly }},
	{[]string{"daily"}, func(p *gc.Policy) *int { return &p.Daily }},
	{[]string{"business_days"}, func(p *gc.Policy) *int { return &p.BusinessDays }},
	{[]string{"weekly"}, func(p *gc.Policy) *int { return &p.Weekly }},
	{[]string{"month_ends", "monthly"}, func(p *gc.Policy) *int { return &p.Monthly }},
	{[]string{"quarter_ends", "quarterly"}, func(p *gc.Policy) *int { return &p.Quarterly }},
	{[]string{"year_ends", "yearly"}, func(p *gc.Policy) *int { return &p.Yearly }},
	{[]string{"fiscal_year_ends", "fiscal_yearly"}, func(p *gc.Policy) *int { return &p.FiscalYearly }},
}

// keepSpans are the rules that keep what lies within a span.
var keepSpans = []struct {
	key string
	of  func(*gc.Policy) *gc.Duration
}{
	{"within", func(p *gc.Policy) *gc.Duration { return &p.Within }},
	{"within_hourly", func(p *gc.Policy) *gc.Duration { return &p.WithinHourly }},
	{"within_daily", func(p *gc.Policy) *gc.Duration { return &p.WithinDaily }},
	{"within_weekly", func(p *gc.Policy) *gc.Duration { return &p.WithinWeekly }},
	{"within_monthly", func(p *gc.Policy) *gc.Duration { return &p.WithinMonthly }},
	{"within_quarterly", func(p *gc.Policy) *gc.Duration { return &p.WithinQuarterly }},
	{"within_yearly", func(p *gc.Policy) *gc.Duration { return &p.WithinYearly }},
}

// retention reads a table of rules; bin_days is as before where it is not said.
func (r *reader) retention(t *table, keep *Retention, p Practice) {
	keep.Policy = gc.Policy{FiscalYearStart: p.FiscalYearStarts}
	if t == nil {
		return
	}
	for _, k := range keepCounts {
		before := ""
		for _, key := range k.keys {
			if !t.count(key, k.of(&keep.Policy)) {
				continue
			}
			if before != "" {
				r.problem(t.at(key), "%s and %s are the same; keep one", before, key)
			}
			before = key
		}
	}
	for _, k := range keepSpans {
		parsed(t, k.key, gc.ParseDuration, k.of(&keep.Policy))
	}
	r.keepTags(t, &keep.Policy)
	t.whole("bin_days", 0, 3650, &keep.BinDays)
	t.done()
}

// count reads a number of periods, or "unlimited".
func (t *table) count(key string, to *int) bool {
	if _, ok := t.values[key].(string); ok {
		return parsed(t, key, gc.ParseCount, to)
	}
	return t.whole(key, 0, 1<<20, to)
}

// keepTags reads a list whose elements are a tag, or a list of tags that must
// all be there.
func (r *reader) keepTags(t *table, p *gc.Policy) {
	value, ok := t.take("keep_tags")
	if !ok {
		return
	}
	elements, ok := value.([]any)
	if !ok {
		elements = []any{value}
	}
	for i, e := range elements {
		place := at(t.at("keep_tags"), i)
		if tags := r.tags(place, e); len(tags) > 0 {
			p.Tags = append(p.Tags, tags)
		}
	}
}

// tags are one tag, or a list of them.
func (r *reader) tags(place string, value any) (tags []string) {
	elements, ok := value.([]any)
	if !ok {
		elements = []any{value}
	}
	for _, e := range elements {
		text, ok := r.textOf(place, e)
		if !ok {
			continue
		}
		if err := checkTag(text); err != nil {
			r.problem(place, "%v", err)
			continue
		}
		tags = append(tags, text)
	}
	return tags
}
