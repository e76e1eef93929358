package snapshot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math/bits"

	"chartkeep/chunk"
)

// A Ref names a stored piece of a list, or one chunk of a file's content.
type Ref struct {
	ID   chunk.ID // zero: a hole of Size bytes, which holds nothing
	Size uint64   // bytes of file content that lie below it; for trees, nodes
	Name string   // trees: name of the first node below it
}

// Hole reports whether r stands for a run of zeros that is not stored.
func (r Ref) Hole() bool { return r.ID.IsZero() }

// A List is the root of a list. Its references name pieces of the level below
// Level; at level 0 they name chunks of a file's content.
type List struct {
	Level uint8
	Refs  []Ref
}

// Size is the sum of what lies below the list's references.
func (l List) Size() (n uint64) {
	for _, r := range l.Refs {
		n += r.Size
	}
	return n
}

// Sizes of list pieces, in items. A piece is cut after an item whose hash has
// its low bits zero, once it holds the minimum, and in any case at maxItems; the
// averages are near 48 references (under 2 KiB) and 40 nodes (about 5 KiB). The
// least number of references is above what may stand in a node, so that a short
// content list is never a piece.
const (
	refMask  = 32 - 1
	nodeMask = 32 - 1
	minRefs  = inline + 1
	minNodes = 8
	maxItems = 512
	maxLevel = 12
	maxPiece = 256 << 10 // bytes; an item that would go beyond begins a new piece
	inline   = 16        // references that may stand in a node
)

// cutAfterRef says whether a piece may end after a reference. IDs are keyed
// hashes, so their bits are as good as any.
func cutAfterRef(id chunk.ID) bool { return binary.LittleEndian.Uint32(id[:4])&refMask == 0 }

// cutAfterName says whether a piece may end after the node of this name. Only
// the name decides, so that a changed file never moves a cut.
func cutAfterName(name string) bool {
	h := fnv.New64a()
	h.Write([]byte(name))
	sum := h.Sum64()
	return (sum^sum>>32)&nodeMask == 0
}

// put stores a piece and returns its ID.
type put func(piece []byte) (chunk.ID, error)

// listWriter builds one list. Levels are made as they are needed.
type listWriter struct {
	put    put
	nodes  bool // the items of level 0 are nodes
	levels []listLevel
}

// listLevel is the piece that is being filled on one level.
type listLevel struct {
	piece []byte
	items int
	size  uint64
	name  string
	done  int // pieces stored before this one
}

// add appends an item to a level; size and name are what its piece's reference
// will carry.
func (w *listWriter) add(level int, item []byte, size uint64, name string, cut bool) error {
	if level == len(w.levels) {
		w.levels = append(w.levels, listLevel{})
	}
	if l := &w.levels[level]; l.items > 0 && len(l.piece)+len(item) > maxPiece {
		if err := w.close(level); err != nil {
			return err
		}
	}
	l := &w.levels[level]
	if l.items == 0 {
		l.name = name
		l.piece = append(l.piece[:0], pieceVersion, byte(level))
	}
	l.piece = append(l.piece, item...)
	l.items++
	l.size += size
	least := minRefs
	if w.nodes && level == 0 {
		least = minNodes
	}
	if l.items >= least && cut || l.items >= maxItems {
		return w.close(level)
	}
	return nil
}

// pieceVersion begins every piece, followed by its level.
const pieceVersion = 1

func (w *listWriter) addRef(level int, r Ref) error {
	return w.add(level, appendRef(nil, r), r.Size, r.Name, cutAfterRef(r.ID))
}

// close stores the open piece of a level and adds its reference to the next.
func (w *listWriter) close(level int) error {
	l := &w.levels[level]
	id, err := w.put(l.piece)
	if err != nil {
		return err
	}
	r := Ref{ID: id, Size: l.size, Name: l.name}
	l.items, l.size = 0, 0
	l.done++
	return w.addRef(level+1, r)
}

// finish closes what is open and returns the list's root: the first level of at
// most `most` references. An empty list has none. The writer can be used again.
func (w *listWriter) finish(most int) (List, error) {
	defer func() { w.levels = w.levels[:0] }()
	for level := 0; level < len(w.levels); level++ {
		l := &w.levels[level]
		refs := level > 0 || !w.nodes
		if refs && l.done == 0 && l.items <= most {
			found, err := decodeRefs(l.piece, level)
			return List{Level: uint8(level), Refs: found}, err
		}
		if l.items == 0 {
			continue
		}
		if err := w.close(level); err != nil {
			return List{}, err
		}
	}
	return List{}, nil
}

// appendRef encodes a reference: ID ‖ uvarint size ‖ uvarint length of name ‖ name.
func appendRef(b []byte, r Ref) []byte {
	b = append(b, r.ID[:]...)
	b = binary.AppendUvarint(b, r.Size)
	b = binary.AppendUvarint(b, uint64(len(r.Name)))
	return append(b, r.Name...)
}

// encodedSize is the length of what appendRef appends, bytes.
func (r Ref) encodedSize() int {
	return len(r.ID) + uvarintSize(r.Size) + uvarintSize(uint64(len(r.Name))) + len(r.Name)
}

func uvarintSize(n uint64) int { return (bits.Len64(n|1) + 6) / 7 }

var errPiece = errors.New("malformed list piece")

// pieceBody checks a piece's head and returns its items.
func pieceBody(b []byte, level int) ([]byte, error) {
	if len(b) < 2 || b[0] != pieceVersion || int(b[1]) != level {
		return nil, fmt.Errorf("%w: not a piece of level %d", errPiece, level)
	}
	return b[2:], nil
}

// decodeRefs decodes a piece of references.
func decodeRefs(b []byte, level int) ([]Ref, error) {
	b, err := pieceBody(b, level)
	if err != nil {
		return nil, err
	}
	var refs []Ref
	for len(b) > 0 {
		r, rest, err := decodeRef(b)
		if err != nil {
			return nil, err
		}
		refs, b = append(refs, r), rest
	}
	return refs, nil
}

func decodeRef(b []byte) (r Ref, rest []byte, err error) {
	if len(b) < len(r.ID) {
		return r, nil, errPiece
	}
	b = b[copy(r.ID[:], b):]
	size, b, err := uvarint(b)
	if err != nil {
		return r, nil, err
	}
	n, b, err := uvarint(b)
	if err != nil || n > uint64(len(b)) {
		return r, nil, errPiece
	}
	r.Size, r.Name = size, string(b[:n])
	return r, b[n:], nil
}

// uvarint decodes a number and refuses encodings that are longer than needed.
func uvarint(b []byte) (uint64, []byte, error) {
	v, n := binary.Uvarint(b)
	if n <= 0 || n > 1 && b[n-1] == 0 {
		return 0, nil, errPiece
	}
	return v, b[n:], nil
}
