package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/ui"
	"chartkeep/gc"
	"chartkeep/repo"
	"chartkeep/repo/storage"
	"chartkeep/snapshot"
)

func (p *program) forgetCommand() *cli.Command {
	return &cli.Command{
		Name:      "forget",
		Usage:     "remove snapshots, by name or by rule",
		ArgsUsage: "[SNAPSHOT...]",
		Description: `Removes snapshots: those that are named, or those that no --keep rule keeps.
Each rule keeps the newest of its periods that have a snapshot, and a snapshot
stays when any rule keeps it. Snapshots are judged in groups, those of one host,
plan and set of paths together, and each group keeps at least one. What is on
hold stays. Until a prune frees the space, and before that for --bin-days, what
was removed can be taken back: chartkeep bin.

   chartkeep forget --keep-daily 7 --keep-weekly 5 --keep-monthly 12 -n
   chartkeep forget --keep-business-days 10 --keep-monthly 12 --keep-fiscal-yearly 7 --fiscal-year-start 07-01
   chartkeep forget --keep-within 1y6m --prune
   chartkeep forget 3f9c0a11`,
		Flags: append(append(append(filterFlags(), keepFlags()...), pruneFlags()...),
			&cli.StringFlag{Name: "group-by", Value: "host,plan,paths", Usage: "judge those together that have the same `WORDS` host, plan, paths, tags"},
			dryRunFlag("remove nothing, but say what would be removed"),
			&cli.BoolFlag{Name: "prune", Usage: "then free the space"},
			&cli.StringFlag{Name: "bin-days", Usage: "what is removed can be taken back for `N` days (default: as configured, or until the next prune)"},
		),
		Action: p.forget,
	}
}

// forgetRun is one run of the command.
type forgetRun struct {
	*program
	c      *cli.Context
	r      *repo.Repository
	policy gc.Policy
	by     gc.GroupBy
	prune  gc.PruneOptions
	days   int // in the bin
	dry    bool
	gone   map[repo.DocumentID]bool
}

func (p *program) forget(c *cli.Context) error {
	f := &forgetRun{program: p, c: c, dry: c.Bool("dry-run"), gone: map[repo.DocumentID]bool{}}
	var err error
	if f.policy, err = keepPolicy(c); err != nil {
		return err
	}
	if f.by, err = gc.ParseGroupBy(c.String("group-by")); err != nil {
		return usage(c, "--group-by: %w", err)
	}
	if f.prune, err = pruneOptions(c); err != nil {
		return err
	}
	if f.days, err = p.binDaysOf(c); err != nil {
		return err
	}
	switch named := c.NArg() > 0; {
	case named && !f.policy.Empty():
		return usage(c, "snapshots are removed by name or by rule, not both at once")
	case !named && f.policy.Empty():
		return usage(c, "no rule is given, and no snapshot is named; nothing is removed")
	}
	return p.opened(c.Context, func(r *repo.Repository) error {
		f.r = r
		rec := repo.Record{Kind: repo.RecordForget, Time: time.Now()}
		err := f.run(c.Context, &rec)
		if !f.dry && len(rec.Snapshots)+len(rec.Steps) > 0 {
			p.enterAlone(c.Context, r, rec, err)
		}
		return err
	})
}

// binDaysOf reads --bin-days.
func (p *program) binDaysOf(c *cli.Context) (days int, err error) {
	text := c.String("bin-days")
	if text == "" {
		return p.configuredBinDays(), nil
	}
	days, err = strconv.Atoi(text)
	if err != nil || days < 0 || days > mostBinDays {
		return 0, usage(c, "--bin-days %s: a number of days is wanted", text)
	}
	return days, nil
}

// configuredBinDays is what the configuration says, if there is one. A mistake
// in it is told by whoever needs it.
func (p *program) configuredBinDays() int {
	conf, err := p.config()
	if err != nil {
		return 0
	}
	return conf.Retention.BinDays
}

const mostBinDays = 36500

// run removes snapshots under the shared lock, and then frees the space with
// locks of its own.
func (f *forgetRun) run(ctx context.Context, rec *repo.Record) error {
	if err := ownerOnly(f.r); err != nil {
		return err
	}
	err := f.locked(ctx, f.r, storage.Shared, func() error { return f.forgetSome(ctx) })
	rec.Snapshots = slices.Sorted(maps.Keys(f.gone))
	if err != nil || !f.c.Bool("prune") {
		return err
	}
	if f.dry && f.days == 0 {
		f.prune.Without = f.gone
	}
	began := time.Now()
	err = f.pruneNow(ctx, f.r, f.prune, f.dry)
	rec.Steps = append(rec.Steps, repo.Step{Name: "prune", Result: resultOf(ctx, err), Start: began, Duration: time.Since(began)})
	return err
}

