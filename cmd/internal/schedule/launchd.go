package schedule

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"time"
)

// most is how many times one property list or task names; what has more is
// started every quarter of an hour, and runs if it is due.
const most = 48

// Launchd writes a property list of launchd.plist(5) for each job.
func (h Host) Launchd(jobs []Job) (files []File) {
	for _, j := range jobs {
		entries, exact := h.intervals(j)
		files = append(files, h.propertyList(j, entries, exact))
	}
	if due, ok := hourly(jobs); ok {
		entries, _ := asIntervals(due.Times.rules())
		files = append(files, h.propertyList(due, entries, true))
	}
	return files
}

// An interval is a dictionary of StartCalendarInterval; a key that is missing
// lets everything through.
type interval []struct {
	key   string
	value int
}

func (h Host) intervals(j Job) (all []interval, exact bool) {
	times, exact := h.onThisClock(j)
	all, said := asIntervals(times.rules())
	if len(all) > most {
		all, _ = asIntervals(quarters(times).rules())
		said = false
	}
	if times.hasLast() {
		said = false
	}
	for _, m := range h.comingOnce(times) { // a year cannot be said
		one := interval{{"Month", int(m.Month)}, {"Day", m.Day}, {"Hour", int(m.Clock / time.Hour)}, {"Minute", int(m.Clock/time.Minute) % 60}}
		all, said = append(all, one), false
	}
	return all, exact && said
}

// asIntervals takes rules apart into single values. That a day of the week and a
// day of the month must both fit cannot be said; then the latter is left out.
func asIntervals(rules []rule) (all []interval, said bool) {
	said = true
	for _, r := range rules {
		if r.last {
			r.days = []int{28, 29, 30, 31}
		}
		if r.days != nil && r.weekdays != nil {
			r.days, said = nil, false
		}
		one := []interval{nil}
		one = product(one, "Month", r.months)
		one = product(one, "Day", r.days)
		one = product(one, "Weekday", r.weekdays)
		one = product(one, "Hour", r.hours)
		one = product(one, "Minute", r.minutes)
		all = append(all, one...)
	}
	return all, said
}

// product is each interval with each value of one more key.
func product(all []interval, key string, values []int) (more []interval) {
	if values == nil {
		return all
	}
	for _, i := range all {
		for _, v := range values {
			one := append(interval(nil), i...)
			more = append(more, append(one, interval{{key, v}}...))
		}
	}
	return more
}

func (h Host) propertyList(j Job, entries []interval, exact bool) File {
	var b bytes.Buffer
	label := "chartkeep." + j.Name
	fmt.Fprintf(&b, `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- %s -->
<plist version="1.0">
<dict>
	<key>Label</key>
	<string>%s</string>
	<key>ProgramArguments</key>
	<array>
`, commentText(h.Mark()), escaped(label))
	for _, arg := range h.command(j, exact) {
		fmt.Fprintf(&b, "\t\t<string>%s</string>\n", escaped(arg))
	}
	b.WriteString("\t</array>\n\t<key>ProcessType</key>\n\t<string>Background</string>\n\t<key>StartCalendarInterval</key>\n\t<array>\n")
	for _, i := range entries {
		b.WriteString("\t\t<dict>\n")
		for _, e := range i {
			fmt.Fprintf(&b, "\t\t\t<key>%s</key>\n\t\t\t<integer>%d</integer>\n", e.key, e.value)
		}
		b.WriteString("\t\t</dict>\n")
	}
	b.WriteString("\t</array>\n</dict>\n</plist>\n")
	return File{label + ".plist", b.Bytes()}
}

// commentText is text within a comment of XML, which has no two hyphens.
func commentText(text string) string { return strings.ReplaceAll(text, "--", "- -") }

// escaped is text within XML.
func escaped(text string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // a buffer does not fail
	return b.String()
}
