package snapshot

import (
	"context"
	"fmt"
	"slices"

	"chartkeep/chunk"
	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/sources"
)

// Marks says which chunks snapshots need: one bit for each chunk that the index
// knows, by its ordinal. Ten million chunks take 1.25 MB.
type Marks struct {
	bits []uint64
	n    uint64
}

// set marks a chunk and reports whether it was not marked before.
func (m *Marks) set(ordinal uint64) bool {
	word, bit := ordinal/64, uint64(1)<<(ordinal%64)
	for word >= uint64(len(m.bits)) {
		m.bits = append(m.bits, make([]uint64, len(m.bits)+1024)...)
	}
	if m.bits[word]&bit != 0 {
		return false
	}
	m.bits[word] |= bit
	m.n++
	return true
}

// Has reports whether the chunk of this ordinal is needed.
func (m *Marks) Has(ordinal uint64) bool {
	return ordinal/64 < uint64(len(m.bits)) && m.bits[ordinal/64]&(1<<(ordinal%64)) != 0
}

// Any reports whether one of n chunks from an ordinal on is needed.
func (m *Marks) Any(first, n uint64) bool {
	for i := range n {
		if m.Has(first + i) {
			return true
		}
	}
	return false
}

// Clone returns a copy that goes its own way.
func (m *Marks) Clone() *Marks { return &Marks{slices.Clone(m.bits), m.n} }

// Count is how many chunks are needed.
func (m *Marks) Count() uint64 { return m.n }

// Fault is a chunk that a snapshot needs and that cannot be had.
type Fault struct {
	ID    chunk.ID
	Err   error
	Hides bool // what lies below it cannot be known
}

// A marker visits every piece that is reachable from the roots it is given,
// each once, whatever number of snapshots shares it.
type marker struct {
	r     *repo.Repository
	index *index.Index
	marks *Marks
	fault func(Fault)
	read  nodeDecoder
	fresh bool // the index was brought up to date since the marking began
}

// Mark adds to marks every chunk that the trees below roots need. What cannot
// be read is given to fault, and the marking goes on with what does not lie
// below it. An error ends it.
func Mark(ctx context.Context, r *repo.Repository, marks *Marks, roots []*Node, fault func(Fault)) error {
	ix, err := r.Index(ctx)
	if err != nil {
		return err
	}
	m := &marker{r: r, index: ix, marks: marks, fault: fault}
	for _, root := range roots {
		if err := m.list(ctx, root.Tree, m.nodes); err != nil {
			return err
		}
	}
	return m.unnamed(ctx)
}

// refresh brings the index up to date, once: a root may belong to a run that has
// ended since the index was read. It reports whether something can have changed.
func (m *marker) refresh(ctx context.Context) (bool, error) {
	if m.fresh {
		return false, nil
	}
	m.fresh = true
	return true, m.r.SyncIndex(ctx)
}

// unnamed reports packs that are needed and that no index segment names. They
// can be read, but only because somebody looked for them. What has another sound
// place does not need them.
func (m *marker) unnamed(ctx context.Context) error {
	if len(m.r.Unnamed()) == 0 {
		return nil
	}
	// A run may have named them since the last look, also since refresh's.
	if err := m.r.SyncIndex(ctx); err != nil {
		return err
	}
	damaged, err := m.r.DamagedBlocks(ctx)
	if err != nil {
		return err
	}
	packs := m.r.Unnamed()
	elsewhere := func(p index.Place) bool {
		return !packs[p.Pack] && !slices.Contains(damaged, index.DamagedBlock{Pack: p.Pack, Offset: p.BlockOffset})
	}
	for info, err := range m.index.Packs() {
		if err != nil {
			return err
		}
		if !packs[info.ID] || !m.marks.Any(info.First, uint64(info.Chunks)) {
			continue
		}
		needed, err := m.needs(info, elsewhere)
		if err != nil {
			return err
		}
		if needed {
			m.fault(Fault{Err: fmt.Errorf("pack %.8s is needed, and no index segment names it. To mend it: chartkeep repair index", info.ID)})
		}
	}
	return nil
}

// needs reports whether a pack has a marked chunk that is not also elsewhere.
func (m *marker) needs(info index.PackInfo, elsewhere func(index.Place) bool) (bool, error) {
	d, err := m.index.Directory(info.ID)
	if err != nil {
		return false, err
	}
	ordinal := info.First
	for _, b := range d.Blocks {
		for _, c := range b.Chunks {
			if m.marks.Has(ordinal) {
				places, err := m.index.Lookup(c.ID)
				if err != nil {
					return false, err
				}
				if !slices.ContainsFunc(places, elsewhere) {
					return true, nil
				}
			}
			ordinal++
		}
	}
	return false, nil
}

// mark marks a chunk and reports whether it is there and was not visited. A
// missing piece of a list hides what the list goes on to name.
func (m *marker) mark(ctx context.Context, id chunk.ID, piece bool) (bool, error) {
	ordinal, ok, err := m.index.Ordinal(id)
	if err == nil && !ok {
		if again, syncErr := m.refresh(ctx); again {
			err = syncErr
			if err == nil {
				ordinal, ok, err = m.index.Ordinal(id)
			}
		}
	}
	if err != nil {
		return false, err
	}
	if !ok {
		m.fault(Fault{ID: id, Err: &repo.ChunkError{ID: id, Err: repo.ErrMissing}, Hides: piece})
		return false, nil
	}
	return m.marks.set(ordinal), nil
}

