package snapshot

import (
	"context"
	"fmt"
	"strings"

	"chartkeep/sources"
)

// joinBefore enters the joined nodes that come before path in the root; all of
// them before "", which stands for the end.
func (s *saver) joinBefore(ctx context.Context, path string) error {
	for len(s.join) > 0 && path != "/" {
		at := "/" + s.join[0].Name
		if path == at || within(path, at) {
			return fmt.Errorf("two sources have the path %s", at)
		}
		if first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/"); path != "" && first < s.join[0].Name {
			return nil
		}
		if err := s.leaveFor(ctx, at); err != nil {
			return err
		}
		it := &item{op: opJoined, node: s.join[0], entry: sources.Entry{Path: at, Meta: s.join[0].Meta}}
		if it.old, it.gap = s.older(ctx, at); it.old != nil && sameContent(it.old, it.node) {
			it.node = it.old
		}
		if err := s.enqueue(ctx, it); err != nil {
			return err
		}
		s.join = s.join[1:]
	}
	return nil
}

// letGo hands the streams that were held back to the readers.
func (s *saver) letGo(ctx context.Context) error {
	for _, it := range s.held {
		if err := send(ctx, s.big, it); err != nil {
			return err
		}
	}
	s.held = nil
	return nil
}

func send(ctx context.Context, to chan<- *item, it *item) error {
	select {
	case to <- it:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
