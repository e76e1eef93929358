package main

import (
	"context"
	"slices"
	"time"

	"chartkeep/cmd/internal/notify"
	"chartkeep/cmd/internal/runlog"
	"chartkeep/repo"
	"chartkeep/snapshot"
)

// record leaves the run's record in a repository, and on this computer.
func (n *night) record(ctx context.Context, o *opened) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	rec := n.recordOf(o)
	measure(ctx, o.r, &rec)
	if err := logWith(ctx, o.r, nil, rec); err != nil {
		n.Warn("%s: the run's record: %s", o.Name, oneLine(err))
	}
	n.keep(ctx, rec)
}

// recordOthers notes on this computer what it was with the destinations that
// could not be opened.
func (n *night) recordOthers(ctx context.Context) {
	for _, name := range n.wanted {
		switch {
		case slices.ContainsFunc(n.all, func(o *opened) bool { return o.Name == name }):
		case slices.ContainsFunc(n.absent, func(s *site) bool { return s.Name == name }):
			n.keep(ctx, n.recordAt(name, notify.Absent))
		default:
			n.keep(ctx, n.recordAt(name, notify.Failed))
		}
	}
}

// keep notes a record on this computer.
func (n *night) keep(ctx context.Context, rec repo.Record) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	if err := runlog.Append(ctx, logDir(n.config), rec); err != nil {
		n.Warn("%s", oneLine(err))
	}
	if rec.Destination == "" {
		return
	}
	state, err := runlog.LoadState(ctx, stateDir(), rec.Plan, rec.Destination)
	if err != nil {
		n.Warn("%s", oneLine(err)) // and begin anew
	}
	state.Note(rec)
	if err := state.Save(ctx, stateDir()); err != nil {
		n.Warn("%s", oneLine(err))
	}
}

// recordOf is what the run did at a destination.
func (n *night) recordOf(o *opened) repo.Record {
	rec := n.recordAt(o.Name, notify.Done)
	rec.Snapshots = o.stored
	if n.home == o {
		rec.Added, rec.AddedPacked = n.saved.Summary.DataAdded, n.saved.Summary.DataAddedPacked
	}
	return rec
}

// recordAt is the run as a destination's steps tell it: with their gravest
// result, and at least least.
func (n *night) recordAt(name string, least notify.Result) repo.Record {
	rec := repo.Record{
		Time: n.out.Start, Duration: time.Since(n.out.Start), Host: n.out.Host, User: snapshot.CurrentUser(), Version: versionName(),
		Plan: n.plan.Name, Kind: repo.RecordRun, Destination: name,
	}
	for i, s := range n.out.Steps {
		if s.To != "" && s.To != name {
			continue
		}
		if s.Name != maintenanceStep {
			least = graver(least, s.Result)
		}
		words := s.Note
		if s.Error != "" {
			words = s.Error
			rec.Errors = append(rec.Errors, stepWords(s.Name, s.To)+": "+s.Error)
		}
		if n.said[i] != "" {
			words += "\n" + n.said[i]
		}
		rec.Steps = append(rec.Steps, repo.Step{
			Name: s.Name, Result: repo.Result(s.Result), Start: n.started[i], Duration: s.Duration, Bytes: n.read[i], Words: words,
		})
	}
	rec.Result = repo.Result(least)
	return rec
}
