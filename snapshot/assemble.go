package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"chartkeep/chunk"
	"chartkeep/sources"
)

// assembler takes items in the source's order and makes trees of them.
type assembler struct {
	*saver
	levels  []*treeLevel
	root    *Node
	summary Summary

	apart bool    // the root is of no interest, but
	top   []*Node // what lies in it
}

// treeLevel is a folder whose tree is being made. As long as every node is the
// older tree's next node nothing is encoded: same counts them. The first
// difference replays them into the list.
type treeLevel struct {
	it   *item
	list listWriter
	same bool
	n    uint64 // nodes so far
	last string // the name of the last of them
	buf  []byte // of one node
}

func (a *assembler) run(ctx context.Context) error {
	for {
		select {
		case it, ok := <-a.queue:
			if !ok {
				return nil
			}
			if err := a.take(ctx, it); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (a *assembler) take(ctx context.Context, it *item) error {
	if it.ready != nil {
		select {
		case <-it.ready:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := a.problem(it); err != nil {
		return err
	}
	switch it.op {
	case opEnter:
		a.levels = append(a.levels, &treeLevel{it: it, same: it.old != nil, list: listWriter{put: a.putPiece, nodes: true}})
		return nil
	case opLeave:
		return a.leave(ctx)
	}
	if it.node == nil {
		return a.missed(ctx, it)
	}
	return a.done(ctx, it)
}

// missed makes sure that a tree in which an older node has no successor is not
// taken for the older tree.
func (a *assembler) missed(ctx context.Context, it *item) error {
	if len(a.levels) == 0 || a.apart && len(a.levels) == 1 || it.old == nil && !it.gap {
		return nil
	}
	return a.differ(ctx, a.levels[len(a.levels)-1])
}

// problem reports what is wrong with an item. It ends a strict run.
func (a *assembler) problem(it *item) error {
	if it.err == nil {
		return nil
	}
	if a.o.Strict {
		return fmt.Errorf("%s: %w", it.entry.Path, it.err)
	}
	if errors.Is(it.err, ErrChanged) {
		a.summary.Inconsistent++
	} else {
		a.summary.Errors++
		a.o.Progress.Errors.Add(1)
	}
	if a.o.Problem != nil {
		a.o.Problem(it.entry.Path, it.err)
	}
	return nil
}

// leave ends the innermost folder.
func (a *assembler) leave(ctx context.Context) error {
	l := a.levels[len(a.levels)-1]
	a.levels = a.levels[:len(a.levels)-1]
	if a.apart && len(a.levels) == 0 {
		return nil
	}
	n := l.it.node
	var err error
	if n.Tree, err = a.closeTree(ctx, l); err != nil {
		return err
	}
	if err := a.folderAttributes(l.it); err != nil {
		return err
	}
	if a.reused(l) && n.State == l.it.old.State && sameMeta(&n.Meta, &l.it.old.Meta) {
		l.it.node = l.it.old
	}
	return a.done(ctx, l.it)
}

func (a *assembler) reused(l *treeLevel) bool { return l.same && l.n == l.it.old.Tree.Size() }

func (a *assembler) closeTree(ctx context.Context, l *treeLevel) (List, error) {
	if a.reused(l) {
		return l.it.old.Tree, nil
	}
	if err := a.differ(ctx, l); err != nil {
		return List{}, err
	}
	return l.list.finish(1)
}

// folderAttributes reads a folder's extended attributes, unless its older
// version shows that they cannot have changed.
func (a *assembler) folderAttributes(it *item) error {
	n := it.node
	if it.old != nil && it.old.State == 0 && sameMeta(&it.old.Meta, &n.Meta) {
		n.Attributes = it.old.Attributes
		return nil
	}
	if it.entry.Content == nil {
		return nil
	}
	var err error
	n.Attributes, err = it.entry.Content.Attributes()
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return a.problem(&item{entry: it.entry, err: err})
}

// maxAttributes bounds what a node keeps of extended attributes, bytes: a node
// has to fit a chunk. File systems keep less, but some network shares do not.
const maxAttributes = 1 << 20

// ErrAttributes is the problem with an entry whose extended attributes are too
// large to be kept.
var ErrAttributes = errors.New("its extended attributes are larger than 1 MiB together and are not saved")

// done adds a finished node to its folder's tree.
func (a *assembler) done(ctx context.Context, it *item) error {
	size := 0
	for _, x := range it.node.Attributes {
		size += len(x.Name) + len(x.Value)
	}
	if size > maxAttributes {
		bare := *it.node
		bare.Attributes = nil
		it.node = &bare
		if err := a.problem(&item{entry: it.entry, err: ErrAttributes}); err != nil {
			return err
		}
	}
	if it.op != opJoined {
		a.count(it)
	}
	if len(a.levels) == 0 {
		a.root = it.node
		return nil
	}
	if a.apart && len(a.levels) == 1 {
		a.top = append(a.top, it.node)
		return nil
	}
	l := a.levels[len(a.levels)-1]
	if it.node.Name <= l.last { // nobody could read such a tree
		return fmt.Errorf("%w: %q after %q in %s", errPiece, it.node.Name, l.last, l.it.entry.Path)
	}
	l.last = it.node.Name
	if l.same && !it.gap && it.node == it.old {
		l.n++
		return nil
	}
	if err := a.differ(ctx, l); err != nil {
		return err
	}
	return l.add(it.node)
}

// differ ends the state in which the tree equals the older one so far.
func (a *assembler) differ(ctx context.Context, l *treeLevel) error {
	if !l.same {
		return nil
	}
	l.same = false
	c := NewTreeCursor(a.r, l.it.old.Tree)
	for range l.n {
		n, err := c.Next(ctx)
		if err != nil || n == nil {
			return fmt.Errorf("read the tree of %s again: %w", l.it.entry.Path, errors.Join(err, errPiece))
		}
		if err := l.add(n); err != nil {
			return err
		}
	}
	return nil
}

func (l *treeLevel) add(n *Node) error {
	l.buf = n.append(l.buf[:0])
	return l.list.add(0, l.buf, 1, n.Name, cutAfterName(n.Name))
}

func (s *saver) putPiece(piece []byte) (chunk.ID, error) {
	id, _, err := s.trees.Put(piece)
	return id, err
}

// count sums up and shows an item.
func (a *assembler) count(it *item) {
	what := Added
	switch {
	case it.old == nil:
	case it.node == it.old || sameContent(it.node, it.old):
		what = Unmodified
	default:
		what = Modified
	}
	s := &a.summary
	if it.node.Meta.Kind == sources.Dir {
		*[]*int64{&s.DirsUnmodified, &s.DirsChanged, &s.DirsNew}[what]++
	} else {
		*[]*int64{&s.FilesUnmodified, &s.FilesChanged, &s.FilesNew}[what]++
		s.Files++
		s.Bytes += it.bytes
		a.o.Progress.Files.Add(1)
		if it.node == it.old {
			a.o.Progress.Bytes.Add(it.bytes)
		}
	}
	if a.o.Item != nil {
		a.o.Item(it.entry.Path, what, it.node)
	}
}

// sameContent reports whether two nodes differ in nothing but when they were
// looked at: same kind, same metadata, same content.
func sameContent(a, b *Node) bool {
	if !sameMeta(&a.Meta, &b.Meta) {
		return false
	}
	x, y := a.list(), b.list()
	if x.Level != y.Level || len(x.Refs) != len(y.Refs) {
		return false
	}
	for i := range x.Refs {
		if x.Refs[i] != y.Refs[i] {
			return false
		}
	}
	return true
}
