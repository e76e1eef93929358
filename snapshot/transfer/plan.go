package transfer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"chartkeep/chunk"
	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/snapshot"
)

var (
	// ErrSame refuses to copy a repository to itself.
	ErrSame = errors.New("source and target are the same repository")

	// ErrSourceKey and ErrTargetKey say that a writer's key does not do: it reads
	// neither what is to be copied nor which snapshots are there already.
	ErrSourceKey = errors.New("copying needs an owner's key of the source")
	ErrTargetKey = errors.New("copying needs an owner's key of the target, to see which snapshots it holds")
)

// Options tune a copying. The zero value means the defaults.
type Options struct {
	// Newer leaves out what was made before the newest snapshot that the target
	// has of the same host and plan, so that what its own retention has removed
	// does not come back.
	Newer    bool
	Workers  int                // packs read at a time; 0: 2
	Progress *snapshot.Progress // plaintext bytes; may be nil
	// Warn is told what is wrong but stops nothing; nil: nobody asks.
	Warn func(error)
	// Copied is told of every snapshot whose copy is stored; nil: nobody asks.
	Copied func(Pair)
}

// A Pair is a snapshot of the source and its copy in the target.
type Pair struct{ From, To *snapshot.Snapshot }

// A Plan says what a copying will do.
type Plan struct {
	Companions bool
	Missing    []*snapshot.Snapshot // to be copied, the oldest first
	Present    []Pair
	Older      int   // left out, see Options.Newer
	Chunks     int64 // that are copied; of independent repositories, that are read
	Bytes      int64 // their plaintext

	from, to       *repo.Repository
	source, target *index.Index
	o              Options
	copies         []*snapshot.Snapshot // all that are in the target
	pairs          []Pair               // what was chosen of the source, and is in the target
	marks, known   snapshot.Marks       // what is needed; and what need not be read
	packs          []packPart
	faults         []snapshot.Fault
	sought         bool
}

// packPart is a pack of the source that holds something the target wants.
type packPart struct {
	index.PackInfo
	bytes int64
}

// New finds out what is to be copied. It changes nothing. The caller holds the
// shared locks of both repositories, and goes on holding them until Run ends.
func New(ctx context.Context, from, to *repo.Repository, chosen []*snapshot.Snapshot, o Options) (*Plan, error) {
	switch {
	case from.Config().ID == to.Config().ID:
		return nil, ErrSame
	case !from.CanRead():
		return nil, ErrSourceKey
	case !to.CanRead():
		return nil, ErrTargetKey
	}
	p := &Plan{Companions: to.CompanionOf(from), from: from, to: to, o: o.withDefaults()}
	for _, step := range []func(context.Context) error{p.sync, p.listTarget} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	p.sort(chosen)
	if err := p.mark(ctx); err != nil {
		return nil, err
	}
	return p, p.choose(ctx)
}

func (o Options) withDefaults() Options {
	if o.Workers == 0 {
		o.Workers = 2
	}
	if o.Progress == nil {
		o.Progress = new(snapshot.Progress)
	}
	if o.Warn == nil {
		o.Warn = func(error) {}
	}
	if o.Copied == nil {
		o.Copied = func(Pair) {}
	}
	return o
}

// sync brings both indexes up to date: a repository may have been open for long.
func (p *Plan) sync(ctx context.Context) (err error) {
	if p.source, err = p.from.Index(ctx); err != nil {
		return err
	}
	if p.target, err = p.to.Index(ctx); err != nil {
		return fmt.Errorf("target: %w", err)
	}
	if err := p.from.SyncIndex(ctx); err != nil {
		return err
	}
	return p.to.SyncIndex(ctx)
}

func (p *Plan) listTarget(ctx context.Context) error {
	all, broken, err := snapshot.All(ctx, p.to)
	for _, b := range broken {
		p.o.Warn(fmt.Errorf("target: %w", b))
	}
	p.copies = all
	return err
}

// sort tells the snapshots that are in the target from those that are not.
func (p *Plan) sort(chosen []*snapshot.Snapshot) {
	chosen = slices.Clone(chosen)
	slices.SortStableFunc(chosen, func(a, b *snapshot.Snapshot) int { return a.Time.Compare(b.Time) })
	for _, s := range chosen {
		switch {
		case p.find(p.copies, s) != nil:
			p.Present = append(p.Present, Pair{s, p.find(p.copies, s)})
		case p.o.Newer && p.past(s):
			p.Older++
		case p.find(p.Missing, s) == nil:
			p.Missing = append(p.Missing, s)
		}
	}
	p.pairs = slices.Clone(p.Present)
}

