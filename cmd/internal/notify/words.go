package notify

import (
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// What people are told to do. Every notice that asks for something ends with
// one of these.
const (
	askProvider = "Please pass this message on to your IT provider."
	nothingToDo = "There is nothing to do."
	earlierSafe = "The earlier backups are still there."
)

// runNotice is what is said of a run, whatever its result.
func (s Settings) runNotice(o Outcome) Notice {
	n := s.notice(o.Run, o.worst(), o.end())
	n.Subject = subject(o.Run, strings.TrimSpace(o.Plan+" "+headline(o)))
	n.Words = append(n.Words, s.story(o)...)
	n.Details, n.Log = s.details(o), o.Log
	return n
}

func (s Settings) notice(r Run, result Result, at time.Time) Notice {
	return Notice{Result: result, Host: r.Host, Plan: r.Plan, Time: at.In(s.zone())}
}

// subject puts the practice before what is said.
func subject(r Run, said string) string {
	if r.Practice == "" {
		return "Chartkeep: " + said
	}
	return r.Practice + ": " + said
}

// headline is a run in half a line.
func headline(o Outcome) string {
	switch o.Result {
	case Incomplete:
		return "backup incomplete"
	case Suspicious:
		return "backup saved, but it needs a look"
	case Absent:
		return "backup not made, the drive is absent"
	case Skipped:
		return "backup skipped"
	case Interrupted:
		return "backup interrupted"
	case Damaged:
		return "backup: damage found"
	}
	switch steps := o.failedSteps(); {
	case !o.kept():
		return "backup failed"
	case len(steps) > 0:
		return "backup saved, but " + stepWords(steps[0])
	case o.Result == Failed:
		return "backup saved, but a later step failed"
	}
	return "backup done"
}

// story tells a run in paragraphs: what happened, what is not done, what to do.
func (s Settings) story(o Outcome) []string {
	words := []string{s.opening(o)}
	if told := sourcesWords(o.Sources); told != "" && !o.Result.quiet() {
		words = append(words, told)
	}
	for _, step := range o.Steps {
		if step.Name != "backup" && step.Result != Skipped && !step.Result.well() {
			words = append(words, sentence(stepWords(step)+"."))
		}
	}
	for _, c := range o.Copies {
		if !c.AbsentSince.IsZero() {
			words = append(words, "There is no new copy on "+c.Destination+", because it was not connected.")
		}
	}
	for _, w := range o.Warnings {
		words = append(words, w.Words)
	}
	if len(o.Doubts) > 0 {
		words = append(words, "Unusual: "+strings.Join(o.Doubts, "; ")+".")
	}
	return append(words, advice(o)...)
}

// opening says when the run was and what came of it.
func (s Settings) opening(o Outcome) string {
	began := s.moment(o.Start)
	switch o.Result {
	case Incomplete:
		return fmt.Sprintf("The backup that began on %s is saved%s, but not all of it could be read.", began, at(o.To))
	case Suspicious:
		if len(o.Doubts) == 0 {
			return fmt.Sprintf("The backup that began on %s is saved%s. An earlier one still waits for somebody's word.", began, at(o.To))
		}
		return fmt.Sprintf("The backup that began on %s is saved%s, but what was saved differs very much from the backups before.", began, at(o.To))
	case Absent:
		return fmt.Sprintf("The backup of %s was not made, because %s was not connected.", began, drive(o.To))
	case Skipped:
		return fmt.Sprintf("The backup of %s was skipped, because another one was still at work.", began)
	case Interrupted:
		return fmt.Sprintf("The backup that began on %s was interrupted. %s", began, saved(o))
	case Damaged:
		return fmt.Sprintf("The run that began on %s found damage in the backups%s.", began, at(o.To))
	}
	if o.kept() {
		return fmt.Sprintf("The backup that began on %s is saved%s.", began, at(o.To))
	}
	return fmt.Sprintf("The backup that began on %s failed. %s", began, saved(o))
}

// saved says whether anything was.
func saved(o Outcome) string {
	if o.Snapshot != "" {
		return "The data was saved before that" + at(o.To) + "."
	}
	return "Nothing was saved."
}

// at names a destination in the middle of a sentence.
func at(destination string) string {
	if destination == "" {
		return ""
	}
	return " on " + destination
}

func drive(destination string) string {
	if destination == "" {
		return "the drive"
	}
	return "the drive " + destination
}

// advice says what to do next.
func advice(o Outcome) []string {
	switch o.worst() {
	case Done:
		return []string{nothingToDo}
	case Absent:
		return []string{"Please connect " + drive(o.To) + ". The next backup is then made by itself."}
	case Skipped:
		return []string{nothingToDo}
	case Interrupted:
		return []string{earlierSafe + " If nobody ended it on purpose, please make sure that the computer stays on, and start it again:", "chartkeep run " + o.Plan}
	case Suspicious:
		if len(o.Doubts) == 0 {
			return []string{
				"Until somebody says that it is right, no older backup of this plan is removed.",
				"To see which it is: chartkeep status",
				"If it is right: chartkeep release, followed by its ID",
			}
		}
		return []string{
			"This can be right, after many files were moved or deleted. It can also mean that files are missing, or were changed by harmful software. Until somebody says that it is right, no older backup of this plan is removed.",
			"If it is right: chartkeep release " + orElse(o.Snapshot, "latest"),
			"If it is not, or nobody knows: " + lower(askProvider),
		}
	case Damaged:
		return []string{"Most of the data can usually be mended, and the next backup stores anew what it still finds. " + askProvider}
	}
	if o.kept() {
		return []string{askProvider}
	}
	return []string{earlierSafe + " " + askProvider}
}

func lower(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// sourcesWords says of each source whether it was saved: "The files letters were
// saved; the database opendental was not."
func sourcesWords(sources []Source) string {
	var whole, part, missing []Source
	for _, s := range sources {
		switch {
		case s.Result.well() || s.Result == Suspicious:
			whole = append(whole, s)
		case s.Result == Incomplete:
			part = append(part, s)
		default:
			missing = append(missing, s)
		}
	}
	if len(part)+len(missing) == 0 {
		return ""
	}
	var clauses []string
	if len(whole) > 0 {
		clauses = append(clauses, nouns(whole)+" "+verb(whole)+" saved")
	}
	if len(part) > 0 {
		clauses = append(clauses, nouns(part)+" "+verb(part)+" saved in part")
	}
	switch {
	case len(missing) == 0:
	case len(clauses) == 0:
		clauses = append(clauses, nouns(missing)+" "+verb(missing)+" not saved")
	default:
		clauses = append(clauses, nouns(missing)+" "+verb(missing)+" not")
	}
	return sentence(strings.Join(clauses, "; ") + ".")
}

func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// kinds are the kinds of sources as they are called in a practice.
var kinds = map[string]string{"files": "the files", "command": "the output of", "mysql": "the database", "postgres": "the database"}

func nouns(sources []Source) string {
	names := make([]string, len(sources))
	for i, s := range sources {
		names[i] = orElse(kinds[s.Kind], "the source") + " " + s.Name
	}
	return enumerate(names)
}

func verb(sources []Source) string {
	if len(sources) > 1 || sources[0].Kind == "files" {
		return "were"
	}
	return "was"
}

// enumerate joins names as a sentence does.
func enumerate(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// steps are the steps of a run as they are called in a practice.
var steps = map[string]string{
	"backup": "the backup", "verify": "reading back what was written", "retention": "sorting out old backups",
	"prune": "freeing space", "check": "the check of the stored data", "copy": "the copy", "drill": "the test restore",
	"before": "a command before the backup", "after": "a command after the backup", "on_failure": "the command for failures",
}

// stepWords say what became of a step that did not end well.
func stepWords(s Step) string {
	name := orElse(steps[s.Name], s.Name)
	switch {
	case s.Name == "open":
		return "the backups" + at(s.To) + " could not be opened"
	case s.To == "":
	case s.Name == "copy":
		name += " to " + s.To
	default:
		name += " on " + s.To
	}
	switch s.Result {
	case Absent:
		return name + " was not made, because it was not connected"
	case Skipped:
		return name + " was left out"
	case Damaged:
		return name + " found damage"
	case Interrupted:
		return name + " was interrupted"
	case Incomplete:
		return name + " was not finished"
	}
	return name + " failed"
}

// momentFormat is a time as people say it.
const momentFormat = "Monday 2 January 2006, 15:04"

func (s Settings) moment(t time.Time) string {
	return t.In(s.zone()).Format(momentFormat)
}

// day is a day as people say it.
func (s Settings) day(t time.Time) string { return t.In(s.zone()).Format("Monday 2 January 2006") }

// size is a number of bytes as people say it.
func size(n int64) string { return humanize.IBytes(uint64(max(0, n))) }

// span is a time span as people say it, to the second or the minute.
func span(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d.Round(time.Minute)/time.Minute)
	}
	d = d.Round(time.Minute)
	return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
}
