package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/config"
	"chartkeep/cmd/internal/notify"
	"chartkeep/gc"
	"chartkeep/repo"
)

func (p *program) statusCommand() *cli.Command {
	return &cli.Command{
		Name:  "status",
		Usage: "one look: the age of every copy and of its last proof",
		Description: `Shows for every plan at every destination of the configuration, or for the
repository given with -r: the last good snapshot and whether the next is overdue,
the last attempt, when the data was read back and last restored for proof, space
and when it will be full, what is held, forgotten or suspicious, the next run.

   chartkeep status
   chartkeep status -r /mnt/red/chartkeep
   chartkeep status --alert              # for a scheduler, every hour

A copy is overdue when more open days than the configuration allows (one, if it
says nothing) have ended without a good snapshot. --alert sends a notice for what
is overdue, and the summary when it is time for it, and prints nothing while all
is well.

Exit codes: 0 all is well, 1 something needs a person.`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "alert", Usage: "send notices, as the configuration says; print only what needs a person"},
		},
		Action: p.status,
	}
}

// A standing is how a copy stands, and what else one wants to know of it.
type standing struct {
	notify.Copy
	host     string // whose snapshots they are
	place    string // where the repository lies; empty: it is absent
	checked  repo.Step
	held     int // snapshots
	binned   int
	overdue  bool
	troubles []string // what needs a person
}

// A look is what status shows.
type look struct {
	*program
	conf     *config.Config // nil: none
	memory   *notify.Memory
	calendar gc.Calendar
	allowed  int // open days without a good snapshot
	now      time.Time
	copies   []*standing
}

func (p *program) status(c *cli.Context) error {
	if c.NArg() > 0 {
		return usage(c, "status takes no arguments")
	}
	l, err := p.look()
	if err != nil {
		return err
	}
	if c.Bool("alert") && l.conf == nil {
		return usage(c, "--alert tells whom the configuration names, and there is none")
	}
	if p.location != "" && !c.Bool("alert") {
		err = l.repository(c.Context)
	} else {
		err = l.plans(c.Context)
	}
	if err != nil {
		return err
	}
	for _, s := range l.copies {
		l.judge(s)
	}
	if c.Bool("alert") {
		return l.alert(c.Context)
	}
	l.say()
	return l.verdict()
}

// look begins with what the configuration says of days. A repository can be
// looked at without one.
func (p *program) look() (*look, error) {
	l := &look{program: p, memory: p.noticeMemory(), calendar: gc.Calendar{Zone: time.Local}, allowed: 1, now: time.Now()}
	if _, err := p.configPath(); err != nil && p.location != "" {
		return l, nil
	}
	conf, err := p.config()
	if err != nil {
		return nil, err
	}
	l.conf, l.calendar, l.allowed = conf, conf.Calendar(), conf.Notify.OverdueAfter
	return l, nil
}

// judge finds what needs a person.
func (l *look) judge(g *standing) {
	g.overdue = g.Overdue(l.calendar, l.allowed, l.now)
	trouble := func(format string, args ...any) { g.troubles = append(g.troubles, fmt.Sprintf(format, args...)) }
	switch {
	case g.LastGood.IsZero():
		trouble("there is no good snapshot yet")
	case g.overdue:
		trouble("no good snapshot since %s", l.moment(g.LastGood))
	}
	switch g.LastResult {
	case "", notify.Done, notify.Absent, notify.Skipped:
	default:
		trouble("the last attempt, %s, was %s", l.moment(g.LastTry), g.LastResult)
	}
	if g.Suspicious > 0 {
		trouble("suspicious snapshots wait for somebody's word: %d; chartkeep release SNAPSHOT says that one is right", g.Suspicious)
	}
	if l.fullSoon(g.Copy) {
		trouble("%s", fullWords(g.Copy))
	}
}

func (l *look) fullSoon(c notify.Copy) bool {
	return !c.Full.IsZero() && c.Full.Before(l.now.AddDate(0, 0, foresightDays))
}

func fullWords(c notify.Copy) string {
	return fmt.Sprintf("it will be full about %s", c.Full.Format("2 January 2006"))
}

// alert tells people of what is overdue, and how everything stands.
func (l *look) alert(ctx context.Context) error {
	to, err := l.notifier(l.conf)
	if err != nil {
		return err
	}
	state := notify.State{Practice: l.conf.Practice.Name, Host: hostName(l.conf)}
	for _, g := range l.copies {
		state.Copies = append(state.Copies, g.Copy)
		if l.fullSoon(g.Copy) {
			state.Warnings = append(state.Warnings, notify.Warning{About: "space " + g.Destination, Words: g.Destination + ": " + fullWords(g.Copy) + "."})
		}
	}
	sent := errors.Join(to.Watch(ctx, state, l.memory, l.now), to.Summary(ctx, state, l.memory, l.now))
	if err := errors.Join(sent, l.remember(l.memory)); err != nil {
		return failed("What is to be sent waits for the next time.", "notices: %w", err)
	}
	if l.count() > 0 {
		l.say()
	}
	return l.verdict()
}

func (l *look) count() (n int) {
	for _, g := range l.copies {
		n += len(g.troubles)
	}
	return n
}
