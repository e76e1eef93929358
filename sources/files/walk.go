package files

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"

	"chartkeep/sources"
)

// A Source walks files and folders. It implements sources.Source.
type Source struct {
	options Options
	exclude excluder
	tags    []tag
	given   *given
	owners  *owners

	begun atomic.Pointer[walk] // by Begin, and not yet ranged over

	aheadLimit int               // entries not yet taken by the reader
	hook       func(path string) // tests: a folder is about to be listed
}

// Bounds of what is done ahead of the reader.
const (
	batchSize   = 512       // entries whose metadata is asked for in one job
	batchCost   = 8         // what a batch costs beside its entries, in entries
	aheadLimit  = 16 << 10  // entries not yet taken by the reader
	namesLimit  = 512 << 10 // names of large folders that are in no batch yet
	idleHandles = 256       // folders, or fewer where few files may be open
)

// spare is n, or as many files as may be open only because that is faster.
func spare(n int) int { return max(0, min(n, int(spareFiles()))) }

// topPath is where a walk begins. On Windows it holds the volumes.
const topPath = "/"

// A walk is one run over a Source.
type walk struct {
	*Source
	pool *pool[handle]

	mu      sync.Mutex
	work    sync.Cond // workers wait: for a job that may be taken
	ready   sync.Cond // the reader waits: for a listing or a batch
	workers sync.WaitGroup
	top     *branch
	root    sources.Entry
	queue   queue
	ahead   int // cost of the batches that the reader has not taken
	names   int // names of listed folders that are in no batch yet
	waiting bool
	stopped bool
	spare   spares
}

// A branch is one folder of the walk.
type branch struct {
	folder   *folder
	path     string
	given    *given // set on the folders above the given paths
	asked    bool   // it is a given path itself
	device   uint64 // of the given path that the branch belongs to
	verdicts verdicts

	// Guarded by walk.mu.
	listed  bool
	err     error // from listing it
	gone    bool  // it vanished before that
	tagged  bool
	names   listing
	cut     int      // names that are in a batch
	batches []*batch // cut and not yet taken by the reader, in order
}

// Entries implements sources.Source. The first walk goes on with what was begun.
func (s *Source) Entries(ctx context.Context) iter.Seq[sources.Entry] {
	return func(yield func(sources.Entry) bool) {
		w := s.begun.Swap(nil)
		if w == nil {
			w = s.start()
		}
		w.serve(ctx, yield)
	}
}

// Begin starts the next walk, as far as it runs ahead of who ranges over it.
func (s *Source) Begin() {
	s.GiveUp()
	s.begun.Store(s.start())
}

// GiveUp ends a walk that was begun and not ranged over.
func (s *Source) GiveUp() {
	if w := s.begun.Swap(nil); w != nil {
		w.end()
	}
}

func (s *Source) newWalk() *walk {
	w := &walk{Source: s, pool: &pool[handle]{limit: spare(idleHandles)}}
	w.work.L, w.ready.L = &w.mu, &w.mu
	return w
}

// start lists the topmost folder, and what is below it.
func (s *Source) start() *walk {
	w := s.newWalk()
	w.top = &branch{folder: topFolder(w.pool, topPath), path: topPath, given: w.given}
	w.root = w.rootEntry(w.top)
	w.queue.insert(&job{branch: w.top}, nil)
	for range w.options.Concurrency {
		w.workers.Go(w.worker)
	}
	return w
}

// serve does the whole walk.
func (w *walk) serve(ctx context.Context, yield func(sources.Entry) bool) {
	unwatch := context.AfterFunc(ctx, w.stop)
	defer w.end()
	defer unwatch()
	w.run(ctx, yield)
}

func (w *walk) end() {
	w.stop()
	w.workers.Wait()
	w.pool.retire()
}

func (w *walk) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	w.work.Broadcast()
	w.ready.Broadcast()
}

// run yields the root and all below it.
func (w *walk) run(ctx context.Context, yield func(sources.Entry) bool) {
	v := visitor{walk: w, ctx: ctx, yield: yield}
	if !v.enter(w.top, w.root) && ctx.Err() != nil && !v.ended {
		yield(sources.Entry{Path: v.path, Err: ctx.Err()})
	}
}

// rootEntry makes the entry of the topmost folder.
func (w *walk) rootEntry(b *branch) sources.Entry {
	e := sources.Entry{Path: b.path}
	h, err := b.folder.acquire()
	if err == nil {
		err = h.stat(".", true, &e.Meta)
		b.folder.release()
	}
	if err != nil {
		e.Err = pathError("stat", b.path, err)
		return e
	}
	w.owners.name(&e.Meta)
	e.Content = &node{owners: w.owners, folder: b.folder, path: b.path, kind: e.Meta.Kind}
	if b.given.whole {
		b.given, b.asked, b.device = nil, true, e.Meta.Device
	}
	return e
}

// A visitor is the reader's side of a walk: the goroutine that ranges over it.
type visitor struct {
	*walk
	ctx   context.Context
	yield func(sources.Entry) bool
	ended bool   // the loop was left
	path  string // where it is
}

// enter yields the folder of b and all in it. It returns false when the walk
// is over.
func (v *visitor) enter(b *branch, e sources.Entry) bool {
	v.path = b.path
	if !v.await(&b.listed) {
		return false
	}
	if b.gone {
		return true
	}
	if b.err != nil {
		e.Content, e.Err = nil, b.err
	}
	if b.tagged {
		v.report(b.path, ByTag)
	}
	if !v.give(e) {
		return false
	}
	for {
		t, ok := v.next(b)
		if t == nil {
			return ok
		}
		for _, s := range t.skipped {
			v.report(s.path, s.why)
		}
		for i := range t.entries {
			if t.below != nil && t.below[i] != nil {
				ok = v.enter(t.below[i], t.entries[i])
			} else {
				ok = v.give(t.entries[i])
			}
			if !ok {
				return false
			}
		}
		v.recycle(t)
	}
}

func (v *visitor) give(e sources.Entry) bool {
	if v.ctx.Err() != nil {
		return false
	}
	v.ended = !v.yield(e)
	return !v.ended
}

func (v *visitor) report(path string, why Reason) {
	if v.options.Skipped != nil {
		v.options.Skipped(path, why)
	}
}

// await returns when done, which mu guards, has become true, or false if the
// walk was stopped.
func (w *walk) await(done *bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.until(func() bool { return *done })
}

// next takes the next batch of b; nil at b's end, or not ok if the walk was
// stopped.
func (w *walk) next(b *branch) (t *batch, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(b.batches) == 0 && b.cut == b.names.len() {
		return nil, true
	}
	if !w.until(func() bool { return len(b.batches) > 0 && b.batches[0].done }) {
		return nil, false
	}
	t = b.batches[0]
	b.batches = b.batches[1:]
	w.ahead -= t.cost
	w.work.Signal()
	return t, true
}

// until waits, with mu held, for something that a worker does.
func (w *walk) until(happened func() bool) bool {
	for !happened() && !w.stopped {
		w.waiting = true
		w.work.Signal()
		w.ready.Wait()
	}
	w.waiting = false
	return !w.stopped
}

func (w *walk) recycle(t *batch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.spare.put(t.entries)
}
