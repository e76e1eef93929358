package snapshot

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path"
	"slices"
	"strings"

	"chartkeep/chunk"
	"chartkeep/sources"
)

// A Loader gives back stored chunks, verified. *repo.Repository is one.
type Loader interface {
	Load(ctx context.Context, id chunk.ID) ([]byte, error)
}

// A pieceCursor reads the pieces of a list's lowest level in order. It holds one
// path of references, so its memory does not depend on the list's length.
type pieceCursor struct {
	load  Loader
	stack []List // what is still to be visited, the lowest level last
}

func newPieceCursor(load Loader, l List) *pieceCursor {
	return &pieceCursor{load: load, stack: []List{l}}
}

// next returns the next reference of the given level, or false at the end. Level
// 0 references are chunks of content, level 1 references pieces of items.
func (c *pieceCursor) next(ctx context.Context, level uint8) (Ref, bool, error) {
	for len(c.stack) > 0 {
		top := &c.stack[len(c.stack)-1]
		if len(top.Refs) == 0 {
			c.stack = c.stack[:len(c.stack)-1]
			continue
		}
		r := top.Refs[0]
		top.Refs = top.Refs[1:]
		if top.Level == level {
			return r, true, nil
		}
		if top.Level < level || top.Level > maxLevel {
			return r, false, errPiece
		}
		below, err := c.refs(ctx, r, top.Level-1)
		if err != nil {
			return r, false, err
		}
		c.stack = append(c.stack, below)
	}
	return Ref{}, false, nil
}

func (c *pieceCursor) refs(ctx context.Context, r Ref, level uint8) (List, error) {
	b, err := c.load.Load(ctx, r.ID)
	if err != nil {
		return List{}, err
	}
	refs, err := decodeRefs(b, int(level))
	return List{Level: level, Refs: refs}, err
}

// Chunks yields the chunks and holes of a file's content in order. The first
// error ends it.
func Chunks(ctx context.Context, load Loader, l List) iter.Seq2[Ref, error] {
	return func(yield func(Ref, error) bool) {
		c := newPieceCursor(load, l)
		for {
			r, ok, err := c.next(ctx, 0)
			if err != nil {
				yield(r, err)
				return
			}
			if !ok || !yield(r, nil) {
				return
			}
		}
	}
}

// A TreeCursor reads the nodes of one folder in order.
type TreeCursor struct {
	pieces *pieceCursor
	piece  []byte
	last   string
	nodes  nodeDecoder
}

// NewTreeCursor begins to read a tree.
func NewTreeCursor(load Loader, tree List) *TreeCursor {
	return &TreeCursor{pieces: newPieceCursor(load, tree)}
}

// Next returns the next node, or nil at the end. After a piece that cannot be
// read, the nodes of the next one follow: an error costs that piece only.
func (c *TreeCursor) Next(ctx context.Context) (*Node, error) {
	for len(c.piece) == 0 {
		r, ok, err := c.pieces.next(ctx, 1)
		if err != nil || !ok {
			return nil, err
		}
		b, err := c.pieces.load.Load(ctx, r.ID)
		if err != nil {
			return nil, err
		}
		body, err := pieceBody(b, 0)
		if err != nil {
			return nil, err
		}
		c.piece = slices.Clone(body) // which lies in a block: one for each folder above would be too many
	}
	n, rest, err := c.nodes.decode(c.piece)
	if err != nil {
		c.piece = nil
		return nil, err
	}
	c.piece = rest
	if n.Name <= c.last { // an empty name too: only a root has none
		return nil, fmt.Errorf("%w: %q after %q", errPiece, n.Name, c.last)
	}
	c.last = n.Name
	return n, nil
}

// Tree yields the nodes of a folder in order. An error stands for the nodes of
// one piece; the iteration goes on behind it unless ctx has ended.
func Tree(ctx context.Context, load Loader, tree List) iter.Seq2[*Node, error] {
	return func(yield func(*Node, error) bool) {
		c := NewTreeCursor(load, tree)
		for {
			n, err := c.Next(ctx)
			if n == nil && err == nil {
				return
			}
			if !yield(n, err) || err != nil && ctx.Err() != nil {
				return
			}
		}
	}
}

// ErrNoPath says that a snapshot does not hold a path.
var ErrNoPath = errors.New("no such path in the snapshot")

// Child finds a folder's node by name, reading only the pieces on the way.
func Child(ctx context.Context, load Loader, tree List, name string) (*Node, error) {
	for tree.Level > 1 {
		r, ok := refBefore(tree.Refs, name)
		if !ok {
			return nil, ErrNoPath
		}
		b, err := load.Load(ctx, r.ID)
		if err != nil {
			return nil, err
		}
		refs, err := decodeRefs(b, int(tree.Level-1))
		if err != nil {
			return nil, err
		}
		tree = List{Level: tree.Level - 1, Refs: refs}
	}
	if r, ok := refBefore(tree.Refs, name); ok {
		tree.Refs = []Ref{r}
	}
	for n, err := range Tree(ctx, load, tree) {
		if err != nil {
			return nil, err
		}
		if n.Name == name {
			return n, nil
		}
	}
	return nil, ErrNoPath
}

// refBefore returns the last reference whose first name is not after name.
func refBefore(refs []Ref, name string) (r Ref, ok bool) {
	for _, x := range refs {
		if x.Name > name {
			break
		}
		r, ok = x, true
	}
	return r, ok
}

// Lookup returns the node at an absolute path below root; "/" is root itself.
func Lookup(ctx context.Context, load Loader, root *Node, p string) (*Node, error) {
	n := root
	for _, name := range strings.Split(strings.Trim(path.Clean("/"+p), "/"), "/") {
		if name == "" {
			continue
		}
		if n.Meta.Kind != sources.Dir {
			return nil, fmt.Errorf("%s: %w", p, ErrNoPath)
		}
		child, err := Child(ctx, load, n.Tree, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p, err)
		}
		n = child
	}
	return n, nil
}
