package schedule

import (
	"encoding/xml"
	"fmt"
	"strings"
	"time"
)

// Windows writes a task for each job, as schtasks /Create /XML reads it. Tasks
// run as the system, whether or not somebody is logged on.
func (h Host) Windows(jobs []Job) (files []File) {
	for _, j := range jobs {
		files = append(files, File{"chartkeep-" + j.Name + ".xml", h.task(j)})
	}
	return files
}

// taskHeader names no encoding: a shell of Windows that writes what was printed into a
// file makes UTF-16 of it, and schtasks refuses a file that says otherwise.
const taskHeader = "<?xml version=\"1.0\"?>\n"

// A task is the part of Microsoft's Task Scheduler schema 1.2 that is used here.
type task struct {
	XMLName     xml.Name  `xml:"http://schemas.microsoft.com/windows/2004/02/mit/task Task"`
	Version     string    `xml:"version,attr"`
	Source      string    `xml:"RegistrationInfo>Source"`
	Description string    `xml:"RegistrationInfo>Description"`
	Triggers    []trigger `xml:"Triggers>Trigger"`
	Principal   principal `xml:"Principals>Principal"`
	Settings    settings
	Exec        execution `xml:"Actions>Exec"`
}

type principal struct {
	ID       string `xml:"id,attr"`
	UserID   string `xml:"UserId"` // S-1-5-18 is the system
	RunLevel string
}

type settings struct {
	MultipleInstancesPolicy    string
	DisallowStartIfOnBatteries bool
	StopIfGoingOnBatteries     bool
	StartWhenAvailable         bool
	ExecutionTimeLimit         string
	Priority                   int
}

type execution struct{ Command, Arguments string }

// A trigger is a CalendarTrigger or a TimeTrigger.
type trigger struct {
	XMLName       xml.Name
	Repetition    *repetition
	StartBoundary string
	ByDay         *daily     `xml:"ScheduleByDay"`
	ByWeek        *byWeek    `xml:"ScheduleByWeek"`
	ByMonth       *byMonth   `xml:"ScheduleByMonth"`
	ByMonthDay    *byWeekday `xml:"ScheduleByMonthDayOfWeek"`
}

type repetition struct{ Interval, Duration string }

type daily struct{ DaysInterval int }

type byWeek struct {
	WeeksInterval int
	Days          names `xml:"DaysOfWeek"`
}

type byMonth struct {
	Days   []string `xml:"DaysOfMonth>Day"`
	Months names
}

type byWeekday struct {
	Weeks  []string `xml:"Weeks>Week"`
	Days   names    `xml:"DaysOfWeek"`
	Months names
}

// names are empty elements: <Monday></Monday>.
type names []string

// MarshalXML writes an element for each name.
func (n names) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	if err := e.EncodeToken(start); err != nil {
		return err
	}
	for _, name := range n {
		if err := e.EncodeElement("", xml.StartElement{Name: xml.Name{Local: name}}); err != nil {
			return err
		}
	}
	return e.EncodeToken(start.End())
}

func (h Host) task(j Job) []byte {
	triggers, exact := h.triggers(j)
	words := h.command(j, exact)
	for i, w := range words {
		words[i] = windowsQuoted(w)
	}
	text, err := xml.MarshalIndent(task{
		Version: "1.2", Source: h.Mark(), Description: j.Title, Triggers: triggers,
		Principal: principal{"Author", "S-1-5-18", "HighestAvailable"},
		Settings:  settings{"IgnoreNew", false, false, j.CatchUp, "PT0S", 7},
		Exec:      execution{h.Program, strings.Join(words[1:], " ")},
	}, "", "  ")
	if err != nil {
		panic(err) // every field can be written
	}
	return append([]byte(taskHeader), append(text, '\n')...)
}

