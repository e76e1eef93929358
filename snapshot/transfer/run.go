package transfer

import (
	"context"
	"fmt"
	"slices"

	"chartkeep/chunk"
	"chartkeep/repo"
	"chartkeep/snapshot"
)

// Result is what a copying did. Bytes are of plaintext, but for Packed.
type Result struct {
	Companions bool
	Copied     []Pair
	Present    []Pair
	Failed     []*Failure

	Chunks, Bytes int64 // new in the target
	Packed        int64 // bytes that they take there, compressed and sealed
	Whole, Cut    int64 // blocks that were copied as they were, and that only a part was needed of
}

// A Failure is a snapshot that was not copied, because not all of it can be read.
type Failure struct {
	Snapshot *snapshot.Snapshot
	Lost     []Lost
}

// Lost is a path that something is missing from.
type Lost struct {
	Path string
	Err  error // nil: see the source's check
}

func (f *Failure) Error() string {
	first := f.Lost[0]
	text := fmt.Sprintf("snapshot %s is not copied: %s cannot be read", f.Snapshot.ID.Short(), first.Path)
	if n := len(f.Lost) - 1; n > 0 {
		text += fmt.Sprintf(", nor can %d other paths", n)
	}
	if first.Err != nil {
		text += ": " + first.Err.Error()
	}
	return text
}

// Run does what was planned. What the source has lost is in the result; an error
// means that the copying could not go on, and that another one will.
func (p *Plan) Run(ctx context.Context) (*Result, error) {
	p.o.Progress.TotalBytes.Store(p.Bytes)
	r := &Result{Companions: p.Companions, Present: slices.Clone(p.Present)}
	if err := p.clear(ctx); err != nil {
		return r, err
	}
	if p.Nothing() {
		return r, nil
	}
	if p.Companions {
		return r, p.copyBlocks(ctx, r)
	}
	return r, p.convertAll(ctx, r)
}

// clear ends the suspicion of copies whose original a person has said to be
// right since.
func (p *Plan) clear(ctx context.Context) error {
	for i, pair := range p.Present {
		if pair.From.Cleared == nil || !pair.To.Suspicious() {
			continue
		}
		w, err := p.to.NewWriter(ctx, repo.WriterOptions{})
		if err != nil {
			return err
		}
		defer w.Abort()
		c, err := snapshot.Edit(ctx, p.to, w, pair.To, func(s *snapshot.Snapshot) { s.Cleared = pair.From.Cleared })
		if err != nil {
			return fmt.Errorf("target: %w", err)
		}
		p.copies = append(p.copies, c)
		p.Present[i].To, p.pairs[i].To = c, c
	}
	return nil
}

// store stores the manifest of a copy. All that it needs is durable.
func (p *Plan) store(ctx context.Context, w *repo.Writer, r *Result, s *snapshot.Snapshot, root *snapshot.Node) error {
	c := *s
	c.ID, c.Original, c.Root = "", line(s), *root
	c.Parent, c.Previous = p.counterpart(s.Parent), p.counterpart(s.Previous)
	if err := c.Put(ctx, w); err != nil {
		return fmt.Errorf("target: %w", err)
	}
	p.copies = append(p.copies, &c)
	p.pairs = append(p.pairs, Pair{s, &c})
	r.Copied = append(r.Copied, Pair{s, &c})
	p.o.Copied(Pair{s, &c})
	return nil
}

// counterpart is a snapshot's name in the target. One that has not been copied
// keeps the source's, by which its copy can be known when it comes.
func (p *Plan) counterpart(id repo.DocumentID) repo.DocumentID {
	for _, pair := range p.pairs {
		if pair.From.ID == id {
			return pair.To.ID
		}
	}
	for _, c := range slices.Backward(p.copies) {
		if id != "" && line(c) == id {
			return c.ID
		}
	}
	return id
}

// damaged returns what a snapshot has lost in the source.
func (p *Plan) damaged(ctx context.Context, s *snapshot.Snapshot, bad map[chunk.ID]error, whole map[chunk.ID]bool) (*Failure, error) {
	f := &Failure{Snapshot: s}
	var hit error
	isBad := func(id chunk.ID) bool {
		err, ok := bad[id]
		hit = err
		return ok
	}
	err := snapshot.FindAffected(ctx, p.from, s, isBad, whole, func(a snapshot.Affected) {
		f.Lost = append(f.Lost, Lost{a.Path, hit})
		hit = nil
	})
	if err != nil || len(f.Lost) == 0 {
		return nil, err
	}
	return f, nil
}
