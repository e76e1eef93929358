package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/config"
	"chartkeep/cmd/internal/notify"
	"chartkeep/cmd/internal/schedule"
	"chartkeep/gc"
	"chartkeep/repo"
	"chartkeep/repo/storage"
	"chartkeep/snapshot"
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
	l := &look{program: p, memory: p.memory0(), calendar: gc.Calendar{Zone: time.Local}, allowed: 1, now: time.Now()}
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

// repository looks at one repository: at what each computer saved there by each
// plan, and without one.
func (l *look) repository(ctx context.Context) error {
	return l.reading(ctx, func(r *repo.Repository) error {
		all, err := l.snapshots(ctx, r, filter{})
		if err != nil {
			return err
		}
		for _, s := range all {
			if !slices.ContainsFunc(l.copies, func(g *standing) bool { return g.Plan == s.Plan && g.host == s.Host }) {
				l.copies = append(l.copies, &standing{Copy: notify.Copy{Plan: s.Plan, Size: -1, Free: -1}, host: s.Host, place: l.location})
			}
		}
		if len(l.copies) == 0 {
			l.copies = []*standing{{Copy: notify.Copy{Size: -1, Free: -1}, place: l.location}}
		}
		for _, g := range l.copies {
			g.ofSnapshots(all)
			if err := l.ofRepository(ctx, r, g); err != nil {
				return err
			}
		}
		return nil
	})
}

// ofSnapshots takes from the snapshots what they say of a copy.
func (g *standing) ofSnapshots(all []*snapshot.Snapshot) {
	for _, s := range all {
		if s.Plan != g.Plan || s.Host != g.host {
			continue
		}
		switch {
		case s.Suspicious():
			g.Suspicious++
		case s.Complete:
			g.LastGood, g.LastID = s.Time, s.ID.Short()
		}
	}
}

// ofRepository fills in what is not of the snapshots alone.
func (l *look) ofRepository(ctx context.Context, r *repo.Repository, g *standing) (err error) {
	if free, _, err := r.SpaceFree(ctx); err == nil {
		g.Free = int64(free)
	}
	if size, err := packSize(ctx, r); err == nil {
		g.Size = size
	}
	if g.Verified, err = longestUnread(ctx, r); err != nil {
		return err
	}
	if err := recordsOf(ctx, r, &g.Copy); err != nil {
		return err
	}
	return l.besides(ctx, r, g)
}

// besides counts what is held and in the bin, and finds the last check.
func (l *look) besides(ctx context.Context, r *repo.Repository, g *standing) error {
	all, err := l.snapshots(ctx, r, filter{plans: []string{g.Plan}})
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.Hold != nil && s.Host == g.host {
			g.held++
		}
	}
	bin, err := l.bin(ctx, r)
	if err != nil {
		return err
	}
	for _, d := range bin.All {
		if d.Plan == g.Plan && d.Host == g.host {
			g.binned++
		}
	}
	g.checked, err = lastCheck(ctx, r)
	return err
}

// lastCheck is the last step of any run that read back what is stored.
func lastCheck(ctx context.Context, r *repo.Repository) (last repo.Step, err error) {
	records, _, err := r.Records(ctx, 0)
	for _, rec := range records {
		for _, s := range rec.Steps {
			if s.Name == "check" {
				last = s
			}
		}
	}
	return last, err
}

// plans looks at every destination of every plan that is enabled, and opens each
// destination once.
func (l *look) plans(ctx context.Context) error {
	for _, name := range l.conf.DestinationNames() {
		l.site(ctx, l.siteOf(ctx, l.conf.Destinations[name]))
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	order := func(s *standing) int {
		return slices.IndexFunc(l.conf.Plans, func(p config.Plan) bool { return p.Name == s.Plan })
	}
	slices.SortStableFunc(l.copies, func(a, b *standing) int { return cmp.Compare(order(a), order(b)) })
	return nil
}

// site looks at a destination. That one cannot be opened is told with its copies,
// and keeps nothing from the others.
func (l *look) site(ctx context.Context, s *site) {
	err := cmp.Or(s.why, s.broken)
	if err == nil {
		err = s.program.with(ctx, storage.Shared, func(r *repo.Repository) error { return l.destination(ctx, r, s) })
	}
	switch {
	case err == nil:
	case errors.Is(err, storage.ErrAbsent), errors.Is(err, repo.ErrNoRepository):
		l.absent(s.Destination)
	default:
		l.unseen(s.Destination, err)
	}
}

// plansTo are the plans that save to a destination.
func (l *look) plansTo(d config.Destination) (plans []config.Plan) {
	for _, plan := range l.conf.Plans {
		if plan.Enabled && slices.Contains(plan.To, d.Name) {
			plans = append(plans, plan)
		}
	}
	return plans
}

// destination looks at the plans' copies in an open repository.
func (l *look) destination(ctx context.Context, r *repo.Repository, s *site) error {
	for _, plan := range l.plansTo(s.Destination) {
		c, err := s.program.copyState(ctx, r, l.conf, plan, s.Destination)
		if err != nil {
			return err
		}
		g := &standing{Copy: c, host: hostName(l.conf), place: s.program.location}
		if r.CanRead() {
			if err := l.besides(ctx, r, g); err != nil {
				return err
			}
		}
		l.add(g)
	}
	return nil
}

// absent takes what was known of a destination when it was seen last.
func (l *look) absent(d config.Destination) {
	for _, plan := range l.plansTo(d) {
		c, known := l.memory.Copies[plan.Name+"/"+d.Name]
		if !known {
			c.Size, c.Free = -1, -1
		}
		c.Plan, c.Destination, c.Days = plan.Name, d.Name, d.Days
		c.Next = schedule.Next(plan.Times, l.now, l.conf.Practice.Zone)
		if c.AbsentSince.IsZero() {
			c.AbsentSince = l.now
		}
		l.add(&standing{Copy: c, host: hostName(l.conf)})
	}
}

// unseen notes that a destination is there and could not be looked at.
func (l *look) unseen(d config.Destination, why error) {
	l.copies = slices.DeleteFunc(l.copies, func(g *standing) bool { return g.Destination == d.Name })
	l.absent(d)
	for _, g := range l.copies {
		if g.Destination == d.Name {
			g.AbsentSince = time.Time{}
			g.troubles = append(g.troubles, "it could not be looked at: "+oneLine(why))
		}
	}
}

// add completes a copy with the plan's last run: one that failed before it
// reached the repository left no record there.
func (l *look) add(g *standing) {
	if was := l.memory.Plans[g.Plan]; was != nil && was.LastRun.After(g.LastTry) && !l.servedSince(g, was.LastRun) {
		g.LastTry, g.LastResult = was.LastRun, was.Result
	}
	l.copies = append(l.copies, g)
}

// servedSince reports whether a copy has a record of the run that ended then.
func (l *look) servedSince(g *standing, end time.Time) bool {
	was := l.memory.Plans[g.Plan]
	return !g.LastTry.IsZero() && end.Sub(g.LastTry) <= was.Duration+time.Minute
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
