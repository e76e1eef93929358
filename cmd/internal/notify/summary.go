package notify

import (
	"fmt"
	"strings"
	"time"

	"chartkeep/gc"
)

// summaryNotice says the age of every copy and of its last proof.
func (s Settings) summaryNotice(st State, now time.Time) Notice {
	r := Run{Practice: st.Practice, Host: st.Host}
	n := s.notice(r, Summary, now)
	var late, doubtful []Copy
	for _, c := range st.Copies {
		if c.Overdue(s.Calendar, s.OverdueAfter, now) {
			late = append(late, c)
		}
		if c.Suspicious > 0 {
			doubtful = append(doubtful, c)
		}
	}
	n.Subject = subject(r, summaryHeadline(len(late), len(doubtful), len(st.Warnings)))
	n.Words = []string{"The backups on " + s.moment(now) + "."}
	for _, c := range st.Copies {
		n.Words = append(n.Words, strings.Join(s.copyLines(c, now), "\n"))
	}
	for _, w := range st.Warnings {
		n.Words = append(n.Words, w.Words)
	}
	if len(late)+len(doubtful)+len(st.Warnings) == 0 {
		n.Words = append(n.Words, nothingToDo)
	}
	n.Details = []string{"Computer " + st.Host}
	return n
}

func summaryHeadline(late, doubtful, warnings int) string {
	switch {
	case late > 0:
		return fmt.Sprintf("backup summary: %d overdue", late)
	case doubtful > 0:
		return "backup summary: one needs a look"
	case warnings > 0:
		return "backup summary: all made, with a note"
	}
	return "backup summary: all is well"
}

// copyLines are what is said of one copy.
func (s Settings) copyLines(c Copy, now time.Time) []string {
	lines := []string{fmt.Sprintf("%s on %s", c.Plan, c.Destination), "  last good backup: " + s.ago(c.LastGood, now)}
	if c.Overdue(s.Calendar, s.OverdueAfter, now) {
		lines[1] += ", overdue"
	}
	if c.LastResult != "" && !c.LastResult.well() {
		lines = append(lines, fmt.Sprintf("  last attempt: %s, %s", c.LastResult, s.ago(c.LastTry, now)))
	}
	lines = append(lines, "  all of it read back: "+s.ago(c.Verified, now), "  last test restore: "+s.ago(c.Drilled, now))
	if !c.AbsentSince.IsZero() {
		lines = append(lines, "  not connected since "+s.day(c.AbsentSince))
	}
	if c.Suspicious > 0 {
		lines = append(lines, fmt.Sprintf("  waiting for somebody to say that they are right: %d", c.Suspicious))
	}
	return append(lines, s.spaceLines(c)...)
}

func (s Settings) spaceLines(c Copy) (lines []string) {
	if c.Size >= 0 && c.Free >= 0 {
		lines = append(lines, fmt.Sprintf("  space: %s used, %s free", size(c.Size), size(c.Free)))
	}
	if !c.Full.IsZero() {
		lines = append(lines, "  full about "+s.day(c.Full))
	}
	return lines
}

// ago is how long ago something was, in days on the wall.
func (s Settings) ago(t, now time.Time) string {
	if t.IsZero() {
		return "never"
	}
	wall := gc.Calendar{Zone: s.Calendar.Zone} // a practice's day may end after midnight
	days := daysBetween(wall.Day(t), wall.Day(now))
	when := s.moment(t)
	switch {
	case days <= 0:
		return "today (" + when + ")"
	case days == 1:
		return "yesterday (" + when + ")"
	}
	return fmt.Sprintf("%d days ago (%s)", days, when)
}
