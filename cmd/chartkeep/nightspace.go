package main

import (
	"context"
	"fmt"
	"time"

	"chartkeep/cmd/internal/forecast"
	"chartkeep/cmd/internal/notify"
	"chartkeep/cmd/internal/ui"
	"chartkeep/repo"
)

// makeRoom looks before a backup whether it will fit. When it may not, what was
// forgotten goes first.
func (n *night) makeRoom(ctx context.Context, o *opened) {
	if !o.r.CanRead() {
		return
	}
	estimate := forecast.Next(n.runs(ctx, o), 0)
	room, free := roomFor(ctx, o.r, estimate)
	if room != forecast.Tight && room != forecast.NotEnough {
		return
	}
	n.Remark("%s: %s free, and about %s will be needed; freeing what nothing needs first", o.Name, ui.Size(free), ui.Size(estimate.Expected))
	if n.pruneAt(ctx, o) != nil {
		return
	}
	if room, free = roomFor(ctx, o.r, estimate); room == forecast.NotEnough {
		n.warn("space "+o.Name, "%s has %s free, and a run takes about %s. Free space on it, or keep fewer snapshots.", o.Name, ui.Size(free), ui.Size(estimate.Expected))
	}
}

func roomFor(ctx context.Context, r *repo.Repository, e forecast.Estimate) (forecast.Room, int64) {
	free, _, err := r.SpaceFree(ctx)
	if err != nil {
		return forecast.Unknown, 0
	}
	return e.In(int64(free)), int64(free)
}

// runs are the plan's runs that saved something at a destination, oldest first.
func (n *night) runs(ctx context.Context, o *opened) (runs []repo.Record) {
	all, _, err := o.r.Records(ctx, 0)
	if err != nil {
		return nil // then nothing is foreseen
	}
	for _, r := range all {
		if r.Kind == repo.RecordRun && r.Plan == n.plan.Name && r.Host == n.out.Host && len(r.Snapshots) > 0 {
			runs = append(runs, r)
		}
	}
	return runs
}

func (n *night) warn(about, format string, args ...any) {
	w := notify.Warning{About: about, Words: fmt.Sprintf(format, args...)}
	n.Warn("%s", w.Words)
	n.out.Warnings = append(n.out.Warnings, w)
}

// foresightDays is how long before a drive is full somebody hears of it.
const foresightDays = 60

// foresee warns of a drive that will be full soon.
func (n *night) foresee(ctx context.Context, o *opened) {
	if !o.r.CanRead() || ctx.Err() != nil {
		return
	}
	all, _, err := o.r.Records(ctx, 0)
	if err != nil {
		return
	}
	trend := forecast.TrendOf(forecast.Points(all, o.Name))
	if soon := time.Now().AddDate(0, 0, foresightDays); !trend.Full.IsZero() && trend.Full.Before(soon) {
		n.warn("space "+o.Name, "%s will be full about %s: it grows by %s a day.", o.Name, trend.Full.In(n.config.Practice.Zone).Format("2 January"), ui.Size(trend.PerDay))
	}
}
