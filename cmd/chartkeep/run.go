package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/config"
	"chartkeep/cmd/internal/notify"
	"chartkeep/cmd/internal/runlog"
	"chartkeep/cmd/internal/schedule"
	"chartkeep/cmd/internal/ui"
)

func (p *program) runCommand() *cli.Command {
	return &cli.Command{
		Name:      "run",
		Usage:     "run plans: back up, verify, forget, prune, check, copy, tell",
		ArgsUsage: "[PLAN...]",
		Description: `Runs the plans that are named, or all that are enabled, one after the other, as
the configuration says: the hooks before, the backup of all sources into one
snapshot at the first destination that is there, the hooks after, reading back
what was written, retention, prune when it is due, a check of the part that was
unread longest, copies to the other destinations, and notices.

   chartkeep run nightly
   chartkeep run --due               # those whose time has passed without a run
   chartkeep run nightly --wait 2h

Each step's failure stands for itself: a copy that failed is not a failed backup.
A drive that is absent is no failure while another destination is there. There
is one run at a time on a computer, and one on a repository: another waits.

Exit codes: 0 done, 1 a step failed, 3 saved but not complete, 4 no destination
was there, 11 skipped because of another run, 13 damage found.`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "due", Usage: "only plans that were to run since they last did"},
			&cli.DurationFlag{Name: "wait", Value: 4 * time.Hour, Usage: "wait so `LONG` for another run to end; 0: be skipped at once"},
		},
		Action: p.runPlans,
	}
}

func (p *program) runPlans(c *cli.Context) error {
	conf, err := p.config()
	if err != nil {
		return err
	}
	plans, err := p.plansOf(c, conf)
	if err != nil {
		return err
	}
	var worst error
	for _, plan := range plans {
		err := p.runPlan(c.Context, conf, plan, c.Duration("wait"))
		if c.Context.Err() != nil {
			return context.Cause(c.Context)
		}
		if err == nil {
			continue
		}
		if worst != nil && graverCode(c.Context, worst, err) {
			err, worst = worst, err
		}
		if worst == nil {
			worst = err
		} else if still := (*quiet)(nil); !p.Quiet || !errors.As(err, &still) {
			p.Complain("chartkeep: %s", oneLine(err))
		}
	}
	return worst
}

// graverCode reports whether b's exit code says worse than a's.
func graverCode(ctx context.Context, a, b error) bool {
	return severity(explain(ctx, b).code) > severity(explain(ctx, a).code)
}

// plansOf are the plans that are to run.
func (p *program) plansOf(c *cli.Context, conf *config.Config) (plans []config.Plan, err error) {
	for _, name := range c.Args().Slice() {
		plan, ok := conf.Plan(name)
		if !ok {
			return nil, failed("To see the plans: chartkeep config show", "%s has no plan %s", conf.Path, name)
		}
		plans = append(plans, plan)
	}
	if c.NArg() == 0 {
		for _, plan := range conf.Plans {
			if plan.Enabled {
				plans = append(plans, plan)
			}
		}
		if len(plans) == 0 {
			return nil, failed("Write [plan.nightly] with its sources and destinations.", "%s has no plan that is enabled", conf.Path)
		}
	}
	if c.Bool("due") {
		plans = due(conf, plans, p.noticeMemory(), time.Now())
	}
	return plans, nil
}

// punctual is how late a plan may start that does not catch up.
const punctual = 20 * time.Minute

// due are the plans whose time has come since they last ran. One that never ran
// is due when a time of the last day was missed.
func due(conf *config.Config, plans []config.Plan, m *notify.Memory, now time.Time) (chosen []config.Plan) {
	for _, plan := range plans {
		last := now.AddDate(0, 0, -1)
		if was := m.Plans[plan.Name]; was != nil && !ran(was).IsZero() {
			last = ran(was)
		}
		if recent := now.Add(-punctual); !plan.CatchUp && recent.After(last) {
			last = recent
		}
		if _, missed := schedule.Missed(plan.Times, last, now, conf.Practice.Zone); missed {
			chosen = append(chosen, plan)
		}
	}
	return chosen
}

// ran is when a plan was last at work. A run that was skipped, or that found no
// drive, is made up for when that is over.
func ran(m *notify.PlanMemory) time.Time {
	if m.Result == notify.Skipped || m.Result == notify.Absent {
		return m.LastSuccess
	}
	return m.LastRun
}

// runPlan runs one plan, alone on this computer.
func (p *program) runPlan(ctx context.Context, conf *config.Config, plan config.Plan, wait time.Duration) error {
	n := &night{program: p, config: conf, plan: plan}
	n.out.Run = notify.Run{Practice: conf.Practice.Name, Host: hostName(conf), Plan: plan.Name, ID: newRunID(), Start: time.Now()}
	lock, err := p.lockHost(ctx, plan.Name, wait)
	var busy *runlog.BusyError
	switch {
	case errors.As(err, &busy):
		n.skip(ctx, busy)
		return &quiet{failure{exitLocked, fmt.Errorf("plan %s was skipped: %w", plan.Name, err), "It runs the next time. To wait longer: chartkeep run --wait 8h"}}
	case err != nil:
		return err
	}
	defer lock.Close()
	return n.run(ctx)
}

// lockHost waits for a run of another plan; a second run of the same plan would
// do nothing new.
func (p *program) lockHost(ctx context.Context, plan string, wait time.Duration) (lock closer, err error) {
	lock, err = runlog.LockHost(ctx, stateDir(), plan, 0)
	var busy *runlog.BusyError
	if !errors.As(err, &busy) || busy.Holder.Plan == plan || wait == 0 {
		return lock, err
	}
	p.Remark("waiting up to %s for the %s to end", ui.Duration(wait), busy.Holder)
	return runlog.LockHost(ctx, stateDir(), plan, wait)
}

type closer interface{ Close() error }

// hostName is what this computer is called in snapshots and notices.
func hostName(conf *config.Config) string {
	if conf.Notify.Hostname != "" {
		return conf.Notify.Hostname
	}
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
}
