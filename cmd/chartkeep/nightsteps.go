package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"chartkeep/cmd/internal/config"
	"chartkeep/cmd/internal/ui"
	"chartkeep/gc"
	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/repo/pack"
	"chartkeep/repo/storage"
	"chartkeep/snapshot"
)

// backupSomewhere saves the snapshot at the first destination that takes it, and
// reads back what was written there.
func (n *night) backupSomewhere(ctx context.Context) (err error) {
	for _, o := range n.all {
		n.makeRoom(ctx, o)
		err = n.backupAt(ctx, o)
		if errors.Is(err, storage.ErrNoSpace) && n.saved == nil && n.pruneAt(ctx, o) == nil {
			err = n.backupAt(ctx, o)
		}
		if n.saved != nil || ctx.Err() != nil {
			return err
		}
	}
	return err
}

func (n *night) backupAt(ctx context.Context, o *opened) error {
	b := &backupRun{program: o.program, r: o.r, started: time.Now(), backupSpec: backupSpec{
		host: hostName(n.config), plan: n.plan.Name, tags: n.plan.Tags, ofRun: true,
	}}
	return o.program.locked(ctx, o.r, storage.Shared, func() error {
		err := n.step(ctx, "backup", o.Name, func() (string, error) { return n.backupInto(ctx, o, b) })
		if n.saved != nil {
			n.verify(ctx, o, b.written)
		}
		return err
	})
}

func (n *night) backupInto(ctx context.Context, o *opened, b *backupRun) (note string, err error) {
	if b.task, err = o.program.planTask(ctx, n.config, n.plan); err != nil {
		return "", err
	}
	n.filled = b.task.filled
	if b.level, err = planLevel(n.plan); err != nil {
		return "", err
	}
	s, err := b.run(ctx)
	if s == nil {
		return "", err
	}
	n.saved, n.home, n.out.To = s, o, o.Name
	o.stored = append(o.stored, s.ID)
	return fmt.Sprintf("%s, %s added", ui.Counted(s.Summary.Files, "file"), ui.Size(s.Summary.DataAddedPacked)), err
}

// planLevel is how a plan compresses; 0: as the repository does.
func planLevel(plan config.Plan) (pack.Level, error) {
	if plan.Compression == "" {
		return 0, nil
	}
	return pack.ParseLevel(plan.Compression)
}

// verify reads back what was written. The shared lock is held since before the
// backup.
func (n *night) verify(ctx context.Context, o *opened, what repo.Written) {
	if !n.plan.Verify || !o.r.CanRead() {
		return
	}
	n.step(ctx, "verify", o.Name, func() (string, error) {
		var first error
		faults := 0
		var progress repo.CheckProgress
		state := func() ui.State { return ui.State{Bytes: progress.Bytes.Load(), TotalBytes: progress.TotalBytes.Load()} }
		fault := func(f repo.Fault) {
			if faults++; first == nil {
				first = fmt.Errorf("%s: %w", f.File, f.Problem)
			}
		}
		good := func(p index.PackID) { n.verified = append(n.verified, p) }
		err := o.program.During(state, func() error {
			return o.r.VerifyWritten(ctx, what, repo.CheckOptions{Progress: &progress, Fault: fault, Verified: good})
		})
		if err == nil && faults > 0 {
			err = &failure{exitDamage, fmt.Errorf("what was written does not read back: %s; %w", ui.Counted(faults, "fault"), first), "The drive or its cable may be failing: chartkeep check"}
		}
		n.reading = progress.Bytes.Load()
		return ui.Size(n.reading) + " read back", err
	})
}

// follow does what comes after the backup: here, and at the other destinations
// that are there.
func (n *night) follow(ctx context.Context) {
	for _, o := range n.all {
		if ctx.Err() != nil {
			return
		}
		if !o.r.CanRead() {
			n.Remark("%s: its key may only add; retention, checks and copies need another", o.Name)
			continue
		}
		if n.saved != nil && o != n.home {
			n.copyTo(ctx, o)
		}
		if o == n.home {
			n.crossCheck(ctx, o)
		}
		n.retain(ctx, o)
		n.pruneWhenDue(ctx, o)
		n.checkShare(ctx, o)
	}
}

// mine are the plan's snapshots of this computer at a destination.
func (n *night) mine(ctx context.Context, o *opened) ([]*snapshot.Snapshot, error) {
	return o.program.snapshots(ctx, o.r, filter{hosts: []string{hostName(n.config)}, plans: []string{n.plan.Name}})
}