// list visits a list's pieces; those of the lowest level are given to lowest.
func (m *marker) list(ctx context.Context, l List, lowest func(context.Context, []byte) error) error {
	for _, ref := range l.Refs {
		if ref.Hole() {
			continue
		}
		fresh, err := m.mark(ctx, ref.ID, l.Level > 0)
		if err != nil {
			return err
		}
		if !fresh || l.Level == 0 {
			continue
		}
		if err := m.piece(ctx, ref.ID, l.Level-1, lowest); err != nil {
			return err
		}
	}
	return nil
}

func (m *marker) piece(ctx context.Context, id chunk.ID, level uint8, lowest func(context.Context, []byte) error) error {
	b, err := m.r.Load(ctx, id)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		m.fault(Fault{ID: id, Err: err, Hides: true})
		return nil
	}
	if level == 0 {
		return lowest(ctx, b)
	}
	refs, err := decodeRefs(b, int(level))
	if err != nil {
		m.fault(Fault{ID: id, Err: err, Hides: true})
		return nil
	}
	return m.list(ctx, List{Level: level, Refs: refs}, lowest)
}

// nodes visits a piece of a tree.
func (m *marker) nodes(ctx context.Context, b []byte) error {
	rest, err := pieceBody(b, 0)
	for last := ""; err == nil && len(rest) > 0; {
		var n *Node
		if n, rest, err = m.read.decode(rest); err == nil && n.Name <= last {
			err = fmt.Errorf("%w: %q after %q", errPiece, n.Name, last)
		}
		if err != nil {
			break
		}
		last = n.Name
		below := m.nodes
		if n.Meta.Kind != sources.Dir {
			below = m.chunks
		}
		if err := m.list(ctx, n.list(), below); err != nil {
			return err
		}
	}
	if err != nil {
		m.fault(Fault{Err: fmt.Errorf("a folder's tree: %w", err), Hides: true})
	}
	return nil
}

// chunks visits the lowest piece of a content list.
func (m *marker) chunks(ctx context.Context, b []byte) error {
	refs, err := decodeRefs(b, 0)
	if err != nil {
		m.fault(Fault{Err: fmt.Errorf("a content list: %w", err), Hides: true})
		return nil
	}
	return m.list(ctx, List{Level: 0, Refs: refs}, nil)
}

// Affected is a path of a snapshot that something is missing from.
type Affected struct {
	Snapshot repo.DocumentID `json:"snapshot"`
	Path     string          `json:"path"`
	Kind     string          `json:"type"`
}

// FindAffected names the files and folders of a snapshot that need a chunk for
// which bad is true. A folder is named when its own tree is hit; what lay below
// it cannot be told then. Trees found whole are remembered in whole, which
// serves for many snapshots.
func FindAffected(ctx context.Context, r *repo.Repository, s *Snapshot, bad func(chunk.ID) bool, whole map[chunk.ID]bool, found func(Affected)) error {
	a := &affected{r: r, bad: bad, whole: whole}
	a.report = func(path string, n *Node) { found(Affected{s.ID, path, n.Meta.Kind.String()}) }
	_, err := a.folder(ctx, []byte("/"), &s.Root)
	return err
}

type affected struct {
	r      *repo.Repository
	bad    func(chunk.ID) bool
	whole  map[chunk.ID]bool
	report func(path string, n *Node)
}

// folder reports whether all below a folder is whole.
func (a *affected) folder(ctx context.Context, path []byte, dir *Node) (bool, error) {
	if len(dir.Tree.Refs) == 0 || a.whole[dir.Tree.Refs[0].ID] {
		return true, nil
	}
	ok, hit := true, false
	for n, err := range Tree(ctx, a.r, dir.Tree) {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if err != nil {
			ok = false
			if !hit {
				a.report(string(path), dir)
			}
			hit = true
			continue
		}
		below, err := a.node(ctx, enter(path, n.Name), n)
		if err != nil {
			return false, err
		}
		ok = ok && below
	}
	if ok {
		a.whole[dir.Tree.Refs[0].ID] = true
	}
	return ok, nil
}

func join(dir, name string) string {
	if dir == "/" {
		return dir + name
	}
	return dir + "/" + name
}

func (a *affected) node(ctx context.Context, path []byte, n *Node) (bool, error) {
	if n.Meta.Kind == sources.Dir {
		return a.folder(ctx, path, n)
	}
	whole := wholeContent(ctx, a.r, n.Content, a.bad, a.whole)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if !whole {
		a.report(string(path), n)
	}
	return whole, nil
}

// wholeContent reports whether no chunk of a content list is bad, and all of the
// list can be read. Pieces found whole are remembered in whole: a list may name
// one of them any number of times.
func wholeContent(ctx context.Context, load Loader, l List, bad func(chunk.ID) bool, whole map[chunk.ID]bool) bool {
	if l.Level > maxLevel {
		return false
	}
	for _, r := range l.Refs {
		switch {
		case ctx.Err() != nil:
			return false
		case l.Level == 0:
			if !r.Hole() && bad(r.ID) {
				return false
			}
		case !whole[r.ID]:
			below, err := newPieceCursor(load, l).refs(ctx, r, l.Level-1)
			if err != nil || !wholeContent(ctx, load, below, bad, whole) {
				return false
			}
			whole[r.ID] = true
		}
	}
	return true
}
