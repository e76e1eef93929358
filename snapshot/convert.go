package snapshot

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"chartkeep/repo"
	"chartkeep/repo/storage"
	"chartkeep/sources"
)

// ConvertOptions tune a conversion. The zero value reads everything.
type ConvertOptions struct {
	// Known is the root of a snapshot that was converted before, and Became that
	// of what became of it. What is the same as in Known is not read.
	Known, Became *Node

	Readers int // small files read at a time; 0: 4
	Big     int // big files read at a time; 0: 1

	// Progress is counted up while the run goes on; it may be nil.
	Progress *Progress
	// Problem is told of everything that is lost in the repository that is read;
	// what it is told of is not in the result. Calls do not overlap.
	Problem func(path string, err error)
}

// Convert stores the tree below root, which lies in the repository from, by
// what it holds: contents are read, cut and named as w's repository does it, so
// that the two need have nothing in common. Nodes are the same but for their
// lists. The caller flushes w, and then stores a manifest. An error means that
// there is nothing to refer to.
func Convert(ctx context.Context, from, to *repo.Repository, w *repo.Writer, root *Node, o ConvertOptions) (*Node, error) {
	a := newAssembler(to, w, SaveOptions{Progress: o.Progress, Problem: o.Problem})
	c := &converter{a.saver, from}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(c.queue)
		defer close(c.small)
		defer close(c.big)
		return c.node(ctx, "/", root, older{o.Known, o.Became})
	})
	for range orDefault(o.Readers, 4) {
		g.Go(func() error { return c.serve(ctx, newFileReader(c.saver, c.lanes, smallFile), c.small) })
	}
	for range orDefault(o.Big, 1) {
		g.Go(func() error { return c.serve(ctx, newFileReader(c.saver, newLanes(w), bigRoom), c.big) })
	}
	g.Go(func() error { return a.run(ctx) })
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return a.root, nil
}

// A converter walks a tree of another repository in a saver's place.
type converter struct {
	*saver
	from *repo.Repository
}

// older is an older node of the repository that is read, and what it became; nil,
// nil where there is none.
type older struct{ known, became *Node }

// node sends a node, and all below it, to the assembler.
func (c *converter) node(ctx context.Context, path string, n *Node, old older) error {
	if old.known == nil || old.became == nil || old.became.Meta.Kind != n.Meta.Kind || old.known.Meta.Kind != n.Meta.Kind {
		old = older{&Node{}, &Node{}}
	}
	it := &item{node: new(Node), entry: sources.Entry{Path: path, Meta: n.Meta}}
	*it.node = *n
	switch {
	case n.Meta.Kind == sources.Dir && !c.sameTree(n, old):
		return c.folder(ctx, it, n.Tree, old)
	case n.Meta.Kind == sources.Dir:
		it.node.Tree = old.became.Tree
	case n.Meta.Kind == sources.Regular && len(n.Content.Refs) > 0 && !c.sameFile(ctx, n, old):
		return c.read(ctx, it)
	case n.Meta.Kind == sources.Regular && len(n.Content.Refs) > 0:
		it.node.Content, it.bytes = old.became.Content, int64(n.Content.Size())
	}
	return c.enqueue(ctx, it)
}

// sameTree reports whether a folder's tree has been converted before. When
// something of the target is known to be lost, every file is looked at.
func (c *converter) sameTree(n *Node, old older) bool {
	return c.lost == nil && sameList(n.Tree, old.known.Tree) && n.Tree.Size() == old.became.Tree.Size()
}

func (c *converter) sameFile(ctx context.Context, n *Node, old older) bool {
	return sameList(n.Content, old.known.Content) && n.Content.Size() == old.became.Content.Size() &&
		(c.lost == nil || c.whole(ctx, old.became.Content))
}

// folder sends a folder and what it holds. The older trees are read in step.
func (c *converter) folder(ctx context.Context, it *item, tree List, old older) error {
	it.op, it.node.Tree = opEnter, List{}
	if err := c.enqueue(ctx, it); err != nil {
		return err
	}
	known := folder{cursor: NewTreeCursor(c.from, old.known.Tree)}
	became := folder{cursor: NewTreeCursor(c.r, old.became.Tree)}
	for n, err := range Tree(ctx, c.from, tree) {
		if err != nil {
			if err = c.lostInSource(ctx, it.entry.Path, err); err != nil {
				return err
			}
			continue
		}
		var was older
		was.known, _ = known.find(ctx, n.Name)
		was.became, _ = became.find(ctx, n.Name)
		if err := c.node(ctx, join(it.entry.Path, n.Name), n, was); err != nil {
			return err
		}
	}
	return c.enqueue(ctx, &item{op: opLeave})
}

// lostInSource passes on what is the matter with one path, and returns what
// concerns all of them.
func (c *converter) lostInSource(ctx context.Context, path string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, storage.ErrAbsent) {
		return err
	}
	if lost := (*repo.ChunkError)(nil); errors.As(err, &lost) {
		err = lost // without the words of whoever read it
	}
	return c.enqueue(ctx, &item{entry: sources.Entry{Path: path}, err: err})
}

// read sends a file to be read, cut and stored.
func (c *converter) read(ctx context.Context, it *item) error {
	it.ready = make(chan struct{})
	if err := c.enqueue(ctx, it); err != nil {
		return err
	}
	to := c.small
	if it.node.Content.Size() > smallFile {
		to = c.big
	}
	select {
	case to <- it:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *converter) serve(ctx context.Context, f *fileReader, jobs <-chan *item) error {
	for {
		select {
		case it, ok := <-jobs:
			if !ok {
				return nil
			}
			err := c.convert(ctx, f, it)
			close(it.ready)
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// convert gives an item's node the content list that it has in the target. A
// file that is lost has none, and is a problem.
func (c *converter) convert(ctx context.Context, f *fileReader, it *item) error {
	path := it.entry.Path
	c.o.Progress.Current.Store(&path)
	list, err := c.content(ctx, f, it.node.Content)
	it.node.Content, it.bytes = list, int64(list.Size())
	lost := readError{}
	switch {
	case err == nil || ctx.Err() != nil:
		return err
	case !errors.As(err, &lost) || errors.Is(err, storage.ErrAbsent):
		return err
	}
	it.err = lost.error
	if e := (*repo.ChunkError)(nil); errors.As(err, &e) {
		it.err = e
	}
	return nil
}

// content stores a content list of the other repository anew: its holes stay
// holes, and what lies between them is cut as one stream each.
func (c *converter) content(ctx context.Context, f *fileReader, l List) (List, error) {
	in := newPieces(ctx, c.from, l)
	defer in.stop()
	for in.next() {
		if in.hole > 0 {
			if err := f.hole(in.hole); err != nil {
				return List{}, err
			}
			continue
		}
		if err := f.stream(ctx, source{in}); err != nil {
			f.list.finish(inline)
			return List{}, err
		}
	}
	if in.err != nil {
		f.list.finish(inline)
		return List{}, readError{in.err}
	}
	return f.list.finish(inline)
}
