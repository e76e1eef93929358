package main

import (
	"context"
	"time"

	"chartkeep/repo"
)

// followLog finds out whether records have been taken out of the log. That is no
// damage to what was saved, but somebody may want to know who did it. A record
// that cannot be read has been named as a file already.
func (k *checkRun) followLog(ctx context.Context) error {
	gaps, _, err := k.r.VerifyLog(ctx)
	for _, g := range gaps {
		if g.Missing != "" {
			k.notes = append(k.notes, oneLine(g))
		}
	}
	return err
}

// enterCheck records a check that somebody asked for.
func (k *checkRun) enterCheck(ctx context.Context, err error) {
	rec := repo.Record{Time: k.started, Kind: repo.RecordCheck, Result: resultOf(ctx, err)}
	step := repo.Step{Name: "check", Result: rec.Result, Start: k.started, Duration: time.Since(k.started), Bytes: k.progress.Bytes.Load()}
	rec.Steps = []repo.Step{step}
	for _, f := range k.found {
		rec.Errors = append(rec.Errors, f.File+": "+problemText(f.Problem))
	}
	k.enter(ctx, k.r, nil, rec, err)
}