// past reports whether the target has a newer one of the same host and plan: by
// the host's own count, as its clock may have jumped.
func (p *Plan) past(s *snapshot.Snapshot) bool {
	return slices.ContainsFunc(p.copies, func(c *snapshot.Snapshot) bool {
		if c.Host != s.Host || c.Plan != s.Plan {
			return false
		}
		if c.Sequence > 0 && s.Sequence > 0 {
			return c.Sequence > s.Sequence
		}
		return c.Time.After(s.Time)
	})
}

// line names the line that a snapshot belongs to.
func line(s *snapshot.Snapshot) repo.DocumentID {
	if s.Original != "" {
		return s.Original
	}
	return s.ID
}

// find finds a snapshot or a copy of it. One of the same line that was repaired
// on either side, and so holds less, is another.
func (p *Plan) find(all []*snapshot.Snapshot, s *snapshot.Snapshot) *snapshot.Snapshot {
	for _, c := range all {
		if line(c) == line(s) && c.Complete == s.Complete && (!p.Companions || slices.Equal(c.Root.Tree.Refs, s.Root.Tree.Refs)) {
			return c
		}
	}
	return nil
}

// mark marks what is needed of the source.
func (p *Plan) mark(ctx context.Context) error {
	var roots, present []*snapshot.Node
	for _, s := range p.Missing {
		roots = append(roots, &s.Root)
	}
	for _, s := range p.Present {
		present = append(present, &s.From.Root)
	}
	switch {
	case p.Companions && p.to.Lost() != nil: // something of them may have to be stored anew
		roots = append(roots, present...)
	case !p.Companions && len(roots) > 0:
		if err := snapshot.Mark(ctx, p.from, &p.known, present, func(snapshot.Fault) {}); err != nil {
			return err
		}
	}
	return snapshot.Mark(ctx, p.from, &p.marks, roots, p.fault)
}

// fault notes what cannot be had of the source. A pack that no segment names can
// be read, and is not more than a warning.
func (p *Plan) fault(f snapshot.Fault) {
	if f.ID.IsZero() && !f.Hides {
		p.o.Warn(f.Err)
		return
	}
	p.faults = append(p.faults, f)
}

// choose lists the packs that hold what is to be copied, content before trees.
func (p *Plan) choose(ctx context.Context) error {
	for info, err := range p.source.Packs() {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if !p.Companions && info.Class != index.Data || !p.marks.Any(info.First, uint64(info.Chunks)) {
			continue
		}
		part := packPart{PackInfo: info}
		if err := p.measure(ctx, &part); err != nil {
			return err
		}
		if part.bytes > 0 {
			p.packs = append(p.packs, part)
			p.Bytes += part.bytes
		}
	}
	slices.SortStableFunc(p.packs, func(a, b packPart) int { return int(a.Class) - int(b.Class) })
	return nil
}

// measure counts what the target wants of a pack.
func (p *Plan) measure(ctx context.Context, part *packPart) error {
	d, err := p.source.Directory(part.ID)
	if err != nil {
		return err
	}
	ordinal := part.First
	for _, b := range d.Blocks {
		for _, c := range b.Chunks {
			wanted, err := p.wanted(ctx, ordinal, c.ID)
			if err != nil {
				return err
			}
			if wanted {
				p.Chunks++
				part.bytes += int64(c.Length)
			}
			ordinal++
		}
	}
	return nil
}

// wanted reports whether a chunk of the source is to be copied, or to be read.
func (p *Plan) wanted(ctx context.Context, ordinal uint64, id chunk.ID) (bool, error) {
	if !p.marks.Has(ordinal) {
		return false, nil
	}
	if !p.Companions {
		return !p.known.Has(ordinal), p.seek(ctx, id)
	}
	has, err := p.target.Has(id)
	if has || err != nil {
		return false, err
	}
	if err := p.seek(ctx, id); err != nil {
		return false, err
	}
	has, err = p.target.Has(id)
	return !has, err
}

// seek looks, once, into packs that no segment names: a run that was cut off may
// have left them. What they hold needs not be copied again.
func (p *Plan) seek(ctx context.Context, missing chunk.ID) error {
	if p.sought {
		return nil
	}
	p.sought = true
	if _, err := p.to.Places(ctx, missing); err != nil {
		return fmt.Errorf("target: %w", err)
	}
	return nil
}

// Nothing reports whether there is nothing to do.
func (p *Plan) Nothing() bool { return len(p.Missing)+len(p.packs) == 0 }
