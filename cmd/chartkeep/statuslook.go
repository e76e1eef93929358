package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"chartkeep/cmd/internal/config"
	"chartkeep/cmd/internal/notify"
	"chartkeep/cmd/internal/schedule"
	"chartkeep/repo"
	"chartkeep/repo/storage"
	"chartkeep/snapshot"
)

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
	if err := recordsOf(ctx, r, g.host, &g.Copy); err != nil {
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
