package main

import (
	"context"
	"time"

	"chartkeep/cmd/internal/config"
	"chartkeep/cmd/internal/forecast"
	"chartkeep/cmd/internal/notify"
	"chartkeep/cmd/internal/schedule"
	"chartkeep/repo"
)

// copyState is how a plan's copy at a destination stands: how old it is, how
// well proven, and how much room is left. What cannot be found out is left as
// not known.
func (p *program) copyState(ctx context.Context, r *repo.Repository, conf *config.Config, plan config.Plan, d config.Destination) (notify.Copy, error) {
	c := notify.Copy{Plan: plan.Name, Destination: d.Name, Days: d.Days, Size: -1, Free: -1}
	if plan.Enabled {
		c.Next = schedule.Next(plan.Times, time.Now(), conf.Practice.Zone)
	}
	if free, _, err := r.SpaceFree(ctx); err == nil {
		c.Free = int64(free)
	}
	if size, err := packSize(ctx, r); err == nil {
		c.Size = size
	}
	if !r.CanRead() {
		return c, nil
	}
	all, err := p.snapshots(ctx, r, filter{hosts: []string{hostName(conf)}, plans: []string{plan.Name}})
	if err != nil {
		return c, err
	}
	for _, s := range all {
		switch {
		case s.Suspicious():
			c.Suspicious++
		case s.Complete:
			c.LastGood, c.LastID = s.Time, s.ID.Short()
		}
	}
	if c.Verified, err = longestUnread(ctx, r); err != nil {
		return c, err
	}
	return c, recordsOf(ctx, r, hostName(conf), &c)
}

// recordsOf takes from the repository's log what it says of a computer's copy.
// The drill may have been on another one.
func recordsOf(ctx context.Context, r *repo.Repository, host string, c *notify.Copy) error {
	records, _, err := r.Records(ctx, 0)
	if err != nil {
		return err
	}
	for _, rec := range records {
		if rec.Plan != c.Plan {
			continue
		}
		switch rec.Kind {
		case repo.RecordRun, repo.RecordBackup:
			if rec.Host == host {
				c.LastTry, c.LastResult = rec.Time, notify.Result(rec.Result)
			}
		case repo.RecordDrill:
			if rec.Result == repo.ResultDone {
				c.Drilled = rec.Time
			}
		}
	}
	c.Full = forecast.TrendOf(forecast.Points(records, c.Destination)).Full
	return nil
}

// longestUnread is when that part of a repository was read whole which was read
// longest ago; zero when a part never was.
func longestUnread(ctx context.Context, r *repo.Repository) (oldest time.Time, err error) {
	ix, err := r.Index(ctx)
	if err != nil {
		return oldest, err
	}
	log, err := r.CheckLog(ctx)
	if err != nil {
		return oldest, err
	}
	first := true
	for info, err := range ix.Packs() {
		if err != nil {
			return oldest, err
		}
		if at := log.Verified(info.ID); first || at.Before(oldest) {
			oldest, first = at, false
		}
	}
	return oldest, nil
}

// states are the copies that a run has been at.
func (n *night) states(ctx context.Context) (all []notify.Copy) {
	for _, o := range n.all {
		c, err := o.program.copyState(ctx, o.r, n.config, n.plan, o.Destination)
		if err != nil {
			n.Warn("%s: %s", o.Name, oneLine(err))
			continue
		}
		c.LastTry, c.LastResult = n.out.Start, n.out.Result
		all = append(all, c)
	}
	for _, s := range n.absent {
		c := n.memory.Copies[n.plan.Name+"/"+s.Name]
		c.Plan, c.Destination, c.Days = n.plan.Name, s.Name, s.Days
		if c.AbsentSince.IsZero() {
			c.AbsentSince = n.out.Start
		}
		all = append(all, c)
	}
	return all
}
