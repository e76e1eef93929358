package main

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/ui"
	"chartkeep/repo"
	"chartkeep/repo/storage"
	"chartkeep/snapshot"
	"chartkeep/snapshot/transfer"
)

func (p *program) copyCommand() *cli.Command {
	return &cli.Command{
		Name:      "copy",
		Usage:     "copy snapshots to another repository",
		ArgsUsage: "[SNAPSHOT...]",
		Description: `Copies snapshots that the other repository does not have, all of them or those
that are named. Each side has its own passwords, and its own rules for what it
keeps. What is copied is verified on the way; what was copied before a copying
was cut off is used by the next one.

   chartkeep copy --to /mnt/blue/chartkeep
   chartkeep copy --to /mnt/blue/chartkeep latest --to-password-file blue.txt
   chartkeep copy --to /mnt/blue/chartkeep --plan nightly --newer   # every night

Data goes as it is, without being unpacked, when the other repository was made
with init --like. Between any other two it is read and packed anew.

A snapshot of which something is damaged is not copied; the others are.`,
		Flags: append(filterFlags(),
			toSide.locationFlag("the other repository: a folder `PATH`"), toSide.passwordFlag(),
			&cli.BoolFlag{Name: "newer", Usage: "only what is newer than the newest that is there, of the same host and plan; what was forgotten there does not come back"},
			&cli.IntFlag{Name: "latest", Usage: "only the last `N` of those that are chosen"},
			dryRunFlag("copy nothing, but say what would be copied"),
		),
		Action: p.copy,
	}
}

// copying is one run of copy.
type copying struct {
	*program // of the source
	to       *program
	dry      bool
	newer    bool
	progress snapshot.Progress
	started  time.Time
}

func (p *program) copy(c *cli.Context) error {
	if !c.IsSet(toSide.flag("")) {
		return usage(c, "--to is wanted: the repository to copy to")
	}
	if c.Int("latest") < 0 || c.Int("latest") == 0 && c.IsSet("latest") {
		return usage(c, "--latest: a number from 1 on")
	}
	x := &copying{program: p, to: p.other(c, toSide), dry: c.Bool("dry-run"), newer: c.Bool("newer"), started: time.Now()}
	return p.reading(c.Context, func(from *repo.Repository) error {
		chosen, err := x.choose(c, from)
		if err != nil {
			return err
		}
		var failed error
		err = x.to.with(c.Context, storage.Shared, func(to *repo.Repository) (err error) {
			failed, err = x.run(c.Context, from, to, chosen)
			return err
		})
		if err != nil {
			return copyFailed(x, err)
		}
		return failed
	})
}

// choose are the snapshots that arguments and filters name.
func (x *copying) choose(c *cli.Context, from *repo.Repository) ([]*snapshot.Snapshot, error) {
	all, err := x.snapshots(c.Context, from, filterOf(c))
	if err != nil {
		return nil, err
	}
	if all, err = chosen(all, c.Args().Slice()); err != nil {
		return nil, err
	}
	if n := c.Int("latest"); n > 0 && n < len(all) {
		all = all[len(all)-n:]
	}
	return all, nil
}

// run plans, says what is planned, and does it. What was not copied because it
// is damaged is failed; err ended the run.
func (x *copying) run(ctx context.Context, from, to *repo.Repository, chosen []*snapshot.Snapshot) (failed, err error) {
	x.Remark("finding out what %s does not have", x.to.location)
	o := transfer.Options{Newer: x.newer, Progress: &x.progress, Warn: func(err error) { x.Warn("%s", oneLine(err)) }, Copied: x.copied}
	var plan *transfer.Plan
	err = x.During(func() ui.State { return ui.State{} }, func() error {
		plan, err = transfer.New(ctx, from, to, chosen, o)
		return err
	})
	if err != nil {
		return nil, err
	}
	if !plan.Companions && len(plan.Missing) > 0 {
		x.Remark("%s was not made with init --like, so what is copied is unpacked and packed anew", x.to.location)
	}
	if x.dry {
		x.planned(plan)
		return nil, nil
	}
	var result *transfer.Result
	err = x.During(x.state, func() error {
		result, err = plan.Run(ctx)
		return err
	})
	if err == nil {
		x.report(result)
		failed = x.unread(result)
	}
	x.enterCopy(ctx, from, to, result, cmp.Or(err, failed))
	return failed, err
}

// enterCopy records in the target's log what was copied to it; nothing is no
// record.
func (x *copying) enterCopy(ctx context.Context, from, to *repo.Repository, r *transfer.Result, err error) {
	if err == nil && len(r.Copied)+int(r.Chunks) == 0 {
		return
	}
	rec := repo.Record{Time: x.started, Kind: repo.RecordCopy, Result: resultOf(ctx, err), Added: r.Bytes, AddedPacked: r.Packed}
	for _, p := range r.Copied {
		rec.Snapshots = append(rec.Snapshots, p.To.ID)
	}
	words := "from the repository " + from.Config().ID.String()
	rec.Steps = []repo.Step{{Name: "copy", Result: rec.Result, Start: x.started, Duration: time.Since(x.started), Bytes: r.Bytes, Words: words}}
	x.to.enter(ctx, to, nil, rec, err)
}

func (x *copying) state() ui.State {
	return ui.State{Bytes: x.progress.Bytes.Load(), TotalBytes: x.progress.TotalBytes.Load()}
}

// copyFailed adds to an error what to do about it. A target that is not there is
// an absent destination.
func copyFailed(x *copying, err error) error {
	for _, m := range []struct {
		is   error
		code int
		hint string
	}{
		{storage.ErrAbsent, exitAbsent, "Connect the drive, or check the path, and run it again; what was copied already is used."},
		{repo.ErrNoRepository, exitNoRepository, "To make a repository there for copies: chartkeep -r TARGET init --like SOURCE"},
		{repo.ErrPassword, exitPassword, "Which password opens it? --to-password-file, CHARTKEEP_TO_PASSWORD and CHARTKEEP_TO_PASSWORD_COMMAND are for the target."},
		{transfer.ErrSame, exitFailed, "Name another repository with --to."},
		{transfer.ErrTargetKey, exitFailed, "Use the password of an owner key of the target: chartkeep -r TARGET key list"},
		{storage.ErrNoSpace, exitFailed, "Free space on it, or remove old snapshots there: chartkeep forget, then chartkeep prune. What was copied already is used by the next copy."},
	} {
		if errors.Is(err, m.is) {
			return &failure{m.code, err, m.hint}
		}
	}
	return err
}
