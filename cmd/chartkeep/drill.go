package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/ui"
	"chartkeep/repo"
	"chartkeep/snapshot"
	"chartkeep/snapshot/drill"
)

func (p *program) drillCommand() *cli.Command {
	return &cli.Command{
		Name:      "drill",
		Usage:     "prove that a snapshot can be restored, by doing it",
		ArgsUsage: "[SNAPSHOT]",
		Description: `Restores a snapshot, or the latest, into a scratch place and compares it. A
database comes into a server that is started for it from this computer's own
programs, in a private folder, without a network; it is checked, read again with
the code that saved it, and compared with the snapshot piece by piece. Of files,
a random sample is restored and compared, another one each time.

   chartkeep drill
   chartkeep drill --plan nightly              # its latest snapshot
   chartkeep drill latest~1 --source opendental
   chartkeep drill --sample 500 --scratch /srv/scratch

It needs about two and a half times a database's data as space, and a server of
its kind and version: for PostgreSQL postgres and initdb, for MariaDB mariadbd.
Nothing of it remains. What was proven, by whom, and how long the restore took
is recorded in the repository; status shows the last proof.

Exit codes: 0 everything was proven, 1 something could not be proven (no server
here, too little space, a restore that failed), 13 something differs.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "plan", Usage: "the latest snapshot of the configuration's plan `NAME`"},
			&cli.StringSliceFlag{Name: "source", Usage: "only the snapshot's source `NAME`"},
			&cli.IntFlag{Name: "sample", Value: 50, Usage: "restore so `MANY` files of each source of files"},
			&cli.StringFlag{Name: "scratch", Usage: "scratch folders are made in `DIR` (default: the system's for temporary files)"},
		},
		Action: p.drill,
	}
}

// drillRun is one drill.
type drillRun struct {
	*program
	r           *repo.Repository
	s           *snapshot.Snapshot
	o           drill.Options
	host        string // as the configuration names this computer; empty: as the system does
	destination string // as the configuration names the place; empty: none
	started     time.Time
	step        atomic.Pointer[string]
	report      drill.Report
}

func (p *program) newDrill(o drill.Options) *drillRun {
	d := &drillRun{program: p, o: o, started: time.Now()}
	d.o.Now = d.started
	d.o.Log = func(text string) { d.Remark("%s", ui.Plain(text)) }
	d.o.Step = func(text string) { d.step.Store(&text) }
	return d
}

func (p *program) drill(c *cli.Context) (err error) {
	if c.NArg() > 1 {
		return usage(c, "one snapshot is drilled at a time")
	}
	if c.Int("sample") < 1 {
		return usage(c, "--sample: at least one file is wanted")
	}
	var f filter
	if name := c.String("plan"); name != "" {
		f.plans = []string{name}
		if p.location == "" {
			if p, err = p.placeOfPlan(c.Context, name); err != nil {
				return err
			}
		}
	}
	d := p.newDrill(drill.Options{Sources: c.StringSlice("source"), Sample: c.Int("sample"), Dir: c.String("scratch")})
	return p.reading(c.Context, func(r *repo.Repository) error {
		all, err := p.snapshots(c.Context, r, f)
		if err != nil {
			return err
		}
		name := c.Args().First()
		if name == "" {
			name = "latest"
		}
		s, err := snapshot.Resolve(all, name)
		if err != nil {
			return err
		}
		return d.run(c.Context, r, s)
	})
}

// placeOfPlan is the program at a plan's first destination that is there.
func (p *program) placeOfPlan(ctx context.Context, name string) (*program, error) {
	conf, err := p.config()
	if err != nil {
		return nil, err
	}
	plan, ok := conf.Plan(name)
	if !ok {
		return nil, failed("To see the plans: chartkeep config show", "%s has no plan %s", conf.Path, name)
	}
	return p.firstSite(ctx, conf, plan)
}

// run drills a snapshot, says what came of it and records it. The caller holds
// the shared lock.
func (d *drillRun) run(ctx context.Context, r *repo.Repository, s *snapshot.Snapshot) error {
	d.r, d.s = r, s
	d.Remark("drill of snapshot %s of %s", s.ID.Short(), ui.Time(s.Time))
	err := d.During(d.state, func() (err error) {
		d.report, err = drill.Run(ctx, r, s, d.o)
		return err
	})
	if errors.Is(err, drill.ErrNoSource) {
		return failed("To see what it holds: chartkeep snapshots --json, chartkeep ls "+s.ID.Short(), "%w", err)
	}
	if err == nil {
		err = d.verdict()
	}
	d.enter(ctx, r, nil, d.record(ctx, err), err)
	d.tell()
	return err
}

func (d *drillRun) state() ui.State {
	s := ui.State{}
	if step := d.step.Load(); step != nil {
		s.Current = *step
	}
	return s
}

// verdict is what the results of the sources mean together.
func (d *drillRun) verdict() error {
	of := func(want drill.Result) (names string) {
		for _, s := range d.report.Sources {
			if s.Result == want {
				names += ", " + s.Name
			}
		}
		return names[min(2, len(names)):]
	}
	switch d.report.Result() {
	case drill.Proven:
		return nil
	case drill.Differs:
		return &failure{
			exitDamage, fmt.Errorf("what came back of snapshot %s is not what was saved: %s", d.s.ID.Short(), of(drill.Differs)),
			"Look for damage with chartkeep check --read-data; drill an older snapshot; and have the next backup drilled.",
		}
	}
	return failed("Why stands above. What a drill needs: chartkeep help drill", "snapshot %s is not proven: %s", d.s.ID.Short(), of(drill.NotProven))
}
