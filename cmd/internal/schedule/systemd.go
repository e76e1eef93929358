package schedule

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Systemd writes a service and a timer for each job. Timers know time zones, so
// that the computer's own does not matter.
func (h Host) Systemd(jobs []Job) (files []File) {
	for _, j := range jobs {
		name := "chartkeep-" + j.Name
		files = append(files,
			File{name + ".service", h.service(j)},
			File{name + ".timer", h.timer(j)})
	}
	return files
}

// Mark is the first line of what a Host writes. It tells the files of one
// configuration from all others.
func (h Host) Mark() string { return "Written by chartkeep for " + h.Config }

func (h Host) service(j Job) []byte {
	// An absent drive (exit code 4) is a state, and not a failure of the service.
	return fmt.Appendf(nil, `# %s
[Unit]
Description=%s
Wants=network-online.target
After=network-online.target local-fs.target

[Service]
Type=oneshot
ExecStart=%s
SuccessExitStatus=4
Nice=10
IOSchedulingClass=best-effort
IOSchedulingPriority=7
`, h.Mark(), specifiers(j.Title), execLine(h.command(j, len(j.Times.Skip) == 0)))
}

func (h Host) timer(j Job) []byte {
	var when strings.Builder
	for _, line := range h.onCalendar(j.Times) {
		fmt.Fprintf(&when, "OnCalendar=%s\n", line)
	}
	return fmt.Appendf(nil, `# %s
[Unit]
Description=%s

[Timer]
%sPersistent=%t
AccuracySec=1s

[Install]
WantedBy=timers.target
`, h.Mark(), specifiers(j.Title), when.String(), j.CatchUp)
}

// onCalendar are expressions of systemd.time(7).
func (h Host) onCalendar(t Times) (lines []string) {
	zone := ""
	if h.Practice != time.Local && h.Practice.String() != "Local" {
		zone = " " + h.Practice.String()
	}
	for _, r := range t.rules() {
		lines = append(lines, r.onCalendar()+zone)
	}
	for _, at := range h.gaps(t) {
		lines = append(lines, at.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	for _, m := range h.comingOnce(t) {
		lines = append(lines, instant(m.Date, m.Clock, h.Practice).UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	return lines
}

func (r rule) onCalendar() string {
	var text string
	if r.weekdays != nil {
		for i, d := range r.weekdays {
			if i > 0 {
				text += ","
			}
			text += time.Weekday(d).String()[:3]
		}
		text += " "
	}
	days := "-" + listed(r.days, "%02d")
	if r.last {
		days = "~01"
	}
	return text + "*-" + listed(r.months, "%02d") + days + " " + listed(r.hours, "%02d") + ":" + listed(r.minutes, "%02d") + ":00"
}

// listed are numbers with commas; nil is a star.
func listed(numbers []int, format string) string {
	if numbers == nil {
		return "*"
	}
	var words []string
	for _, n := range numbers {
		words = append(words, fmt.Sprintf(format, n))
	}
	return strings.Join(words, ",")
}

// execLine is a command line as ExecStart reads it.
func execLine(args []string) string {
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = specifiers(strings.ReplaceAll(a, "$", "$$"))
		if a == "" || strings.ContainsAny(a, " \t\n\"'\\;") {
			words[i] = strconv.Quote(words[i])
		}
	}
	return strings.Join(words, " ")
}

// specifiers keeps systemd from replacing what follows a percent sign.
func specifiers(text string) string { return strings.ReplaceAll(text, "%", "%%") }
