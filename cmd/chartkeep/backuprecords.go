package main

import (
	"errors"

	"chartkeep/snapshot"
	"chartkeep/sources"
)

// records are what became of a plan's sources, in the plan's order.
func (t *task) records() (all []snapshot.SourceRecord) {
	for _, r := range t.order {
		all = append(all, *r)
	}
	return all
}

// recordOf is the record of the source that a path belongs to; nil: of none.
func (t *task) recordOf(path string) *snapshot.SourceRecord {
	var found *snapshot.SourceRecord
	longest := -1
	for _, r := range t.order {
		for _, given := range r.Paths {
			if under(path, given) && len(given) > longest {
				found, longest = r, len(given)
			}
		}
	}
	return found
}

// count adds an item to the record of its source.
func (t *task) count(path string, what snapshot.Change, n *snapshot.Node) {
	r := t.recordOf(path)
	if r == nil || n.Meta.Kind == sources.Dir {
		return
	}
	r.Files++
	r.Bytes += n.Meta.Size
	if what != snapshot.Unmodified {
		r.New++
	}
}

// failed notes that a source is not complete. The first thing says enough.
func (t *task) failed(path string, err error) {
	if errors.Is(err, snapshot.ErrChanged) {
		return // it was saved, and is marked
	}
	if r := t.recordOf(path); r != nil && r.Error == "" {
		r.Error = path + ": " + oneLine(err)
	}
}
