package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"chartkeep/repo"
	"chartkeep/snapshot"
	"chartkeep/sources"
)

// saveSources saves one source after the other: those that hold a moment first,
// so that a database's rows are never newer than the files they speak of.
func (b *backupRun) saveSources(ctx context.Context, w *repo.Writer, s *snapshot.Snapshot, o snapshot.SaveOptions) error {
	for _, part := range b.task.apart {
		nodes, sum, err := b.saveApart(ctx, w, part, o)
		if err != nil {
			return err
		}
		o.Join = append(o.Join, nodes...)
		s.Summary.Add(sum)
	}
	if err := b.task.allLost(); err != nil {
		return err
	}
	slices.SortFunc(o.Join, func(x, y *snapshot.Node) int { return strings.Compare(x.Name, y.Name) })
	root, sum, err := snapshot.Save(ctx, b.r, w, b.task.source, o)
	if err != nil {
		return fmt.Errorf("back up %s: %w", b.task.name, err)
	}
	s.Summary.Add(sum)
	s.Root, s.Sources = *root, b.task.records()
	s.Complete = s.Summary.Errors == 0
	return nil
}

// saveApart saves one source of several. What is wrong with it alone is its
// record's error, and the others are saved.
func (b *backupRun) saveApart(ctx context.Context, w *repo.Writer, part *part, o snapshot.SaveOptions) ([]*snapshot.Node, snapshot.Summary, error) {
	o.Strict = true
	nodes, sum, err := snapshot.SaveApart(ctx, b.r, w, part.source, o)
	if m, ok := part.source.(sources.Moment); ok {
		facts, failed := m.End(context.WithoutCancel(ctx))
		part.record.Facts, err = facts, both(err, failed)
	}
	if ctx.Err() != nil {
		return nil, sum, context.Cause(ctx)
	}
	if broken := w.Err(); broken != nil { // not the source's fault, and nothing more can be saved
		return nil, sum, fmt.Errorf("back up %s: %w", b.task.name, broken)
	}
	if err == nil {
		b.doubts = append(b.doubts, b.lostTables(part.record)...)
		return nodes, sum, nil
	}
	at := part.record.Paths[0]
	why := strings.TrimPrefix(strings.TrimPrefix(oneLine(err), at+": "), "/: ") // / is where a source begins
	b.problem(at, errors.New(why))
	part.record.Files, part.record.Bytes, part.record.New, part.record.Error = 0, 0, 0, why
	b.progress.Errors.Add(1)
	return nil, snapshot.Summary{Errors: 1}, nil
}

// both joins what broke off the reading and what the source says at its end,
// unless one of the two says it all. That the reading was then cancelled is no
// news.
func both(broke, end error) error {
	if broke == nil || end == nil {
		return errors.Join(broke, end)
	}
	if strings.Contains(end.Error(), broke.Error()) {
		return end
	}
	parts := []error{end}
	if all, ok := end.(interface{ Unwrap() []error }); ok {
		parts = all.Unwrap()
	}
	joined := []error{broke}
	for _, e := range parts {
		if !errors.Is(e, context.Canceled) && !strings.Contains(broke.Error(), e.Error()) {
			joined = append(joined, e)
		}
	}
	return errors.Join(joined...)
}