func (f *forgetRun) forgetSome(ctx context.Context) error {
	all, err := f.snapshots(ctx, f.r, filterOf(f.c))
	if err != nil {
		return err
	}
	var doomed []*snapshot.Snapshot
	if f.c.NArg() > 0 {
		doomed, err = f.byName(all)
	} else {
		doomed = f.byRule(all)
	}
	if err != nil {
		return err
	}
	return f.remove(ctx, doomed)
}

// byName chooses the snapshots that are named.
func (f *forgetRun) byName(all []*snapshot.Snapshot) ([]*snapshot.Snapshot, error) {
	doomed, err := chosen(all, f.c.Args().Slice())
	if err != nil {
		return nil, err
	}
	for _, s := range doomed {
		if s.Hold != nil {
			return nil, failed("To end the hold: chartkeep release "+s.ID.Short(), "snapshot %s is on hold%s; nothing was removed", s.ID.Short(), holdReason(s))
		}
	}
	for _, s := range doomed {
		f.Print("%s of %s, %s", s.ID.Short(), ui.Time(s.Time), s.Host)
	}
	f.Object(groupOf(gc.Group{}, nil, doomed))
	return doomed, nil
}

func holdReason(s *snapshot.Snapshot) string {
	if s.Hold.Reason == "" {
		return ""
	}
	return fmt.Sprintf(" (%s)", ui.Plain(s.Hold.Reason))
}

// byRule judges every group, and says why each snapshot stays or goes.
func (f *forgetRun) byRule(all []*snapshot.Snapshot) (doomed []*snapshot.Snapshot) {
	byID := map[string]*snapshot.Snapshot{}
	judged := make([]gc.Snapshot, len(all))
	for i, s := range all {
		byID[string(s.ID)] = s
		judged[i] = judgedOf(s)
	}
	if !f.Quiet {
		f.Print("keeping %s", f.policy)
	}
	for _, g := range gc.DecideGroups(judged, f.by, f.policy, calendar(), time.Now()) {
		var keep, remove []*snapshot.Snapshot
		for _, d := range g.Decisions {
			if s := byID[d.Snapshot.ID]; d.Keep {
				keep = append(keep, s)
			} else {
				remove = append(remove, s)
			}
		}
		f.Object(groupOf(g, keep, remove))
		f.sayGroup(g, byID)
		doomed = append(doomed, remove...)
	}
	return doomed
}

// calendar is how the practice counts its days, as far as this machine knows.
func calendar() gc.Calendar { return gc.Calendar{Zone: time.Local} }

func judgedOf(s *snapshot.Snapshot) gc.Snapshot {
	return gc.Snapshot{
		ID: string(s.ID), Time: s.Time, Host: s.Host, Plan: s.Plan, Paths: s.Paths, Tags: s.Tags,
		Complete: s.Complete, Held: s.Hold != nil, Suspicious: s.Suspicious(), Dated: s.Dated, Sequence: s.Sequence,
	}
}

// remove moves snapshots into the bin.
func (f *forgetRun) remove(ctx context.Context, doomed []*snapshot.Snapshot) error {
	for _, s := range doomed {
		f.gone[s.ID] = true
	}
	if !f.dry {
		why := ""
		if f.c.NArg() == 0 {
			why = "keeping " + f.policy.String()
		}
		if err := f.discard(ctx, f.r, doomed, f.days, why); err != nil {
			return err
		}
	}
	f.sayRemoved(len(doomed))
	return nil
}

func (f *forgetRun) sayRemoved(n int) {
	snapshots := ui.Counted(n, "snapshot")
	switch {
	case f.Quiet:
	case f.dry:
		f.Print("dry run: %s would be removed", snapshots)
	case n > 0 && f.days > 0:
		f.Print("%s removed; to take back what was, within %s: chartkeep bin restore", snapshots, ui.Counted(f.days, "day"))
	case n > 0 && !f.c.Bool("prune"):
		f.Print("%s removed; to free the space: chartkeep prune; to take back what was, until then: chartkeep bin restore", snapshots)
	default:
		f.Print("%s removed", snapshots)
	}
}
