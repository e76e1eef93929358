package schedule

import (
	"slices"
	"time"
)

// A Job is what the operating system starts.
type Job struct {
	Name    string   // letters, digits, - and _
	Title   string   // for people
	Args    []string // of the program, at the job's times
	Due     []string // of the program when it is started too often; nil: as Args
	Times   Times
	CatchUp bool // a missed run is made up for
}

// A Host is a computer, and the program on it.
type Host struct {
	Program  string // absolute path
	Config   string // absolute path
	Practice *time.Location
	Local    *time.Location // of the computer's clock
	Now      time.Time      // moments before it are left out
}

// A File is what a scheduler reads.
type File struct {
	Name    string
	Content []byte
}

// command is the command line of a job: exact when it is started at its times
// and at no other.
func (h Host) command(j Job, exact bool) []string {
	args := j.Args
	if !exact && j.Due != nil {
		args = j.Due
	}
	return append([]string{h.Program, "--config", h.Config}, args...)
}

// hourly is the job that starts what others have missed, for schedulers that
// forget; ok is false when no job needs it.
func hourly(jobs []Job) (due Job, ok bool) {
	for _, j := range jobs {
		ok = ok || j.CatchUp && j.Due != nil
	}
	return Job{Name: "due", Title: "chartkeep: what is due", Args: []string{"run", "--due"}, Times: Times{Cron: "17 * * * *"}}, ok
}

// sameClock reports whether the computer's clock shows what the practice's does,
// for a year from now.
func (h Host) sameClock() bool {
	for day := range 366 {
		t := h.Now.Add(time.Duration(day) * 24 * time.Hour)
		if h.ahead(t) != 0 {
			return false
		}
	}
	return true
}

// ahead is by how much the computer's clock is ahead of the practice's at t.
func (h Host) ahead(t time.Time) time.Duration {
	_, local := t.In(h.Local).Zone()
	_, practice := t.In(h.Practice).Zone()
	return time.Duration(local-practice) * time.Second
}

// onThisClock makes times of the practice into times of the computer's clock.
// Where the clocks differ, a job that may be started too often is started every
// quarter of an hour that can be meant: zones are whole quarters apart. Another
// job is started at the times that are the same at present, or every hour.
func (h Host) onThisClock(j Job) (times Times, exact bool) {
	if h.sameClock() {
		return j.Times, len(j.Times.Skip) == 0
	}
	if j.Due == nil {
		shifted := Times{Cron: j.Times.Cron} // of every hour
		for _, clock := range j.Times.At {
			shifted.At = append(shifted.At, (clock+h.ahead(h.Now)+24*time.Hour)%(24*time.Hour))
		}
		return shifted, true
	}
	return quarters(j.Times), false
}

// quarters are the times at which a plan can be due if only the minutes of its
// clock are known, up to whole quarters of an hour.
func quarters(t Times) Times {
	var minutes []int
	add := func(clock time.Duration) { minutes = append(minutes, int(clock/time.Minute)%15) }
	for _, clock := range t.pattern().clocks {
		add(clock)
	}
	for _, m := range t.Once {
		add(m.Clock)
	}
	slices.Sort(minutes)
	var every []time.Duration
	for _, m := range slices.Compact(minutes) {
		for start := 0; start < 24*60; start += 15 {
			every = append(every, time.Duration(start+m)*time.Minute)
		}
	}
	slices.Sort(every)
	return Times{At: every}
}

// A rule is a set of times in the form that schedulers have in common: all
// fields must fit. A field that is nil lets everything through.
type rule struct {
	minutes, hours, days, months, weekdays []int
	last                                   bool // the last day of the month
}

// rules are what repeats in t, as few of them as say it.
func (t Times) rules() []rule {
	if t.Cron != "" {
		c, err := parseCron(t.Cron)
		if err != nil {
			return nil
		}
		return c.rules()
	}
	var all []rule
	for _, r := range grouped(t.At) {
		all = append(all, t.daysOf(r)...)
	}
	return all
}

// daysOf are the rules for one set of times of day.
func (t Times) daysOf(r rule) (all []rule) {
	if len(t.Days)+len(t.MonthDays) == 0 {
		return []rule{r}
	}
	add := func(set func(*rule)) {
		one := r
		set(&one)
		all = append(all, one)
	}
	if len(t.Days) > 0 {
		add(func(one *rule) { one.weekdays = numbers(t.Days) })
	}
	if days := t.numberedDays(); len(days) > 0 {
		add(func(one *rule) { one.days = days })
	}
	if slices.Contains(t.MonthDays, -1) {
		add(func(one *rule) { one.last = true })
	}
	return all
}

// numberedDays are the days of the month but for the last.
func (t Times) numberedDays() []int {
	days := slices.DeleteFunc(slices.Clone(t.MonthDays), func(d int) bool { return d == -1 })
	slices.Sort(days)
	return slices.Compact(days)
}

// grouped are times of day as rules, one for all hours that have the same
// minutes.
func grouped(clocks []time.Duration) (all []rule) {
	for _, clock := range slices.Sorted(slices.Values(clocks)) {
		hour, minute := int(clock/time.Hour), int(clock/time.Minute)%60
		if n := len(all); n > 0 && all[n-1].hours[0] == hour {
			all[n-1].minutes = append(all[n-1].minutes, minute)
			continue
		}
		all = append(all, rule{minutes: []int{minute}, hours: []int{hour}})
	}
	var merged []rule
	for _, r := range all {
		same := func(m rule) bool { return slices.Equal(m.minutes, r.minutes) }
		if i := slices.IndexFunc(merged, same); i >= 0 {
			merged[i].hours = append(merged[i].hours, r.hours...)
			continue
		}
		merged = append(merged, r)
	}
	for i := range merged {
		merged[i].hours = part(merged[i].hours, 1)
	}
	return merged
}

func numbers(days []time.Weekday) (all []int) {
	for _, d := range days {
		all = append(all, int(d))
	}
	slices.Sort(all)
	return all
}

// rules are one or two: for the day of the month or the day of the week.
func (c cron) rules() []rule {
	all := rule{
		minutes: part(c.minutes, 0), hours: part(c.hours, 1), days: part(c.days, 2),
		months: part(c.months, 3), weekdays: part(c.weekdays, 4),
	}
	if c.both() || all.days == nil && all.weekdays == nil {
		return []rule{all}
	}
	days, weekdays := all, all
	days.weekdays, weekdays.days = nil, nil
	return []rule{days, weekdays}
}

// part is a field's values, or nil where they are all there are.
func part(values []int, position int) []int {
	if r := cronRanges[position]; len(values) == r.to-r.from+1 {
		return nil
	}
	return values
}

// comingOnce are the single moments that are not over.
func (h Host) comingOnce(t Times) (all []Moment) {
	for _, m := range t.Once {
		if !slices.Contains(t.Skip, m.Date) && instant(m.Date, m.Clock, h.Practice).After(h.Now) {
			all = append(all, m)
		}
	}
	return all
}
