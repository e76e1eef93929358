package main

import (
	"github.com/urfave/cli/v2"

	"chartkeep/gc"
)

// keepCounts are the rules that keep so many of something.
var keepCounts = []struct {
	flag, usage string
	of          func(*gc.Policy) *int
}{
	{"keep-last", "the last `N`", func(p *gc.Policy) *int { return &p.Last }},
	{"keep-hourly", "the last of each of `N` hours", func(p *gc.Policy) *int { return &p.Hourly }},
	{"keep-daily", "the last of each of `N` days", func(p *gc.Policy) *int { return &p.Daily }},
	{"keep-business-days", "the last of each of `N` business days", func(p *gc.Policy) *int { return &p.BusinessDays }},
	{"keep-weekly", "the last of each of `N` weeks", func(p *gc.Policy) *int { return &p.Weekly }},
	{"keep-monthly", "the last of each of `N` months", func(p *gc.Policy) *int { return &p.Monthly }},
	{"keep-quarterly", "the last of each of `N` quarters", func(p *gc.Policy) *int { return &p.Quarterly }},
	{"keep-yearly", "the last of each of `N` years", func(p *gc.Policy) *int { return &p.Yearly }},
	{"keep-fiscal-yearly", "the last of each of `N` fiscal years", func(p *gc.Policy) *int { return &p.FiscalYearly }},
}

// keepSpans are the rules that keep what lies within a span.
var keepSpans = []struct {
	flag, usage string
	of          func(*gc.Policy) *gc.Duration
}{
	{"keep-within", "all within a `SPAN` of the newest, such as 1y6m, 14d or 36h", func(p *gc.Policy) *gc.Duration { return &p.Within }},
	{"keep-within-hourly", "one an hour within a `SPAN`", func(p *gc.Policy) *gc.Duration { return &p.WithinHourly }},
	{"keep-within-daily", "one a day within a `SPAN`", func(p *gc.Policy) *gc.Duration { return &p.WithinDaily }},
	{"keep-within-weekly", "one a week within a `SPAN`", func(p *gc.Policy) *gc.Duration { return &p.WithinWeekly }},
	{"keep-within-monthly", "one a month within a `SPAN`", func(p *gc.Policy) *gc.Duration { return &p.WithinMonthly }},
	{"keep-within-quarterly", "one a quarter within a `SPAN`", func(p *gc.Policy) *gc.Duration { return &p.WithinQuarterly }},
	{"keep-within-yearly", "one a year within a `SPAN`", func(p *gc.Policy) *gc.Duration { return &p.WithinYearly }},
}

func keepFlags() (flags []cli.Flag) {
	for _, k := range keepCounts {
		flags = append(flags, &cli.StringFlag{Name: k.flag, Usage: "keep " + k.usage + " (unlimited: all)"})
	}
	flags = append(flags, &cli.StringFlag{Name: "fiscal-year-start", Usage: "a fiscal year begins on `MM-DD` (default 01-01)"})
	for _, k := range keepSpans {
		flags = append(flags, &cli.StringFlag{Name: k.flag, Usage: "keep " + k.usage})
	}
	return append(flags, &cli.StringSliceFlag{Name: "keep-tag", Usage: "keep what has this `TAG`; A,B means both"})
}

// keepPolicy reads the rules.
func keepPolicy(c *cli.Context) (p gc.Policy, err error) {
	for _, k := range keepCounts {
		if text := c.String(k.flag); text != "" {
			if *k.of(&p), err = gc.ParseCount(text); err != nil {
				return p, usage(c, "--%s: %w", k.flag, err)
			}
		}
	}
	for _, k := range keepSpans {
		if *k.of(&p), err = gc.ParseDuration(c.String(k.flag)); err != nil {
			return p, usage(c, "--%s: %w", k.flag, err)
		}
	}
	if text := c.String("fiscal-year-start"); text != "" {
		if p.FiscalYearStart, err = gc.ParseMonthDay(text); err != nil {
			return p, usage(c, "--fiscal-year-start: %w", err)
		}
	}
	for _, list := range c.StringSlice("keep-tag") {
		if tags := splitTags(list); len(tags) > 0 {
			p.Tags = append(p.Tags, tags)
		}
	}
	if err := p.Validate(); err != nil {
		return p, usage(c, "%w", err)
	}
	return p, nil
}
