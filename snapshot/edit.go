package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"chartkeep/repo"
)

// ErrEdited says that somebody else edited or removed a snapshot meanwhile.
var ErrEdited = errors.New("the snapshot was edited or removed meanwhile")

// Edit replaces a snapshot by an edited copy, which has another ID and names
// the first of its line as Original. The copy is durable before the old one
// goes, so that at no moment there is neither.
func Edit(ctx context.Context, r *repo.Repository, w *repo.Writer, s *Snapshot, change func(*Snapshot)) (*Snapshot, error) {
	c := *s
	c.Tags = slices.Clone(s.Tags)
	if c.Original == "" {
		c.Original = s.ID
	}
	change(&c)
	if err := c.Put(ctx, w); err != nil {
		return nil, fmt.Errorf("snapshot %s: write the edited copy: %w", s.ID.Short(), err)
	}
	err := r.RemoveDocument(ctx, repo.Snapshots, s.ID)
	if errors.Is(err, fs.ErrNotExist) {
		// Two edits at once: the other one's copy stays, or there would be two.
		return nil, errors.Join(fmt.Errorf("snapshot %s: %w", s.ID.Short(), ErrEdited), r.RemoveDocument(ctx, repo.Snapshots, c.ID))
	}
	if err != nil {
		return nil, fmt.Errorf("snapshot %s: remove what the edited copy replaces: %w", s.ID.Short(), err)
	}
	return &c, nil
}

// TagChange says what becomes of a snapshot's tags: Set replaces them when it
// is not nil, then Remove goes, then Add comes.
type TagChange struct {
	Set, Add, Remove []string
}

// Apply returns the changed tags, sorted, each once, and whether they differ.
func (t TagChange) Apply(tags []string) (changed []string, differ bool) {
	next := slices.Clone(tags)
	if t.Set != nil {
		next = slices.Clone(t.Set)
	}
	next = slices.DeleteFunc(next, func(tag string) bool { return slices.Contains(t.Remove, tag) })
	next = append(next, t.Add...)
	slices.Sort(next)
	next = slices.Compact(next)
	was := slices.Sorted(slices.Values(tags))
	return next, !slices.Equal(was, next)
}

// Protect puts a hold on a snapshot: nothing forgets it before it is released.
func Protect(who, reason string, now time.Time) func(*Snapshot) {
	return func(s *Snapshot) { s.Hold = &Hold{Who: who, When: now.Unix(), Reason: reason} }
}

// Release ends a hold, and the suspicion of a snapshot that looks wrong.
func Release(who, reason string, now time.Time) func(*Snapshot) {
	return func(s *Snapshot) {
		s.Hold = nil
		if s.Suspicious() {
			s.Cleared = &Hold{Who: who, When: now.Unix(), Reason: reason}
		}
	}
}
