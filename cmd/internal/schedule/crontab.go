package schedule

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ErrCrontab says that a table has a beginning of our block without its end, so
// that which lines are ours cannot be told.
var ErrCrontab = errors.New("the crontab has lines of chartkeep without their end mark; remove them by hand with crontab -e")

// Crontab puts the lines of jobs into a table, in place of those that are there
// for the same configuration; with no jobs these are only removed. Every other
// line stays as it is.
func (h Host) Crontab(jobs []Job, table []byte) ([]byte, error) {
	rest, err := h.WithoutBlock(table)
	if err != nil || len(jobs) == 0 {
		return rest, err
	}
	if len(rest) > 0 && !bytes.HasSuffix(rest, []byte("\n")) {
		rest = append(rest, '\n')
	}
	return append(rest, h.block(jobs)...), nil
}

func (h Host) begin() string { return "# BEGIN " + h.Mark() + "\n" }
func (h Host) end() string   { return "# END " + h.Mark() + "\n" }

// WithoutBlock is a table without the lines of this configuration.
func (h Host) WithoutBlock(table []byte) (rest []byte, err error) {
	inside := false
	for line := range bytes.Lines(table) {
		whole := strings.TrimSuffix(string(line), "\n") + "\n"
		switch {
		case whole == h.begin() && !inside:
			inside = true
		case whole == h.end() && inside:
			inside = false
		case !inside:
			rest = append(rest, line...)
		}
	}
	if inside {
		return nil, ErrCrontab
	}
	return rest, nil
}

// Block are the lines of this configuration in a table.
func (h Host) Block(table []byte) string {
	_, after, found := strings.Cut(string(table), h.begin())
	inside, _, ended := strings.Cut(after, h.end())
	if !found || !ended {
		return ""
	}
	return inside
}

func (h Host) block(jobs []Job) []byte {
	var b bytes.Buffer
	b.WriteString(h.begin())
	if due, ok := hourly(jobs); ok {
		jobs = append(jobs[:len(jobs):len(jobs)], due)
	}
	for _, j := range jobs {
		fmt.Fprintf(&b, "# %s\n", j.Title)
		for _, l := range h.cronLines(j) {
			fmt.Fprintf(&b, "%s %s\n", l.when, cronCommand(append(h.command(j, l.exact), "--quiet")))
		}
	}
	b.WriteString(h.end())
	return b.Bytes()
}

// A cronLine is the five fields of a line, and whether they say what is meant.
type cronLine struct {
	when  string
	exact bool
}

func (h Host) cronLines(j Job) (lines []cronLine) {
	if j.Name == "due" { // every hour on any clock
		return []cronLine{{j.Times.Cron, true}}
	}
	times, exact := h.onThisClock(j)
	for _, m := range h.comingOnce(times) { // a year cannot be said
		lines = append(lines, cronLine{fmt.Sprintf("%d %d %d %d *", m.Clock/time.Minute%60, m.Clock/time.Hour, m.Day, m.Month), false})
	}
	if times.Cron != "" {
		return append(lines, cronLine{strings.Join(strings.Fields(times.Cron), " "), exact})
	}
	for _, r := range grouped(times.At) {
		// Either of the days is enough, as in Times, so that one line does. The
		// last day of the month is one of four.
		r.days, r.weekdays = listOrNil(times.numberedDays()), listOrNil(numbers(times.Days))
		sure := exact
		if times.hasLast() {
			r.days, sure = append(r.days, 28, 29, 30, 31), false
		}
		lines = append(lines, cronLine{r.crontab(), sure})
	}
	return lines
}

func (t Times) hasLast() bool { return slices.Contains(t.MonthDays, -1) }

func (r rule) crontab() string {
	return fmt.Sprintf("%s %s %s %s %s", listed(r.minutes, "%d"), listed(r.hours, "%d"), listed(r.days, "%d"), listed(r.months, "%d"), listed(r.weekdays, "%d"))
}

func listOrNil(list []int) []int {
	if len(list) == 0 {
		return nil
	}
	return list
}

// cronCommand is a command line for the shell, within a crontab, where a percent
// sign ends the command.
func cronCommand(args []string) string {
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = shellQuoted(a)
	}
	return strings.ReplaceAll(strings.Join(words, " "), "%", `\%`)
}

func shellQuoted(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./=:,@+%", r)
	}
	if word != "" && strings.TrimLeftFunc(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
