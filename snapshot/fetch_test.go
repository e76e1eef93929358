package snapshot_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chartkeep/repo"
	"chartkeep/repo/repotest"
	"chartkeep/snapshot"
	"chartkeep/sources"
)

// A fetchSource is a memSource whose files can be opened ahead. The first that is
// opened waits until all have been listed.
type fetchSource struct {
	*memSource
	walked     chan struct{}
	open, most atomic.Int64     // files open now, and most at a time
	reading    func(f *memFile) // before the first byte of each
	broken     map[string]bool  // these cannot be opened

	edited        bool      // all are written shortly before they are listed,
	written       time.Time // then
	mu            sync.Mutex
	opened, began map[*memFile]time.Time // and read
}

type fetchContent struct {
	memContent
	src  *fetchSource
	path string
}

func (c fetchContent) Open() (sources.File, error) {
	<-c.src.walked
	if c.src.broken[c.path] {
		return nil, &fs.PathError{Op: "open", Path: c.path, Err: fs.ErrPermission}
	}
	c.src.note(c.src.opened, c.f)
	n := c.src.open.Add(1)
	for most := c.src.most.Load(); n > most && !c.src.most.CompareAndSwap(most, n); most = c.src.most.Load() {
	}
	return &fetchFile{memOpen{bytes.NewReader(c.f.data), c.f}, c.src, false}, nil
}

func (c fetchContent) Fetch() (sources.File, error) { return c.Open() }

type fetchFile struct {
	memOpen
	src  *fetchSource
	read bool
}

func (f *fetchFile) Read(p []byte) (int, error) {
	if !f.read {
		f.src.reading(f.f)
		f.src.note(f.src.began, f.f)
	}
	f.read = true
	return f.memOpen.Read(p)
}

func (f *fetchFile) Meta() (sources.Meta, error) { return f.src.dated(f.f.meta()), nil }

func (f *fetchFile) Close() error {
	f.src.open.Add(-1)
	return nil
}

func (s *fetchSource) Entries(ctx context.Context) iter.Seq[sources.Entry] {
	return func(yield func(sources.Entry) bool) {
		defer close(s.walked)
		if s.edited {
			s.written = time.Now()
		}
		for e := range s.memSource.Entries(ctx) {
			if e.Meta.Kind == sources.Regular {
				e.Meta = s.dated(e.Meta)
				e.Content = fetchContent{e.Content.(memContent), s, e.Path}
			}
			if !yield(e) {
				return
			}
		}
	}
}

func (s *fetchSource) dated(m sources.Meta) sources.Meta {
	if s.edited {
		m.MTime = sources.At(s.written)
		m.CTime = m.MTime
	}
	return m
}

func (s *fetchSource) note(when map[*memFile]time.Time, f *memFile) {
	s.mu.Lock()
	defer s.mu.Unlock()
	when[f] = time.Now()
}

func newFetchSource(files int) *fetchSource {
	src := &fetchSource{
		memSource: newMemSource(), walked: make(chan struct{}), reading: func(*memFile) {}, broken: map[string]bool{},
		opened: map[*memFile]time.Time{}, began: map[*memFile]time.Time{},
	}
	for i := range files {
		src.put(fmt.Sprintf("/srv/letter%03d", i), text(uint64(i), 500))
	}
	return src
}

// TestSmallFilesAreOpenedAhead, a few at a time, and all come back.
func TestSmallFilesAreOpenedAhead(t *testing.T) {
	src := newFetchSource(200)
	r := repotest.New(t, repotest.Options{})
	s, _ := save(t, r, src, snapshot.SaveOptions{Readers: 1})
	if most := src.most.Load(); most != 8 {
		t.Errorf("at most %d files are open", most)
	}
	if n := src.open.Load(); n != 0 {
		t.Errorf("%d files stay open", n)
	}
	same(t, src.memSource, content(t, r, &s.Root, "/", map[string][]byte{}))
}

// TestFilesThatWereOpenedAheadAreClosed when the run ends before they are read.
func TestFilesThatWereOpenedAheadAreClosed(t *testing.T) {
	src := newFetchSource(200)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	src.reading = func(*memFile) {
		if src.most.Load() == 8 { // fewer were listed when the first were taken
			cancel()
		}
	}
	r := repotest.New(t, repotest.Options{})
	w, err := r.NewWriter(ctx, repo.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	if _, _, err := snapshot.Save(ctx, r, w, src, snapshot.SaveOptions{Readers: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("the run ends with %v", err)
	}
	if n, most := src.open.Load(), src.most.Load(); n != 0 || most != 8 {
		t.Errorf("of %d files %d stay open", most, n)
	}
}

// TestAFileThatCannotBeOpenedAheadIsReportedOnce, and those beside it are saved.
func TestAFileThatCannotBeOpenedAheadIsReportedOnce(t *testing.T) {
	src := newFetchSource(100)
	src.broken["/srv/letter050"] = true
	var told []string
	r := repotest.New(t, repotest.Options{})
	s, _ := save(t, r, src, snapshot.SaveOptions{Problem: func(path string, err error) {
		if errors.Is(err, fs.ErrPermission) {
			told = append(told, path)
		}
	}})
	if len(told) != 1 || told[0] != "/srv/letter050" {
		t.Errorf("reported: %q", told)
	}
	src.files["/srv/letter050"].data = nil
	same(t, src.memSource, content(t, r, &s.Root, "/", map[string][]byte{}))
}

// TestAFileThatIsChangedAfterItWasOpenedAheadIsReadOnceMore: what it says of itself
// then is compared with what it said when it was listed.
func TestAFileThatIsChangedAfterItWasOpenedAheadIsReadOnceMore(t *testing.T) {
	src := newFetchSource(20)
	var changed atomic.Bool
	late := src.files["/srv/letter010"]
	src.reading = func(f *memFile) {
		if f == late && !changed.Swap(true) {
			late.data, late.mtime = []byte("written anew"), late.mtime+1
		}
	}
	r := repotest.New(t, repotest.Options{})
	s, _ := save(t, r, src, snapshot.SaveOptions{Readers: 1})
	same(t, src.memSource, content(t, r, &s.Root, "/", map[string][]byte{}))
}

// TestAFileThatWasNewWhenItWasOpenedAheadIsLookedAtAgain the next night, however
// long it waited for its turn.
func TestAFileThatWasNewWhenItWasOpenedAheadIsLookedAtAgain(t *testing.T) {
	const grain = 100 * time.Millisecond
	for range 20 { // until a computer is not so busy that a file is no longer new when it is opened
		src := newFetchSource(9)
		src.edited = true
		src.reading = func(*memFile) { time.Sleep(grain / 4) }
		r := repotest.New(t, repotest.Options{})
		s, _ := save(t, r, src, snapshot.SaveOptions{Readers: 1})
		srv, err := snapshot.Lookup(t.Context(), r, &s.Root, "/srv")
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		for n, err := range snapshot.Tree(t.Context(), r, srv.Tree) {
			if err != nil {
				t.Fatal(err)
			}
			f := src.files["/srv/"+n.Name]
			if src.written.After(src.opened[f].Add(-grain)) && src.began[f].Add(-grain).After(src.written) {
				if seen++; n.State&snapshot.Recheck == 0 {
					t.Errorf("%s is not", n.Name)
				}
			}
		}
		if seen > 0 {
			return
		}
	}
	t.Error("none was opened at once and read late")
}