// retain forgets what the rules do not keep.
func (n *night) retain(ctx context.Context, o *opened) {
	rules := n.config.RetentionOf(n.plan, o.Destination)
	if rules.Policy.Empty() {
		return
	}
	n.step(ctx, "retention", o.Name, func() (note string, err error) {
		err = o.program.locked(ctx, o.r, storage.Shared, func() error {
			note, err = n.forgetByRule(ctx, o, rules)
			return err
		})
		return note, err
	})
}

func (n *night) forgetByRule(ctx context.Context, o *opened, rules config.Retention) (string, error) {
	all, err := n.mine(ctx, o)
	if err != nil {
		return "", err
	}
	if s := snapshot.Newest(all, (*snapshot.Snapshot).Suspicious); s != nil {
		n.doubtful = true
		return fmt.Sprintf("waits: snapshot %s looks wrong (%s). If it is right: chartkeep release %[1]s", s.ID.Short(), ui.Plain(s.Suspicion[0])), nil
	}
	byID := map[string]*snapshot.Snapshot{}
	var judged []gc.Snapshot
	for _, s := range all {
		byID[string(s.ID)] = s
		judged = append(judged, judgedOf(s))
	}
	var doomed []*snapshot.Snapshot
	for _, g := range gc.DecideGroups(judged, gc.GroupBy{Host: true, Plan: true}, rules.Policy, n.config.Calendar(), time.Now()) {
		for _, d := range g.Decisions {
			if !d.Keep {
				doomed = append(doomed, byID[d.Snapshot.ID])
			}
		}
	}
	why := "keeping " + rules.Policy.String()
	if err := o.program.discard(ctx, o.r, doomed, rules.BinDays, why); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s kept, %d forgotten", ui.Counted(len(all)-len(doomed), "snapshot"), len(doomed)), nil
}

// pruneWhenDue frees space as often as is configured.
func (n *night) pruneWhenDue(ctx context.Context, o *opened) {
	if n.doubtful || !n.pruneDue(ctx, o) {
		return
	}
	n.pruneAt(ctx, o)
}

func (n *night) pruneAt(ctx context.Context, o *opened) error {
	return n.step(ctx, "prune", o.Name, func() (string, error) {
		before, err := packSize(ctx, o.r)
		if err != nil {
			return "", err
		}
		c := n.config.Prune
		options := gc.PruneOptions{
			MaxRepack: c.MaxRepackSize, Progress: new(gc.PruneProgress),
			MaxUnused: func(used int64) int64 { return int64(float64(used) * c.MaxUnused / (100 - c.MaxUnused)) },
		}
		if err := o.program.pruneNow(ctx, o.r, options, false); err != nil {
			return "", err
		}
		after, err := packSize(ctx, o.r)
		return ui.Size(max(before-after, 0)) + " freed", err
	})
}

// pruneDue reports whether the last prune that was done is long enough ago.
func (n *night) pruneDue(ctx context.Context, o *opened) bool {
	every := n.config.Prune.Every
	if every == config.Never {
		return false
	}
	records, _, err := o.r.Records(ctx, 0)
	if err != nil {
		return true
	}
	for i := len(records) - 1; i >= 0; i-- {
		if wasPruned(&records[i]) {
			return !time.Now().Before(every.After(records[i].Time.Add(-dueMargin)))
		}
	}
	return true
}

// dueMargin lets what is due every week come due at the same hour a week later,
// although runs begin now earlier, now later.
const dueMargin = 12 * time.Hour

// wasPruned reports whether a record tells of a prune that was done.
func wasPruned(r *repo.Record) bool {
	if r.Kind == repo.RecordPrune {
		return r.Result.Good()
	}
	for _, s := range r.Steps {
		if s.Name == "prune" && s.Result.Good() {
			return true
		}
	}
	return false
}

// checkShare reads the part of the repository that was unread longest.
func (n *night) checkShare(ctx context.Context, o *opened) {
	c := n.config.Check
	share := readShare{percent: c.ReadPercent, within: c.WithinDays}
	if share == (readShare{}) {
		return
	}
	n.step(ctx, "check", o.Name, func() (string, error) {
		k := newCheckRun(o.program, share, c.TimeBudget)
		k.r = o.r
		if o == n.home {
			k.verified = n.verified
		}
		err := o.program.locked(ctx, o.r, storage.Shared, func() error { return k.run(ctx) })
		n.reading = k.progress.Bytes.Load()
		return fmt.Sprintf("%s, %s of content read", ui.Counted(k.packs, "pack"), ui.Size(n.reading)), err
	})
}
