package main

import (
	"context"
	"errors"
	"time"

	"chartkeep/cmd/internal/config"
	"chartkeep/cmd/internal/ui"
	"chartkeep/repo"
	"chartkeep/repo/storage"
	"chartkeep/snapshot/drill"
)

// drillWhenDue proves the night's snapshot where it was saved, as often as is
// configured. It comes last: a long one holds nothing up.
func (n *night) drillWhenDue(ctx context.Context) {
	o := n.home
	if n.saved == nil || ctx.Err() != nil || !o.r.CanRead() || !n.drillDue(ctx, o.r) {
		return
	}
	n.step(ctx, "drill", o.Name, func() (string, error) {
		d := o.program.newDrill(drill.Options{})
		d.host, d.destination = n.out.Host, o.Name
		err := o.program.locked(ctx, o.r, storage.Shared, func() error { return d.run(ctx, o.r, n.saved) })
		var f *failure
		if errors.As(err, &f) && f.code == exitFailed {
			// The backup is good; that it could not be proven is no failure of it.
			err = &failure{exitIncomplete, f.err, f.hint}
		}
		return "proven; back in " + ui.Duration(d.report.Recovery()), err
	})
}

// drillDue reports whether the plan's last drill is long enough ago. One that
// proved nothing is tried again after a week.
func (n *night) drillDue(ctx context.Context, r *repo.Repository) bool {
	every := n.config.Check.Drill
	if every == config.Never {
		return false
	}
	records, _, err := r.Records(ctx, 0)
	if err != nil {
		return true
	}
	for i := len(records) - 1; i >= 0; i-- {
		rec := &records[i]
		if rec.Kind != repo.RecordDrill || rec.Plan != n.plan.Name || rec.Host != n.out.Host || rec.Result == repo.ResultInterrupted {
			continue
		}
		due := every.After(rec.Time)
		if again := config.Weekly.After(rec.Time); !rec.Result.Good() && again.Before(due) {
			due = again
		}
		return !time.Now().Before(due.Add(-dueMargin))
	}
	return true
}