func (h Host) triggers(j Job) (all []trigger, exact bool) {
	times, exact := h.onThisClock(j)
	repeated := !h.sameClock() && j.Due != nil
	for _, r := range times.rules() {
		if len(all) < most && !repeated {
			one, said := r.triggers(h.Now)
			all, exact = append(all, one...), exact && said
		}
	}
	if repeated || len(all) >= most { // a task has 48 triggers at most
		all, exact = everyQuarter(times, h.Now), false
	}
	for _, m := range h.comingOnce(times) {
		all = append(all, trigger{XMLName: element("TimeTrigger"), StartBoundary: m.Date.String() + "T" + ClockText(m.Clock) + ":00"})
	}
	return all, exact
}

func element(name string) xml.Name { return xml.Name{Local: name} }

// everyQuarter starts at the minutes of t in every quarter of an hour.
func everyQuarter(t Times, now time.Time) (all []trigger) {
	for _, clock := range quarters(t).At {
		if clock < 15*time.Minute {
			all = append(all, trigger{
				XMLName: element("CalendarTrigger"), Repetition: &repetition{"PT15M", "P1D"},
				StartBoundary: boundary(now, clock), ByDay: &daily{1},
			})
		}
	}
	return all
}

// boundary is the first moment of a trigger: a time of day on a day that is over.
func boundary(now time.Time, clock time.Duration) string {
	return fmt.Sprintf("%d-01-01T%s:00", now.Year(), ClockText(clock))
}

// triggers are one for each time of day. That a day of the week and a day of the
// month must both fit cannot be said; then the latter is left out.
func (r rule) triggers(now time.Time) (all []trigger, said bool) {
	said = r.days == nil || r.weekdays == nil
	for _, hour := range orAll(r.hours, 1) {
		for _, minute := range orAll(r.minutes, 0) {
			clock := time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute
			one := trigger{XMLName: element("CalendarTrigger"), StartBoundary: boundary(now, clock)}
			r.byDays(&one)
			all = append(all, one)
			if len(all) >= most {
				return all, false
			}
		}
	}
	return all, said
}

func (r rule) byDays(t *trigger) {
	switch {
	case r.weekdays != nil && r.months != nil:
		t.ByMonthDay = &byWeekday{[]string{"1", "2", "3", "4", "Last"}, weekdayNames(r.weekdays), monthNames(r.months)}
	case r.weekdays != nil:
		t.ByWeek = &byWeek{1, weekdayNames(r.weekdays)}
	case r.last:
		t.ByMonth = &byMonth{[]string{"Last"}, monthNames(orAll(r.months, 3))}
	case r.days != nil || r.months != nil:
		var days []string
		for _, d := range orAll(r.days, 2) {
			days = append(days, fmt.Sprint(d))
		}
		t.ByMonth = &byMonth{days, monthNames(orAll(r.months, 3))}
	default:
		t.ByDay = &daily{1}
	}
}

// orAll are the values of a field, or all there are.
func orAll(values []int, position int) (all []int) {
	if values != nil {
		return values
	}
	for v := cronRanges[position].from; v <= cronRanges[position].to; v++ {
		all = append(all, v)
	}
	return all
}

func weekdayNames(days []int) (all names) {
	for _, d := range days {
		all = append(all, time.Weekday(d).String())
	}
	return all
}

func monthNames(months []int) (all names) {
	for _, m := range months {
		all = append(all, time.Month(m).String())
	}
	return all
}

// windowsQuoted is an argument as CommandLineToArgvW takes it apart.
func windowsQuoted(arg string) string {
	if arg != "" && !strings.ContainsAny(arg, " \t\"") {
		return arg
	}
	var b strings.Builder
	b.WriteByte('"')
	slashes := 0
	for _, c := range []byte(arg) {
		switch c {
		case '\\':
			slashes++
		case '"':
			b.WriteString(strings.Repeat(`\`, slashes+1))
			slashes = 0
		default:
			slashes = 0
		}
		b.WriteByte(c)
	}
	b.WriteString(strings.Repeat(`\`, slashes) + `"`)
	return b.String()
}
