package main

import (
	"context"
	"errors"
	"os"
	"time"

	"chartkeep/repo"
	"chartkeep/repo/storage"
	"chartkeep/snapshot"
)

// enter adds a record of what was done to the repository's log, with the run's
// writer, or nil for one of its own. Of rec the kind and the time of the start
// have to be there; what else is known of this computer, of the repository and
// of err is filled in. That it cannot be written is a warning and never fails
// the work; on a full drive or one that is not to be written to it is what one
// expects. The caller holds the shared lock.
func (p *program) enter(ctx context.Context, r *repo.Repository, w *repo.Writer, rec repo.Record, err error) {
	if ctx.Err() != nil {
		w = nil // it was stopped with the run
	}
	p.fillIn(ctx, &rec, err)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	measure(ctx, r, &rec)
	failed := logWith(ctx, r, w, rec)
	if failed != nil && !errors.Is(failed, storage.ErrNoSpace) && !errors.Is(failed, storage.ErrReadOnly) {
		p.Warn("%s; the work itself is done", oneLine(failed))
	}
}

// enterAlone is enter for work that has given back its locks.
func (p *program) enterAlone(ctx context.Context, r *repo.Repository, rec repo.Record, err error) {
	failed := p.locked(context.WithoutCancel(ctx), r, storage.Shared, func() error {
		p.enter(ctx, r, nil, rec, err)
		return nil
	})
	if failed != nil {
		p.Warn("the log was not written: %s", oneLine(failed))
	}
}

// fillIn fills in what is known of the run.
func (p *program) fillIn(ctx context.Context, rec *repo.Record, err error) {
	if rec.Duration == 0 {
		rec.Duration = time.Since(rec.Time)
	}
	if rec.Host == "" {
		rec.Host, _ = os.Hostname()
	}
	rec.User, rec.Version = snapshot.CurrentUser(), versionName()
	if rec.Result == "" {
		rec.Result = resultOf(ctx, err)
	}
	if err != nil {
		rec.Errors = append(rec.Errors, oneLine(explain(ctx, err).err))
	}
}

// resultOf is what a command's error makes of its record.
func resultOf(ctx context.Context, err error) repo.Result {
	if err == nil {
		return repo.ResultDone
	}
	result, ok := map[int]repo.Result{
		exitIncomplete: repo.ResultIncomplete, exitAbsent: repo.ResultAbsent, exitLocked: repo.ResultSkipped,
		exitDamage: repo.ResultDamaged, exitInterrupted: repo.ResultInterrupted,
	}[explain(ctx, err).code]
	if !ok {
		return repo.ResultFailed
	}
	return result
}

// measure fills in how full the place is.
func measure(ctx context.Context, r *repo.Repository, rec *repo.Record) {
	if free, total, err := r.SpaceFree(ctx); err == nil {
		rec.Free, rec.Total = int64(free), int64(total)
	}
	ix, err := r.Index(ctx)
	if err != nil {
		return
	}
	for info, err := range ix.Packs() {
		if err != nil {
			rec.Stored = 0
			return
		}
		rec.Stored += int64(info.Size)
	}
}

func logWith(ctx context.Context, r *repo.Repository, w *repo.Writer, rec repo.Record) error {
	if w == nil {
		var err error
		if w, err = r.NewWriter(ctx, repo.WriterOptions{Aside: true}); err != nil {
			return err
		}
		defer w.Abort()
	}
	return w.Log(ctx, rec)
}
