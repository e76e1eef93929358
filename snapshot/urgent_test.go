package snapshot_test

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

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

// lengths is a source of files of zeros, in one folder. None of them opens before
// the walk is over; then one for each of two readers, and no other before a long one,
// which waits for the one after it: so it does not matter how fast readers are.
type lengths struct {
	sizes  []int64
	walked chan struct{}

	mu     sync.Mutex
	opened []int64
	waited int // milliseconds, all in all
}

const bigSize, longSize = 300 << 10, 64 << 20

// until waits for something that is true of what was opened, once for ten seconds at
// most.
func (l *lengths) until(is func() bool) {
	for !is() && l.waited < 10_000 {
		l.waited++
		l.mu.Unlock()
		time.Sleep(time.Millisecond)
		l.mu.Lock()
	}
}

type lengthContent struct {
	from *lengths
	size int64
}

func (c lengthContent) Open() (sources.File, error) {
	<-c.from.walked
	l := c.from
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.size == bigSize {
		l.until(func() bool { return len(l.opened) < 2 || slices.Contains(l.opened, longSize) })
	}
	l.opened = append(l.opened, c.size)
	if n := len(l.opened); c.size == longSize {
		l.until(func() bool { return len(l.opened) > n || n == len(l.sizes) })
	}
	data := make([]byte, c.size)
	return &memOpen{bytes.NewReader(data), &memFile{data: data}}, nil
}
func (lengthContent) Attributes() ([]sources.Attribute, error) { return nil, nil }

func (l *lengths) Entries(context.Context) iter.Seq[sources.Entry] {
	return func(yield func(sources.Entry) bool) {
		defer close(l.walked)
		ok := yield(sources.Entry{Path: "/", Meta: sources.Meta{Kind: sources.Dir, Mode: 0o700}, Content: streamContent{}})
		for i := 0; ok && i < len(l.sizes); i++ {
			m := (&memFile{}).meta()
			m.Size = l.sizes[i]
			ok = yield(sources.Entry{Path: fmt.Sprintf("/f%06d", i), Meta: m, Content: lengthContent{l, l.sizes[i]}})
		}
	}
}

// TestLongFilesAreNotLeftForTheEnd, nor do they hold up the others.
func TestLongFilesAreNotLeftForTheEnd(t *testing.T) {
	sizes := slices.Concat(slices.Repeat([]int64{bigSize}, 100), []int64{longSize, longSize}, slices.Repeat([]int64{bigSize}, 10))
	src := &lengths{sizes: sizes, walked: make(chan struct{})}
	r := repotest.New(t, repotest.Options{})
	save(t, r, src, snapshot.SaveOptions{Big: 2})
	if at := slices.Index(src.opened, longSize); len(src.opened) != len(sizes) || at > 2 {
		t.Errorf("%d of %d files were opened, a long one as number %d", len(src.opened), len(sizes), at)
	}
	between := 0
	for _, size := range src.opened[slices.Index(src.opened, longSize)+1:] {
		if size == longSize {
			break
		}
		between++
	}
	if between == 0 {
		t.Error("two long files were read at once, and no other")
	}
}

// A crowded source is one whose streams need one of few connections each, as a
// database's do: opening one waits until another is closed.
type crowded struct {
	shape []byte // of the entries: 'd'irectory, 's'tream, 'u'rgent stream, small 'f'ile, 'b'ig file
	free  chan struct{}
}

type crowdedContent struct {
	from *crowded
	data []byte
}

func (c crowdedContent) Open() (sources.File, error) {
	<-c.from.free
	return &crowdedFile{memOpen{bytes.NewReader(c.data), &memFile{data: c.data}}, c.from}, nil
}
func (crowdedContent) Attributes() ([]sources.Attribute, error) { return nil, nil }

type crowdedFile struct {
	memOpen
	from *crowded
}

func (f *crowdedFile) Close() error {
	f.from.free <- struct{}{}
	return nil
}

type crowdedStream struct{ crowdedContent }

func (crowdedStream) Streamed() {}

type crowdedUrgent struct{ crowdedStream }

func (crowdedUrgent) Urgent() {}

func (c *crowded) Entries(context.Context) iter.Seq[sources.Entry] {
	return func(yield func(sources.Entry) bool) {
		ok := yield(sources.Entry{Path: "/", Meta: sources.Meta{Kind: sources.Dir, Mode: 0o700}, Content: streamContent{}})
		for i := 0; ok && i < len(c.shape); i++ {
			e := sources.Entry{Path: fmt.Sprintf("/e%06d", i), Meta: sources.Meta{Kind: sources.Regular}}
			content := crowdedContent{c, []byte(e.Path)}
			switch c.shape[i] {
			case 'd':
				e.Meta, e.Content = sources.Meta{Kind: sources.Dir, Mode: 0o700}, streamContent{}
			case 's':
				e.Content = crowdedStream{content}
			case 'u':
				e.Content = crowdedUrgent{crowdedStream{content}}
			case 'f':
				e.Meta.Size, e.Content = int64(len(content.data)), content
			case 'b':
				content.data = bytes.Repeat([]byte("b"), 300<<10)
				e.Meta.Size, e.Content = int64(len(content.data)), content
			}
			ok = yield(e)
		}
	}
}

// TestStreamsThatWaitForEachOtherAreRead with any number of readers and of
// connections, and longer than what the walk may run ahead.
func TestStreamsThatWaitForEachOtherAreRead(t *testing.T) {
	for _, shape := range []string{
		strings.Repeat("s", 3000) + "u", strings.Repeat("u", 3000) + "s", strings.Repeat("su", 1500), "s" + strings.Repeat("d", 6000) + "u",
		"s" + strings.Repeat("f", 6000) + "u", "s" + strings.Repeat("fsdbu", 60), strings.Repeat("ds", 3000), strings.Repeat("s", 1023) + strings.Repeat("d", 5000) + "us",
	} {
		for _, few := range []struct{ connections, readers, big int }{{1, 1, 1}, {1, 4, 4}, {2, 1, 2}, {3, 16, 1}} {
			t.Run(fmt.Sprintf("%.8s of %d, %v", shape, len(shape), few), func(t *testing.T) {
				src := &crowded{[]byte(shape), make(chan struct{}, few.connections)}
				for range few.connections {
					src.free <- struct{}{}
				}
				r := repotest.New(t, repotest.Options{})
				done := make(chan struct{})
				go func() {
					defer close(done)
					w, err := r.NewWriter(t.Context(), repo.WriterOptions{})
					if err != nil {
						t.Error(err)
						return
					}
					defer w.Abort()
					if _, _, err := snapshot.Save(t.Context(), r, w, src, snapshot.SaveOptions{Readers: few.readers, Big: few.big}); err != nil {
						t.Error(err)
					}
				}()
				select {
				case <-done:
				case <-time.After(time.Minute):
					panic("the readers wait for each other")
				}
			})
		}
	}
}
