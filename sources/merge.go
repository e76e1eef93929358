package sources

import (
	"context"
	"iter"
	"slices"
)

// Merge returns a source of all that the given ones yield, in the order that the
// package comment describes. A folder that several yield, because what they were
// given lies below it, comes once: as the first that could read it has it.
func Merge(all ...Source) Source {
	if len(all) == 1 {
		return all[0]
	}
	return merged(all)
}

type merged []Source

// A head is a source's next entry.
type head struct {
	entry Entry
	more  bool
	next  func() (Entry, bool)
}

func (h *head) advance() { h.entry, h.more = h.next() }

// Entries implements Source.
func (m merged) Entries(ctx context.Context) iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		heads := make([]*head, 0, len(m))
		for _, s := range m {
			next, stop := iter.Pull(s.Entries(ctx))
			defer stop()
			h := &head{next: next}
			h.advance()
			heads = append(heads, h)
		}
		for {
			heads = slices.DeleteFunc(heads, func(h *head) bool { return !h.more })
			if len(heads) == 0 || !yield(first(heads)) {
				return
			}
		}
	}
}

// first takes the entry that comes first from all heads that have it.
func first(heads []*head) Entry {
	e := heads[0].entry
	for _, h := range heads[1:] {
		if c := comparePaths(h.entry.Path, e.Path); c < 0 || c == 0 && e.Err != nil {
			e = h.entry
		}
	}
	for _, h := range heads {
		if h.entry.Path == e.Path {
			h.advance()
		}
	}
	return e
}

// comparePaths compares paths element by element, so that what lies below a
// folder comes right after it.
func comparePaths(a, b string) int {
	for i := range min(len(a), len(b)) {
		if x, y := a[i], b[i]; x != y {
			return int(element(x)) - int(element(y))
		}
	}
	return len(a) - len(b)
}

// element makes a slash sort before everything else that is in names.
func element(c byte) byte {
	if c == '/' {
		return 0
	}
	return c
}
