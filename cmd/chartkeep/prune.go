package main

import (
	"context"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/ui"
	"chartkeep/gc"
	"chartkeep/repo"
	"chartkeep/repo/storage"
)

func (p *program) pruneCommand() *cli.Command {
	return &cli.Command{
		Name:  "prune",
		Usage: "free the space of what no snapshot needs",
		Description: `Deletes what no snapshot needs any more, and what runs that were cut off have
left. Packs of which little is needed are rewritten until little enough of the
repository is unused. Backups may run meanwhile; only the deleting, a matter of
seconds, waits until the repository is free. What is in the bin and can still be
taken back stays. On a full drive it uses what the repository has reserved.

   chartkeep prune
   chartkeep prune -n                       # what it would do
   chartkeep prune --max-unused 10% --max-repack-size 5G
   chartkeep prune --max-unused unlimited   # rewrites nothing: quick, frees less`,
		Flags:  append(pruneFlags(), dryRunFlag("change nothing, but say what would be deleted")),
		Action: p.prune,
	}
}

func pruneFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "max-unused", Value: "5%", Usage: "rewrite until at most `LIMIT` is unused: 5%, 2G, or unlimited"},
		&cli.StringFlag{Name: "max-repack-size", Usage: "rewrite at most `SIZE`; 0: nothing"},
	}
}

func dryRunFlag(usage string) cli.Flag {
	return &cli.BoolFlag{Name: "dry-run", Aliases: []string{"n"}, Usage: usage}
}

func pruneOptions(c *cli.Context) (o gc.PruneOptions, err error) {
	if o.MaxUnused, err = parseUnused(c.String("max-unused")); err != nil {
		return o, usage(c, "--max-unused: %w", err)
	}
	if size := c.String("max-repack-size"); size != "" {
		if o.MaxRepack, err = ui.ParseSize(size); err != nil {
			return o, usage(c, "--max-repack-size: %w", err)
		}
		if o.MaxRepack == 0 {
			o.MaxRepack = -1
		}
	}
	o.Progress = new(gc.PruneProgress)
	return o, nil
}

// parseUnused reads a share of the repository, a size, or no limit at all.
func parseUnused(s string) (func(used int64) int64, error) {
	if s == "unlimited" {
		return func(int64) int64 { return math.MaxInt64 }, nil
	}
	if share, ok := strings.CutSuffix(s, "%"); ok {
		percent, err := strconv.ParseFloat(strings.TrimSpace(share), 64)
		if err != nil || !(percent >= 0 && percent < 100) {
			return nil, errors.New("a share is at least 0% and less than 100%")
		}
		return func(used int64) int64 { return int64(float64(used) * percent / (100 - percent)) }, nil
	}
	size, err := ui.ParseSize(s)
	return func(int64) int64 { return size }, err
}

func (p *program) prune(c *cli.Context) error {
	o, err := pruneOptions(c)
	if err != nil {
		return err
	}
	if c.NArg() > 0 {
		return usage(c, "prune takes no arguments")
	}
	return p.opened(c.Context, func(r *repo.Repository) error {
		if err := ownerOnly(r); err != nil {
			return err
		}
		rec := repo.Record{Kind: repo.RecordPrune, Time: time.Now()}
		err := p.pruneNow(c.Context, r, o, c.Bool("dry-run"))
		if !c.Bool("dry-run") {
			p.enterAlone(c.Context, r, rec, err)
		}
		return err
	})
}

// pruneNow plans, says what is planned, and does it. No lock is held.
func (p *program) pruneNow(ctx context.Context, r *repo.Repository, o gc.PruneOptions, dry bool) error {
	p.Remark("finding out what the snapshots need")
	plan, err := p.planPrune(ctx, r, o)
	if err != nil {
		return pruneFailed(err)
	}
	p.sayPlan(plan)
	if dry {
		p.Object(prunedOf(plan, plan.Freed, true))
		p.Print("dry run: nothing was changed")
		return nil
	}
	defer p.boundGarbage()()
	before, err := packSize(ctx, r)
	if err != nil {
		return err
	}
	state := func() ui.State {
		return ui.State{Bytes: o.Progress.Done.Load(), TotalBytes: o.Progress.Total.Load()}
	}
	if err := p.During(state, func() error { return plan.Run(ctx, p.lockWait) }); err != nil {
		return pruneFailed(err)
	}
	p.keepReserve(ctx, r)
	after, err := packSize(ctx, r)
	if err != nil {
		return err
	}
	p.Object(prunedOf(plan, before-after, false))
	if !p.Quiet {
		p.Print("freed %s; the repository's packs take %s now", ui.Size(before-after), ui.Size(after))
	}
	return p.unpruned(plan)
}

