package main

import (
	"fmt"
	"strings"
	"time"

	"chartkeep/cmd/internal/notify"
	"chartkeep/cmd/internal/ui"
)

// statusObject is how a copy stands, for programs. Times that never were are
// null, sizes that are not known too.
type statusObject struct {
	Type        string        `json:"message_type"`
	Plan        string        `json:"plan"`
	Host        string        `json:"hostname"`
	Destination string        `json:"destination,omitempty"`
	Repository  string        `json:"repository,omitempty"`
	LastGood    *time.Time    `json:"last_good"`
	LastGoodID  string        `json:"last_good_id"`
	Overdue     bool          `json:"overdue"`
	LastAttempt *time.Time    `json:"last_attempt"`
	LastResult  notify.Result `json:"last_result"`
	Verified    *time.Time    `json:"oldest_verified"`
	LastCheck   *time.Time    `json:"last_check"`
	LastDrill   *time.Time    `json:"last_drill"`
	Size        *int64        `json:"bytes_stored"`
	Free        *int64        `json:"bytes_free"`
	Full        *time.Time    `json:"full"`
	AbsentSince *time.Time    `json:"absent_since"`
	Held        int           `json:"held"`
	Binned      int           `json:"in_bin"`
	Suspicious  int           `json:"suspicious"`
	Next        *time.Time    `json:"next_run"`
	Troubles    []string      `json:"needs"`
}

// statusSummary ends the report for programs.
type statusSummary struct {
	Type   string `json:"message_type"`
	Copies int    `json:"copies"`
	Needs  int    `json:"needs"`
	Unsent int    `json:"notices_unsent"`
}

func objectOfStanding(g *standing) statusObject {
	return statusObject{
		Type: "status", Plan: g.Plan, Host: g.host, Destination: g.Destination, Repository: g.place,
		LastGood: moment(g.LastGood), LastGoodID: g.LastID, Overdue: g.overdue, LastAttempt: moment(g.LastTry), LastResult: g.LastResult,
		Verified: moment(g.Verified), LastCheck: moment(g.checked.Start), LastDrill: moment(g.Drilled),
		Size: known(g.Size), Free: known(g.Free), Full: moment(g.Full), AbsentSince: moment(g.AbsentSince),
		Held: g.held, Binned: g.binned, Suspicious: g.Suspicious, Next: moment(g.Next), Troubles: list(g.troubles),
	}
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func known(n int64) *int64 {
	if n < 0 {
		return nil
	}
	return &n
}

// say prints everything.
func (l *look) say() {
	for i, g := range l.copies {
		if i > 0 {
			l.Print("")
		}
		l.sayCopy(g)
		l.Object(objectOfStanding(g))
	}
	l.Object(statusSummary{"summary", len(l.copies), l.count(), len(l.memory.Unsent)})
}

// sayCopy prints one copy.
func (l *look) sayCopy(g *standing) {
	l.Print("%s", ui.Plain(g.title()))
	line := func(label, format string, args ...any) {
		l.Print("  %-16s %s", label, ui.Plain(fmt.Sprintf(format, args...)))
	}
	line("last good", "%s", l.goodWords(g))
	if g.LastResult != "" {
		line("last attempt", "%s, %s", l.ago(g.LastTry), g.LastResult)
	}
	line("all read back", "%s", l.ago(g.Verified))
	if !g.checked.Start.IsZero() {
		line("last check", "%s", strings.TrimSuffix(l.ago(g.checked.Start)+", "+g.checked.Words, ", "))
	}
	line("test restore", "%s", l.ago(g.Drilled))
	if g.Size >= 0 {
		line("space", "%s", spaceWords(g.Copy))
	}
	if !g.AbsentSince.IsZero() {
		line("not connected", "since %s", l.moment(g.AbsentSince))
	}
	if counts := g.counts(); counts != "" {
		line("snapshots", "%s", counts)
	}
	if !g.Next.IsZero() {
		line("next run", "%s", l.moment(g.Next))
	}
	for _, t := range g.troubles {
		line("NEEDS SOMEBODY", "%s", t)
	}
}

// title names a copy.
func (g *standing) title() string {
	name := g.Plan
	switch {
	case g.host == "":
		return g.place
	case name == "":
		name = "backups without a plan"
	}
	where := g.Destination
	if where == "" {
		where = "of " + g.host
	} else {
		where = "on " + where
	}
	if g.place != "" {
		where += " (" + g.place + ")"
	}
	return name + " " + where
}

func (l *look) goodWords(g *standing) string {
	switch {
	case g.LastGood.IsZero() && g.place == "":
		return "not known on this computer"
	case g.LastGood.IsZero():
		return "never"
	}
	words := l.ago(g.LastGood) + ", " + g.LastID
	if g.overdue {
		words += ", overdue"
	}
	return words
}

func spaceWords(c notify.Copy) string {
	words := ui.Size(c.Size) + " used"
	if c.Free >= 0 {
		words += ", " + ui.Size(c.Free) + " free"
	}
	if !c.Full.IsZero() {
		words += ", full about " + c.Full.Format("2 January 2006")
	}
	return words
}

// counts are the snapshots that are not like the others.
func (g *standing) counts() string {
	var counts []string
	for _, c := range []struct {
		n    int
		what string
	}{{g.held, "held"}, {g.binned, "in the bin"}, {g.Suspicious, "suspicious"}} {
		if c.n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	return strings.Join(counts, ", ")
}

// moment is a time in the practice's zone.
func (l *look) moment(t time.Time) string {
	zone := l.calendar.Zone
	if zone == nil {
		zone = time.UTC
	}
	return t.In(zone).Format("Mon 2006-01-02 15:04")
}

// ago is a time and how long ago that is.
func (l *look) ago(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	span := l.now.Sub(t)
	words := fmt.Sprintf("%d days ago", span/(24*time.Hour))
	switch {
	case span < 0:
		words = "in the future"
	case span < time.Hour:
		words = ui.Counted(int(span/time.Minute), "minute") + " ago"
	case span < 48*time.Hour:
		words = ui.Counted(int(span/time.Hour), "hour") + " ago"
	}
	return l.moment(t) + " (" + words + ")"
}

// verdict is the exit code: whether somebody has to do something.
func (l *look) verdict() error {
	n := l.count()
	if n == 0 {
		return nil
	}
	var first string
	for _, g := range l.copies {
		if len(g.troubles) > 0 {
			first = g.title() + ": " + g.troubles[0]
			break
		}
	}
	if n > 1 {
		first += fmt.Sprintf("; and %d more", n-1)
	}
	return failed("", "%s", first)
}
