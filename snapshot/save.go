package snapshot

import (
	"context"
	"errors"
	"iter"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"chartkeep/chunk"
	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/sources"
)

// SaveOptions tune a run. The zero value means the defaults.
type SaveOptions struct {
	Parent  *Node // root of the snapshot to compare with; nil: read everything
	Force   bool  // read every file, also those that look unchanged
	Strict  bool  // the first item that cannot be read fails the run
	Readers int   // readers of small files, which have a few open each; 0: 16
	Big     int   // big files read at a time; 0: 3

	// Join are nodes saved before by SaveApart, sorted by name. They become
	// entries of the root, beside what the source yields.
	Join []*Node

	// Progress is counted up while the run goes on; it may be nil.
	Progress *Progress
	// Problem is told of every item that could not be read, or not at rest.
	// Calls do not overlap.
	Problem func(path string, err error)
	// Item is told of every item when it is done; nil: nobody asks. Calls do not
	// overlap.
	Item func(path string, what Change, n *Node)
}

// A Change says how an item compares with the parent snapshot.
type Change uint8

// The changes.
const (
	Unmodified Change = iota
	Modified
	Added
)

func (c Change) String() string { return [...]string{"unchanged", "changed", "new"}[c] }

// ErrChanged is the problem with a file that changed while it was read, and
// again when it was read a second time.
var ErrChanged = errors.New("changed while it was read, twice; saved as it was read, and marked")

// saver is one run. The source's entries go, in order, into queue; small and
// big files go to readers as well and come back through their item's ready
// channel; the assembler takes the queue in order and makes trees of it.
type saver struct {
	r *repo.Repository
	w *repo.Writer
	o SaveOptions

	params chunk.Params
	lost   func(chunk.ID) bool // nil: nothing is lost
	trees  *repo.Lane
	lanes  laneSet // of small files

	small, big, long chan *item
	urgent           chan *item // goes before big and long
	held             []*item    // for big, until the walk has seen whether urgent ones follow
	heldFor          int        // entries since the first of them
	queue            chan *item

	folders []*folder // the walk's stack
	join    []*Node   // what is left of Join
}

// An item is an entry on its way to the assembler.
type item struct {
	op    op
	entry sources.Entry
	node  *Node // nil: not to be saved
	old   *Node // the parent snapshot's node of this path
	gap   bool  // the parent's tree has nodes between the item before and this one
	bytes int64 // read, or known without reading
	err   error
	file  sources.File  // opened ahead; nil: not yet
	begun time.Time     // when it was opened ahead
	ready chan struct{} // closed when node and err are set; nil: they are
}

type op uint8

const (
	opNode op = iota
	opEnter
	opLeave
	opJoined
)

// folder is a level of the walk: the parent snapshot's tree is read in step.
type folder struct {
	path   string
	cursor *TreeCursor // nil: no older version
	ahead  *Node
}

// queueLength bounds how far the walk runs ahead of the oldest file that is
// still being read, in entries.
const queueLength = 4096

// bigLength bounds how many entries the walk runs ahead of streams that are to be
// read, so that it comes to the urgent ones.
const bigLength = 1024

// Save stores everything that src yields and returns the root's node and what
// was counted. The caller flushes the writer, and then stores a manifest. An
// error means that there is nothing to refer to; items that could not be read
// are problems and not errors.
func Save(ctx context.Context, r *repo.Repository, w *repo.Writer, src sources.Source, o SaveOptions) (*Node, Summary, error) {
	a := newAssembler(r, w, o)
	if err := a.save(ctx, src); err != nil {
		return nil, Summary{}, err
	}
	if a.root == nil {
		return nil, Summary{}, errors.New("the source yielded nothing")
	}
	return a.root, a.summary, nil
}

// SaveApart is Save for a source that is to be one of several: it returns the
// nodes that lie in the root, for Join of a later Save with the same writer. So
// one source after the other is read to its end, whatever their paths are.
func SaveApart(ctx context.Context, r *repo.Repository, w *repo.Writer, src sources.Source, o SaveOptions) ([]*Node, Summary, error) {
	o.Join = nil // the others lie beside this one, not in it
	a := newAssembler(r, w, o)
	a.apart = true
	err := a.save(ctx, src)
	return a.top, a.summary, err
}

func newAssembler(r *repo.Repository, w *repo.Writer, o SaveOptions) *assembler {
	s := &saver{
		r: r, w: w, o: o, params: r.Config().Chunking, lost: r.Lost(), join: o.Join,
		trees: w.Lane(index.Meta), lanes: newLanes(w),
		small: make(chan *item, 256), big: make(chan *item, bigLength), long: make(chan *item, bigLength), urgent: make(chan *item, bigLength),
		queue: make(chan *item, queueLength),
	}
	if s.o.Progress == nil {
		s.o.Progress = new(Progress)
	}
	return &assembler{saver: s}
}