// planPrune looks at the repository while nothing is deleted from it.
func (p *program) planPrune(ctx context.Context, r *repo.Repository, o gc.PruneOptions) (plan *gc.PrunePlan, err error) {
	err = p.locked(ctx, r, storage.Shared, func() error {
		return p.During(func() ui.State { return ui.State{} }, func() error {
			plan, err = gc.PlanPrune(ctx, r, o)
			return err
		})
	})
	return plan, err
}

// packSize is what all packs take that are stored.
func packSize(ctx context.Context, r *repo.Repository) (size int64, err error) {
	for info, err := range r.Store().List(ctx, "packs") {
		if err != nil {
			return 0, err
		}
		size += info.Size
	}
	return size, nil
}

func (p *program) sayPlan(plan *gc.PrunePlan) {
	if plan.Lost > 0 {
		p.Warn("%s left alone: something needed in them is damaged; to see what, and what mends it: chartkeep check", ui.Counted(plan.Lost, "pack"))
	}
	if p.Quiet {
		return
	}
	p.Print("needed     %s in %s", ui.Size(plan.Live), ui.Counted(plan.Packs, "pack"))
	if plan.Binned > 0 {
		p.Print("in the bin %s, which can still be taken back", ui.Counted(plan.Binned, "snapshot"))
	}
	p.Print("unused     %s, and %s after this", ui.Size(plan.Unused), ui.Size(plan.UnusedAfter))
	if plan.Delete+plan.Leftover > 0 {
		p.Print("to delete  %s that nothing needs%s", ui.Counted(plan.Delete, "pack"), leftoverWords(plan.Leftover))
	}
	if plan.Rewrite > 0 {
		p.Print("to rewrite %s, for %s in them that are needed", ui.Counted(plan.Rewrite, "pack"), ui.Size(plan.RewriteBytes))
	}
}

func leftoverWords(n int) string {
	if n == 0 {
		return ""
	}
	return ", and " + strconv.Itoa(n) + " that runs which were cut off left"
}

// pruned is the end of a prune, for programs.
type pruned struct {
	Type        string `json:"message_type"`
	DryRun      bool   `json:"dry_run,omitempty"`
	Deleted     int    `json:"packs_deleted"`
	Rewritten   int    `json:"packs_rewritten"`
	Freed       int64  `json:"bytes_freed"`
	Live        int64  `json:"bytes_live"`
	Unused      int64  `json:"bytes_unused"`
	Unreadable  int    `json:"packs_unreadable,omitempty"`
	DamagedKept int    `json:"packs_damaged,omitempty"`
	NoRoom      int    `json:"packs_without_room,omitempty"`
	Binned      int    `json:"snapshots_in_bin,omitempty"`
}

func prunedOf(plan *gc.PrunePlan, freed int64, dry bool) pruned {
	return pruned{
		"summary", dry, plan.Delete + plan.Leftover, plan.Rewrite, freed, plan.Live, plan.UnusedAfter, len(plan.Unreadable), plan.Lost, plan.NoRoom, plan.Binned,
	}
}

// unpruned says what could not be rewritten.
func (p *program) unpruned(plan *gc.PrunePlan) error {
	if plan.NoRoom > 0 {
		p.Warn("%s left as they are: there is no room to rewrite them; once there is: chartkeep prune", ui.Counted(plan.NoRoom, "pack"))
	}
	if len(plan.Unreadable) == 0 {
		return nil
	}
	for _, err := range plan.Unreadable {
		p.Warn("%s", oneLine(err))
	}
	return failed("To see what is damaged and what mends it: chartkeep check --read-data",
		"%s could not be read, and %s left as they are", ui.Counted(len(plan.Unreadable), "pack"), wasWere(len(plan.Unreadable)))
}

func wasWere(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

// pruneFailed adds to an error what to do about it.
func pruneFailed(err error) error {
	for _, m := range []struct {
		is   error
		hint string
	}{
		{gc.ErrUnlisted, "To make the index whole again: chartkeep repair index"},
		{gc.ErrUnsureBin, "To see what is damaged: chartkeep check; to give up what is in the bin: chartkeep bin empty"},
		{gc.ErrUnsure, "To see what is damaged: chartkeep check; to keep what can be kept: chartkeep repair snapshots --forget"},
		{gc.ErrOvertaken, "Run it again when the other run has ended."},
	} {
		if errors.Is(err, m.is) {
			return &failure{exitFailed, err, m.hint}
		}
	}
	return err
}
