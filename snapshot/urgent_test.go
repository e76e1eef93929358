package snapshot_test

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"sync"
	"testing"

	"chartkeep/repo"
	"chartkeep/repo/repotest"
	"chartkeep/snapshot"
	"chartkeep/sources"
)

// streams is a source of streams in one folder; the urgent ones come last.
type streams struct {
	plain, urgent int

	mu     sync.Mutex
	opened []string
}

type streamContent struct {
	from *streams
	name string
}

func (c streamContent) Open() (sources.File, error) {
	c.from.mu.Lock()
	defer c.from.mu.Unlock()
	c.from.opened = append(c.from.opened, c.name)
	data := []byte(c.name)
	return &memOpen{bytes.NewReader(data), &memFile{data: data}}, nil
}
func (streamContent) Attributes() ([]sources.Attribute, error) { return nil, nil }
func (streamContent) Streamed()                                {}

type urgentContent struct{ streamContent }

func (urgentContent) Urgent() {}

func (s *streams) Entries(context.Context) iter.Seq[sources.Entry] {
	return func(yield func(sources.Entry) bool) {
		dir := sources.Entry{Path: "/", Meta: sources.Meta{Kind: sources.Dir, Mode: 0o700}, Content: streamContent{}}
		ok := yield(dir)
		for i := 0; ok && i < s.plain+s.urgent; i++ {
			name := fmt.Sprintf("s%06d", i)
			e := sources.Entry{Path: "/" + name, Meta: sources.Meta{Kind: sources.Regular}, Content: streamContent{s, name}}
			if i >= s.plain {
				e.Content = urgentContent{streamContent{s, name}}
			}
			ok = yield(e)
		}
	}
}

// TestUrgentStreamsAreReadFirst wherever they stand. Only so many entries ahead
// that a source of any length is saved.
func TestUrgentStreamsAreReadFirst(t *testing.T) {
	r := repotest.New(t, repotest.Options{})
	src := &streams{plain: 500, urgent: 40}
	save(t, r, src, snapshot.SaveOptions{})
	for i, name := range src.opened[:38] { // two are read at a time
		if name < "s000500" {
			t.Errorf("%s was opened as number %d", name, i)
		}
	}
	long := &streams{plain: 9000, urgent: 1}
	s, _ := save(t, r, long, snapshot.SaveOptions{})
	if got := content(t, repotest.Reopen(t, r, repo.Options{}), &s.Root, "/", map[string][]byte{}); len(got) != 9001 || len(long.opened) != 9001 {
		t.Errorf("%d files saved and %d opened of 9001", len(got), len(long.opened))
	}
}
