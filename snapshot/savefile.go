package snapshot

import (
	"context"
	"errors"
	"io/fs"

	"chartkeep/sources"
)

// file takes over the older node of an unchanged file, and sends the others to
// be read.
func (s *saver) file(ctx context.Context, it *item) error {
	if s.unchanged(ctx, it) {
		it.node, it.bytes = s.renewed(it), it.entry.Meta.Size
		return s.enqueue(ctx, it)
	}
	it.ready = make(chan struct{})
	if err := s.enqueue(ctx, it); err != nil {
		return err
	}
	switch {
	case sources.IsUrgent(it.entry.Content):
		return send(ctx, s.urgent, it)
	case sources.Stream(it.entry.Content):
		if len(s.held) == 0 {
			s.heldFor = 0
		}
		s.held = append(s.held, it)
		return nil
	case it.entry.Meta.Size >= longFile:
		return send(ctx, s.long, it)
	case it.entry.Meta.Size > smallFile:
		return send(ctx, s.big, it)
	}
	return send(ctx, s.small, it)
}

// unchanged reports whether the older version's content can stand for the
// file's: nothing that a write changes has changed, and nothing of it is lost.
func (s *saver) unchanged(ctx context.Context, it *item) bool {
	old := it.old
	if old == nil || s.o.Force || old.State != 0 || old.Meta.Kind != sources.Regular {
		return false
	}
	was, is := &old.Meta, &it.entry.Meta
	if was.Size != is.Size || was.MTime != is.MTime || was.CTime != is.CTime || was.Inode != is.Inode || is.MTime.IsZero() && is.CTime.IsZero() {
		return false
	}
	return s.lost == nil || s.whole(ctx, old.Content)
}

// whole reports whether all of a content list can still be read.
func (s *saver) whole(ctx context.Context, l List) bool {
	for r, err := range Chunks(ctx, s.r, l) {
		if err != nil || s.lost(r.ID) {
			return false
		}
	}
	return true
}

// renewed is the older node, or a copy with today's metadata where that differs
// in what the times do not show (a renamed user).
func (s *saver) renewed(it *item) *Node {
	if sameMeta(&it.old.Meta, &it.entry.Meta) {
		return it.old
	}
	n := *it.old
	n.Meta = it.entry.Meta
	return &n
}

// plain makes the node of a link or special file, and of what could not be
// read.
func (s *saver) plain(it *item) *Node {
	n := &Node{Name: baseName(it.entry.Path), Meta: it.entry.Meta}
	if it.err != nil {
		n.State |= Unreadable
		return n
	}
	if it.old != nil && it.old.State == 0 && sameMeta(&it.old.Meta, &it.entry.Meta) {
		return it.old
	}
	n.Attributes, it.err = it.entry.Content.Attributes()
	if errors.Is(it.err, fs.ErrNotExist) {
		it.err = nil
		return nil // gone since it was listed
	}
	return n
}

// sameMeta compares what nodes keep of two entries' metadata.
func sameMeta(a, b *sources.Meta) bool { return keptMeta(a) == keptMeta(b) }

func keptMeta(m *sources.Meta) sources.Meta {
	k := *m
	if k.Kind == sources.Dir || k.Links <= 1 {
		k.Links, k.Device = 1, 0
	}
	return k
}
