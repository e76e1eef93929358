package notify

import (
	"fmt"
	"time"
)

// The notices that are not the report of one run.

// recoveredNotice says that the trouble is over.
func (s Settings) recoveredNotice(o Outcome, before PlanMemory) Notice {
	n := s.runNotice(o)
	n.Result = Recovered
	n.Subject = subject(o.Run, "backup is working again")
	first := "The backup is working again."
	if !before.Since.IsZero() {
		first = fmt.Sprintf("The backup is working again. It was in trouble from %s on.", s.moment(before.Since))
	}
	n.Words = append([]string{first}, n.Words...)
	return n
}

func (s Settings) warningNotice(r Run, w Warning, now time.Time) Notice {
	n := s.notice(r, Warned, now)
	n.Subject = subject(r, "a note about the backups")
	n.Words = []string{w.Words, "The backup itself was made as usual. " + askProvider}
	n.Details = []string{fmt.Sprintf("Computer %s, plan %s", r.Host, r.Plan)}
	return n
}

// overduePlanNotice is the dead man's alert: nothing was saved of a plan.
func (s Settings) overduePlanNotice(r Run, newest Copy, late int, now time.Time) Notice {
	n := s.notice(r, Overdue, now)
	n.Subject = subject(r, "no backup since "+s.sinceWhen(newest.LastGood))
	n.Words = []string{s.lastGood("The last good backup was made", newest.LastGood) + lateWords(late)}
	switch newest.LastResult {
	case Absent:
		n.Words = append(n.Words, "The drive was not connected. Please connect it; the next backup is then made by itself.")
	case "", Done:
		n.Words = append(n.Words, "Please make sure that the computer "+r.Host+" is on and awake when the backup is due. "+askProvider)
	default:
		n.Words = append(n.Words, askProvider)
	}
	n.Details = s.copyDetails(r, newest, now)
	return n
}

// overdueCopyNotice is for a copy that is old while others are not.
func (s Settings) overdueCopyNotice(r Run, c Copy, late int, now time.Time) Notice {
	r.Plan = c.Plan
	n := s.notice(r, Overdue, now)
	n.Subject = subject(r, "no backup on "+c.Destination+" since "+s.sinceWhen(c.LastGood))
	n.Words = []string{
		s.lastGood("The last good backup on "+c.Destination+" was made", c.LastGood) + lateWords(late) + " The backups elsewhere are newer.",
	}
	if !c.AbsentSince.IsZero() || c.LastResult == Absent {
		n.Words = append(n.Words, "Please connect the drive "+c.Destination+"; the next backup is then made by itself.")
	} else {
		n.Words = append(n.Words, askProvider)
	}
	n.Details = s.copyDetails(r, c, now)
	return n
}

func (s Settings) sinceWhen(t time.Time) string {
	if t.IsZero() {
		return "the set-up"
	}
	return s.day(t)
}

// lastGood completes a sentence with when that was.
func (s Settings) lastGood(sentence string, t time.Time) string {
	if t.IsZero() {
		return "No good backup was made yet."
	}
	return fmt.Sprintf("%s on %s.", sentence, s.moment(t))
}

func lateWords(late int) string {
	switch {
	case late == 1:
		return " One working day has ended since without one."
	case late >= maxLate:
		return ""
	}
	return fmt.Sprintf(" %d working days have ended since without one.", late)
}

func (s Settings) copyDetails(r Run, c Copy, now time.Time) []string {
	lines := []string{fmt.Sprintf("Computer %s, plan %s", r.Host, c.Plan)}
	if c.Destination != "" {
		lines = append(lines, "Destination "+c.Destination)
	}
	if !c.LastTry.IsZero() {
		lines = append(lines, fmt.Sprintf("Last attempt %s: %s", s.moment(c.LastTry), c.LastResult))
	}
	return append(lines, "Looked at "+s.moment(now))
}

func (s Settings) testNotice(r Run) Notice {
	n := s.notice(r, Tested, r.Start)
	n.Subject = subject(r, "a test of the notices")
	n.Words = []string{"This message was sent to see that notices about the backups arrive. They do. " + nothingToDo}
	n.Details = []string{"Computer " + r.Host}
	return n
}
