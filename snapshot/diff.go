package snapshot

import (
	"bytes"
	"context"
	"slices"

	"chartkeep/sources"
)

// A DifferenceKind is the letter that stands for a difference.
type DifferenceKind byte

// The kinds of differences.
const (
	AddedPath       DifferenceKind = '+'
	RemovedPath     DifferenceKind = '-'
	ModifiedContent DifferenceKind = 'M'
	OtherType       DifferenceKind = 'T'
	UpdatedMetadata DifferenceKind = 'U' // mode, owner, time or attributes only
)

// A Difference is a path that is not the same in two trees. Below a folder that
// is in one of them only, every path is a difference.
type Difference struct {
	Kind     DifferenceKind
	Path     string
	Old, New *Node // nil where the path is not
}

// Diff tells fn in which paths the trees below a and b differ, in the order of
// a walk. The paths begin with base. Sub-trees that are the same are known by
// their references and not read.
func Diff(ctx context.Context, load Loader, a, b *Node, base string, fn func(Difference) error) error {
	d := &differ{load: load, fn: fn}
	if a.Meta.Kind == sources.Dir && b.Meta.Kind == sources.Dir {
		return d.folders(ctx, []byte(base), a.Tree, b.Tree)
	}
	return d.nodes(ctx, []byte(base), a, b)
}

type differ struct {
	load Loader
	fn   func(Difference) error
}

// folders reads two trees in step.
func (d *differ) folders(ctx context.Context, path []byte, a, b List) error {
	if sameList(a, b) {
		return nil
	}
	left, right := &treeSide{c: NewTreeCursor(d.load, a)}, &treeSide{c: NewTreeCursor(d.load, b)}
	for {
		if err := firstError(left.fill(ctx), right.fill(ctx)); err != nil {
			return err
		}
		was, is := left.ahead, right.ahead
		switch {
		case was == nil && is == nil:
			return nil
		case is == nil || was != nil && was.Name < is.Name:
			is, left.ahead = nil, nil
		case was == nil || is.Name < was.Name:
			was, right.ahead = nil, nil
		default:
			left.ahead, right.ahead = nil, nil
		}
		if err := d.pair(ctx, path, was, is); err != nil {
			return err
		}
	}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// treeSide is one of the two trees, and its next node.
type treeSide struct {
	c     *TreeCursor
	ahead *Node
	ended bool
}

func (s *treeSide) fill(ctx context.Context) (err error) {
	if s.ahead == nil && !s.ended {
		s.ahead, err = s.c.Next(ctx)
		s.ended = s.ahead == nil
	}
	return err
}

// pair compares two nodes of one name, of which one may be nil.
func (d *differ) pair(ctx context.Context, dir []byte, was, is *Node) error {
	switch {
	case was == nil:
		return d.all(ctx, AddedPath, enter(dir, is.Name), is)
	case is == nil:
		return d.all(ctx, RemovedPath, enter(dir, was.Name), was)
	}
	return d.nodes(ctx, enter(dir, is.Name), was, is)
}

// all tells of a node that is in one of the trees only, and of what it holds.
func (d *differ) all(ctx context.Context, kind DifferenceKind, path []byte, n *Node) error {
	return Walk(ctx, d.load, n, string(path), func(path string, n *Node, err error) error {
		if err != nil {
			return err
		}
		if kind == AddedPath {
			return d.fn(Difference{Kind: kind, Path: path, New: n})
		}
		return d.fn(Difference{Kind: kind, Path: path, Old: n})
	})
}

func (d *differ) nodes(ctx context.Context, path []byte, was, is *Node) error {
	if kind := difference(was, is); kind != 0 {
		if err := d.fn(Difference{Kind: kind, Path: string(path), Old: was, New: is}); err != nil {
			return err
		}
	}
	return d.below(ctx, path, was, is)
}

// below goes on with what folders hold.
func (d *differ) below(ctx context.Context, path []byte, was, is *Node) error {
	switch folder := sources.Dir; {
	case was.Meta.Kind == folder && is.Meta.Kind == folder:
		return d.folders(ctx, path, was.Tree, is.Tree)
	case was.Meta.Kind == folder:
		return d.children(ctx, RemovedPath, path, was)
	case is.Meta.Kind == folder:
		return d.children(ctx, AddedPath, path, is)
	}
	return nil
}

func (d *differ) children(ctx context.Context, kind DifferenceKind, path []byte, dir *Node) error {
	for n, err := range Tree(ctx, d.load, dir.Tree) {
		if err != nil {
			return err
		}
		if err := d.all(ctx, kind, enter(path, n.Name), n); err != nil {
			return err
		}
	}
	return nil
}

// difference is the letter for two nodes of one path, or 0.
func difference(was, is *Node) DifferenceKind {
	switch {
	case was.Meta.Kind != is.Meta.Kind:
		return OtherType
	case was.Meta.Kind != sources.Dir && !sameSubstance(was, is):
		return ModifiedContent
	case !sameLook(was, is):
		return UpdatedMetadata
	}
	return 0
}

// sameSubstance compares what a file holds, a link leads to and a device is.
func sameSubstance(a, b *Node) bool {
	return sameList(a.Content, b.Content) && a.Meta.Target == b.Meta.Target && a.Meta.RDev == b.Meta.RDev
}

// sameLook compares the metadata that people set. A folder's time follows from
// what happens in it and is no difference of its own.
func sameLook(a, b *Node) bool {
	x, y := &a.Meta, &b.Meta
	return x.Mode == y.Mode && x.UID == y.UID && x.GID == y.GID && x.User == y.User && x.Group == y.Group && x.Attrs == y.Attrs &&
		(x.Kind == sources.Dir || x.MTime == y.MTime) && slices.EqualFunc(a.Attributes, b.Attributes, sameAttribute)
}

func sameAttribute(a, b sources.Attribute) bool {
	return a.Name == b.Name && bytes.Equal(a.Value, b.Value)
}

func sameList(a, b List) bool { return a.Level == b.Level && slices.Equal(a.Refs, b.Refs) }
