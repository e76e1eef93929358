package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/ui"
	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/snapshot"
)

func (p *program) checkCommand() *cli.Command {
	return &cli.Command{
		Name:  "check",
		Usage: "find out whether everything can be restored",
		Description: `Checks that everything which the snapshots need is there, and both copies of
what is kept twice. With --read-data it reads the content too, and proves every
byte of it; a subset takes those packs that were read longest ago, so that a
part each night comes round to all.

   chartkeep check
   chartkeep check --read-data
   chartkeep check --read-data-subset 5%          # or 1/7, or 20G
   chartkeep check --time-budget 2h               # as much as there is time for

Damage is named with the command that mends it: exit code 13. What is beyond
repair is noted in the repository, and the next backup that still finds it at
its source stores it anew.`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "read-data", Usage: "read all content and prove it"},
			&cli.StringFlag{Name: "read-data-subset", Usage: "read `PART` of it, the longest unread first: n/m, P% or SIZE"},
			&cli.DurationFlag{Name: "time-budget", Usage: "read content, the longest unread first, for at most so `LONG`"},
		},
		Action: p.check,
	}
}

// checkRun is one run of the command.
type checkRun struct {
	*program
	r        *repo.Repository
	share    readShare
	budget   time.Duration
	started  time.Time
	progress repo.CheckProgress

	packs    int64 // in all
	log      *repo.CheckLog
	verified []index.PackID
	known    map[index.DamagedBlock]bool // recorded by earlier checks
	lost     []index.DamagedBlock        // found now
	found    []repo.Fault
	notes    []string
	missing  int                  // pieces that snapshots need and that no pack is known to hold
	needed   map[index.PackID]int // lost chunks that snapshots need, by pack
	affected []snapshot.Affected
}

func (p *program) check(c *cli.Context) error {
	if c.NArg() > 0 {
		return usage(c, "check takes no arguments")
	}
	share, err := readShareOf(c)
	if err != nil {
		return usage(c, "--read-data-subset: %w", err)
	}
	k := newCheckRun(p, share, c.Duration("time-budget"))
	return p.reading(c.Context, func(r *repo.Repository) error {
		k.r = r
		err := k.run(c.Context)
		k.enterCheck(c.Context, err)
		return err
	})
}

func newCheckRun(p *program, share readShare, budget time.Duration) *checkRun {
	return &checkRun{program: p, share: share, budget: budget, started: time.Now(), known: map[index.DamagedBlock]bool{}, needed: map[index.PackID]int{}}
}

func (k *checkRun) run(ctx context.Context) error {
	packs, err := k.choose(ctx)
	if err != nil {
		return err
	}
	k.announce(packs)
	err = k.During(k.state, func() error { return k.look(ctx, packs) })
	if err != nil {
		return errors.Join(err, k.record(ctx))
	}
	if err := k.record(ctx); err != nil {
		k.Warn("%s; the check itself is complete", oneLine(err))
	}
	return k.report(len(packs) > 0)
}

// choose decides which packs are read whole, and in which order.
func (k *checkRun) choose(ctx context.Context) ([]index.PackInfo, error) {
	ix, err := k.r.Index(ctx)
	if err != nil {
		return nil, err
	}
	if k.log, err = k.r.CheckLog(ctx); err != nil {
		return nil, err
	}
	var all []index.PackInfo
	for info, err := range ix.Packs() {
		if err != nil {
			return nil, err
		}
		all = append(all, info)
	}
	k.packs = int64(len(all))
	return k.share.of(all, k.log), nil
}

func (k *checkRun) announce(packs []index.PackInfo) {
	size := int64(0)
	for _, info := range packs {
		size += int64(info.Size)
	}
	k.progress.TotalPacks.Store(int64(len(packs)))
	k.progress.TotalBytes.Store(size)
	what := "its structure"
	if len(packs) > 0 {
		what = fmt.Sprintf("its structure, and %s of content, %s", ui.Counted(len(packs), "pack"), ui.Size(size))
	}
	k.Remark("checking %s: %s", k.location, what)
}

func (k *checkRun) state() ui.State {
	return ui.State{Bytes: k.progress.Bytes.Load(), TotalBytes: k.progress.TotalBytes.Load()}
}

// look finds out all there is to say.
func (k *checkRun) look(ctx context.Context, packs []index.PackInfo) error {
	if err := k.learn(ctx); err != nil {
		return err
	}
	o := repo.CheckOptions{Fault: k.fault, Progress: &k.progress, Verified: func(p index.PackID) { k.verified = append(k.verified, p) }}
	for _, info := range packs {
		o.ReadData = append(o.ReadData, info.ID)
	}
	if k.budget > 0 {
		o.More = func() bool { return time.Since(k.started) < k.budget }
	}
	if err := k.r.Check(ctx, o); err != nil {
		return err
	}
	if err := k.settle(ctx); err != nil {
		return err
	}
	if err := k.followLog(ctx); err != nil {
		return err
	}
	return k.follow(ctx)
}

// learn reads what earlier checks found beyond repair.
func (k *checkRun) learn(ctx context.Context) error {
	blocks, err := k.r.DamagedBlocks(ctx)
	for _, b := range blocks {
		k.known[b] = true
	}
	return err
}

// settle has what was found now count, instead of what earlier checks found: a pack
// that was away may be back.
func (k *checkRun) settle(ctx context.Context) error {
	whole := map[index.PackID]bool{}
	for _, p := range k.verified {
		whole[p] = true
	}
	maps.DeleteFunc(k.known, func(b index.DamagedBlock, _ bool) bool { return whole[b.Pack] })
	return k.r.Assume(ctx, k.lost, k.verified)
}

// fault takes a finding, unless it is no more than what a run that was cut off
// leaves behind.
func (k *checkRun) fault(f repo.Fault) {
	if f.CutOff {
		k.notes = append(k.notes, f.File+" is missing, and its other copy is whole: a run was cut off here, or goes on, and can have left that; to write it again: "+repairIndex)
		return
	}
	folder, _, _ := strings.Cut(strings.TrimPrefix(f.File, "copies/"), "/")
	if folder == string(repo.Snapshots) && !f.Mendable {
		f.Repair = repairSnapshots + " --forget"
	}
	if folder == string(repo.Bin) && !f.Mendable {
		f.Repair = emptyBin + " " + path.Base(f.File)[:8]
	}
	k.found = append(k.found, f)
	k.lost = append(k.lost, f.Lost...)
}