// save runs the walk, the readers and the assembler. The source's context ends
// early when one of them fails, and not when all are done: a sources.Moment has
// its End still before it.
func (a *assembler) save(ctx context.Context, src sources.Source) error {
	s := a.saver
	reading, giveUp := context.WithCancelCause(ctx)
	g, ctx := errgroup.WithContext(ctx)
	run := func(work func() error) {
		g.Go(func() error {
			err := work()
			if err != nil {
				giveUp(err)
			}
			return err
		})
	}
	run(func() error { return s.walk(ctx, src.Entries(reading)) })
	for range orDefault(s.o.Readers, 16) {
		run(func() error { return newFileReader(s, s.lanes, smallFile).serveMany(ctx, s.small) })
	}
	for i := range orDefault(s.o.Big, 3) {
		jobs := [3]<-chan *item{s.urgent, s.big, s.long}
		if i == 0 {
			jobs = [3]<-chan *item{s.urgent, s.long, s.big}
		}
		run(func() error { return newFileReader(s, newLanes(s.w), bigRoom).serveAny(ctx, jobs) })
	}
	run(func() error { return a.run(ctx) })
	return g.Wait()
}

func orDefault(n, d int) int {
	if n > 0 {
		return n
	}
	return d
}

// walk ranges over the source and decides for each entry whether it has to be
// read.
func (s *saver) walk(ctx context.Context, entries iter.Seq[sources.Entry]) error {
	defer close(s.queue)
	defer close(s.small)
	defer close(s.big)
	defer close(s.long)
	defer close(s.urgent)
	for e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.joinBefore(ctx, e.Path); err != nil {
			return err
		}
		if err := s.leaveFor(ctx, e.Path); err != nil {
			return err
		}
		if err := s.visit(ctx, e); err != nil {
			return err
		}
		if s.heldFor++; len(s.held) > 0 && s.heldFor >= bigLength {
			if err := s.letGo(ctx); err != nil {
				return err
			}
		}
	}
	if err := s.letGo(ctx); err != nil {
		return err
	}
	if err := s.joinBefore(ctx, ""); err != nil {
		return err
	}
	if err := s.leaveFor(ctx, ""); err != nil {
		return err
	}
	return ctx.Err()
}

// leaveFor closes the folders that path does not lie in.
func (s *saver) leaveFor(ctx context.Context, path string) error {
	for len(s.folders) > 0 {
		top := s.folders[len(s.folders)-1]
		if path != "" && within(path, top.path) {
			return nil
		}
		s.folders = s.folders[:len(s.folders)-1]
		if err := s.enqueue(ctx, &item{op: opLeave}); err != nil {
			return err
		}
	}
	return nil
}

// within reports whether path lies below dir, both absolute.
func within(path, dir string) bool {
	if dir == "/" {
		return path != "/"
	}
	return len(path) > len(dir) && path[len(dir)] == '/' && strings.HasPrefix(path, dir)
}

func (s *saver) enqueue(ctx context.Context, it *item) error { return send(ctx, s.queue, it) }

func (s *saver) visit(ctx context.Context, e sources.Entry) error {
	it := &item{entry: e, err: e.Err}
	it.old, it.gap = s.older(ctx, e.Path)
	switch {
	case e.Meta.Kind == 0: // nothing is known but that it could not be read
		return s.enqueue(ctx, it)
	case e.Meta.Kind == sources.Dir:
		return s.enter(ctx, it)
	case e.Meta.Kind == sources.Regular && e.Err == nil:
		return s.file(ctx, it)
	}
	it.node = s.plain(it)
	return s.enqueue(ctx, it)
}

// older finds the parent snapshot's node of a path.
func (s *saver) older(ctx context.Context, path string) (*Node, bool) {
	if path == "/" {
		return s.o.Parent, false
	}
	if len(s.folders) == 0 {
		return nil, false
	}
	return s.folders[len(s.folders)-1].find(ctx, path[strings.LastIndexByte(path, '/')+1:])
}

// find advances the older tree to name. gap says that nodes were passed over
// which the source no longer has. An older tree that cannot be read costs its
// use and nothing else.
func (f *folder) find(ctx context.Context, name string) (n *Node, gap bool) {
	for f.cursor != nil {
		if f.ahead == nil {
			var err error
			if f.ahead, err = f.cursor.Next(ctx); err != nil || f.ahead == nil {
				f.cursor = nil
				return nil, true
			}
		}
		if f.ahead.Name > name {
			return nil, gap
		}
		if n, f.ahead = f.ahead, nil; n.Name == name {
			return n, gap
		}
		gap = true
	}
	return nil, true
}

func (s *saver) enter(ctx context.Context, it *item) error {
	f := &folder{path: it.entry.Path}
	if it.old != nil && it.old.Meta.Kind == sources.Dir {
		f.cursor = NewTreeCursor(s.r, it.old.Tree)
	} else {
		it.old = nil
	}
	s.folders = append(s.folders, f)
	it.op = opEnter
	it.node = &Node{Name: baseName(it.entry.Path), Meta: it.entry.Meta}
	if it.err != nil {
		it.node.State |= Unreadable
	}
	return s.enqueue(ctx, it)
}

func baseName(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }
