package files

import (
	"errors"
	"io/fs"
)

// worker does jobs until the walk is stopped.
func (w *walk) worker() {
	s := newScratch()
	for {
		j := w.take()
		if j == nil {
			return
		}
		if j.batch == nil {
			j = w.list(j, s)
		}
		if j != nil {
			subs := w.fill(j.batch, s)
			w.finish(j, subs)
		}
	}
}

// take waits for the earliest job that may be done now, and returns nil when
// the walk was stopped.
func (w *walk) take() *job {
	w.mu.Lock()
	defer w.mu.Unlock()
	for !w.stopped {
		if j := w.queue.first(); j != nil && w.allowed(j) {
			if j.branch.listed {
				j = w.cutBatch(j)
			}
			j.running = true
			w.wake()
			return j
		}
		w.work.Wait()
	}
	return nil
}

// allowed holds the walk's bounds. The job that the reader waits for is the
// first of all, and must not wait for the reader.
func (w *walk) allowed(j *job) bool {
	if w.waiting && j == w.queue.head {
		return true
	}
	return w.ahead < w.aheadLimit && (j.branch.listed || w.names < namesLimit)
}

// wake passes the word on when there is more to do.
func (w *walk) wake() {
	if j := w.queue.first(); j != nil && w.allowed(j) {
		w.work.Signal()
	}
}

// cutBatch makes the next batch of j's branch. The last one takes j's place.
func (w *walk) cutBatch(j *job) *job {
	b := j.branch
	from := b.cut
	to := min(from+batchSize, b.names.len())
	t := &batch{branch: b, from: from, to: to, cost: to - from + batchCost}
	b.cut = to
	b.batches = append(b.batches, t)
	w.ahead += t.cost
	if to == b.names.len() {
		j.batch = t
		w.names -= b.large()
		return j
	}
	part := &job{branch: b, batch: t, running: true}
	w.queue.insert(part, j)
	return part
}

// large returns the number of b's names if they are more than one batch, and
// so outlive the job that listed them.
func (b *branch) large() int {
	if b.names.len() <= batchSize {
		return 0
	}
	return b.names.len()
}

// list reads the names of j's folder, and returns the job of its first batch.
func (w *walk) list(j *job, s *scratch) *job {
	b := j.branch
	names, tagged, err := w.namesOf(b, s)
	w.mu.Lock()
	defer w.mu.Unlock()
	b.names, b.tagged, b.err, b.listed = names, tagged, err, true
	b.gone = vanished(err) && b.given == nil && !b.asked
	w.names += b.large()
	w.rouse()
	if names.len() == 0 {
		w.queue.remove(j)
		w.wake()
		return nil
	}
	first := w.cutBatch(j)
	if first != j {
		j.running = false
		w.wake()
	}
	return first
}

// vanished reports whether err says that something is not there any more.
func vanished(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// namesOf lists b's folder. The names stay in s while they fit one batch: that
// one is filled before s is used again.
func (w *walk) namesOf(b *branch, s *scratch) (listing, bool, error) {
	if b.given != nil {
		return b.given.names, false, nil
	}
	if w.hook != nil {
		w.hook(b.path)
	}
	h, err := b.folder.acquire()
	if err != nil {
		return listing{}, false, pathError("open", b.path, err)
	}
	defer b.folder.release()
	if w.options.OneFileSystem && b.folder.identity().device != b.device {
		return listing{}, false, nil // mounted since its parent was read
	}
	l := &s.listing
	l.reset()
	err = pathError("list", b.path, h.list(l, s.buffer))
	l.sort()
	tagged := w.pruneTagged(h, l)
	names := *l
	if l.len() > batchSize {
		s.listing = listing{}
	}
	return names, tagged, err
}

// pruneTagged leaves nothing but the tag of a folder that bears one.
func (w *walk) pruneTagged(h handle, l *listing) bool {
	for _, t := range w.tags {
		if i, ok := t.in(h, l); ok {
			l.keep(i)
			return true
		}
	}
	return false
}

// rouse lets the reader look again. Until it waits once more, no job is
// allowed for its sake: it may be slow to wake.
func (w *walk) rouse() {
	if w.waiting {
		w.waiting = false
		w.ready.Signal()
	}
}

// finish puts the folders found in j's batch in its place.
func (w *walk) finish(j *job, found []*branch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, b := range found {
		if b != nil {
			w.queue.insert(&job{branch: b}, j)
		}
	}
	w.queue.remove(j)
	j.batch.done = true
	w.rouse()
	w.wake()
}
