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
	n.Subject = subject(o.Run, o.Plan+" backup is working again")
	first := "The backup is working again."
	if !before.Since.IsZero() {
		first = fmt.Sprintf("The backup is working again. It was in trouble from %s on.", s.moment(before.Since))
	}
	n.Words = append([]string{first}, n.Words...)
	return n
}

func (s Settings) warningNotice(o Outcome, w Warning) Notice {
	n := s.notice(o.Run, Warned, o.end())
	n.Subject = subject(o.Run, "a note about the backups")
	n.Words = []string{w.Words, askProvider}
	if o.Result.well() {
		n.Words[1] = "The backup itself was made as usual. " + askProvider
	}
	n.Details = []string{fmt.Sprintf("Computer %s, plan %s", o.Host, o.Plan)}
	return n
}

// overduePlanNotice is the dead man's alert: nothing was saved of a plan.
func (s Settings) overduePlanNotice(r Run, newest Copy, late int, now time.Time) Notice {
	n := s.notice(r, Overdue, now)
	n.Subject = subject(r, "no "+r.Plan+" backup since "+s.sinceWhen(newest.LastGood))
	n.Words = []string{s.lastGood("The last good backup was made", newest.LastGood, late)}
	switch newest.LastResult {
	case Absent:
		n.Words = append(n.Words, sentence(drive(newest.Destination)+" was not connected.")+" Please connect it; the next backup is then made by itself.")
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
	n.Subject = subject(r, "no "+r.Plan+" backup on "+c.Destination+" since "+s.sinceWhen(c.LastGood))
	n.Words = []string{
		s.lastGood("The last good backup on "+c.Destination+" was made", c.LastGood, late) + " The backups elsewhere are newer.",
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

// lastGood completes a sentence with when that was, and how late the next is.
func (s Settings) lastGood(made string, t time.Time, late int) string {
	if t.IsZero() {
		return "No good backup was made yet."
	}
	days := fmt.Sprintf("%d working days have", late)
	if late == 1 {
		days = "One working day has"
	}
	return fmt.Sprintf("%s on %s. %s ended since without one.", made, s.moment(t), days)
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
