package transfer

import (
	"context"
	"fmt"

	"chartkeep/repo"
	"chartkeep/snapshot"
)

// convertAll copies snapshots by their content, each with a writer of its own,
// so that what is complete is kept whatever becomes of the rest.
func (p *Plan) convertAll(ctx context.Context, r *Result) error {
	for _, s := range p.Missing {
		if err := p.convert(ctx, r, s); err != nil {
			return err
		}
	}
	return nil
}

func (p *Plan) convert(ctx context.Context, r *Result, s *snapshot.Snapshot) error {
	w, err := p.to.NewWriter(ctx, repo.WriterOptions{})
	if err != nil {
		return fmt.Errorf("target: %w", err)
	}
	defer w.Abort()
	failed := &Failure{Snapshot: s}
	o := snapshot.ConvertOptions{
		Problem:  func(path string, err error) { failed.Lost = append(failed.Lost, Lost{path, err}) },
		Progress: p.o.Progress,
	}
	if last := nearest(s, p.pairs); last != nil {
		o.Known, o.Became = &last.From.Root, &last.To.Root
	}
	root, err := snapshot.Convert(ctx, p.from, p.to, w, &s.Root, o)
	if err == nil {
		err = w.Flush()
	}
	plain, packed := w.Added()
	r.Bytes, r.Packed, r.Chunks = r.Bytes+plain, r.Packed+packed, r.Chunks+w.AddedChunks()
	if err != nil {
		return err
	}
	if len(failed.Lost) > 0 {
		r.Failed = append(r.Failed, failed)
		return nil
	}
	return p.store(ctx, w, r, s, root)
}

// nearest chooses what to compare a snapshot with: of the copied ones the last
// before it that was made from the same; failing that the last of all.
func nearest(s *snapshot.Snapshot, copied []Pair) *Pair {
	var best *Pair
	for i := range copied {
		c := &copied[i]
		if best == nil || closer(c.From, best.From, s) {
			best = c
		}
	}
	return best
}

func closer(a, b, to *snapshot.Snapshot) bool {
	if same := a.SameSource(to); same != b.SameSource(to) {
		return same
	}
	if before := !a.Time.After(to.Time); before != !b.Time.After(to.Time) {
		return before
	}
	if a.Time.After(to.Time) {
		return a.Time.Before(b.Time)
	}
	return !a.Time.Before(b.Time)
}
