package snapshot

import (
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"chartkeep/sources"
)

// A Node is one entry of a tree.
type Node struct {
	Name       string // bytes as the file system has them; empty for the root
	Meta       sources.Meta
	Attributes []sources.Attribute // sorted by name
	Content    List                // of a file
	Tree       List                // of a folder
	State      State
}

// State says what the reader could not vouch for.
type State uint8

// What a State may hold.
const (
	// Changed: the file changed while it was read, twice; its content may be of
	// no single moment.
	Changed State = 1 << iota
	// Unreadable: the file's content or the folder's list could not be read, or
	// not wholly; what is missing is not in the snapshot.
	Unreadable
	// Recheck: the file was written so shortly before it was read that its times
	// may not show a later change. The next run reads it again.
	Recheck
)

// storedNode is a node's form in a piece: deterministic CBOR with these keys,
// which are for ever.
type storedNode struct {
	Name   []byte      `cbor:"1,keyasint"`
	Kind   uint8       `cbor:"2,keyasint"`
	Mode   uint32      `cbor:"3,keyasint,omitempty"`
	UID    uint32      `cbor:"4,keyasint,omitempty"`
	GID    uint32      `cbor:"5,keyasint,omitempty"`
	User   []byte      `cbor:"6,keyasint,omitempty"`
	Group  []byte      `cbor:"7,keyasint,omitempty"`
	Size   int64       `cbor:"8,keyasint,omitempty"`
	MTime  storedTime  `cbor:"9,keyasint"`
	CTime  storedTime  `cbor:"10,keyasint"`
	BTime  []int64     `cbor:"11,keyasint,omitempty"` // seconds, nanoseconds
	Inode  uint64      `cbor:"12,keyasint,omitempty"`
	Device uint64      `cbor:"13,keyasint,omitempty"` // only with Links
	Links  uint64      `cbor:"14,keyasint,omitempty"` // only when above 1
	RDev   uint64      `cbor:"15,keyasint,omitempty"`
	Target []byte      `cbor:"16,keyasint,omitempty"`
	Attrs  uint32      `cbor:"17,keyasint,omitempty"`
	XAttrs [][2][]byte `cbor:"18,keyasint,omitempty"`
	Level  uint8       `cbor:"19,keyasint,omitempty"`
	Refs   []byte      `cbor:"20,keyasint,omitempty"` // of the content or the tree
	State  uint8       `cbor:"21,keyasint,omitempty"`
}

type storedTime struct {
	_    struct{} `cbor:",toarray"`
	Sec  int64
	Nsec uint32
}

var nodeEncoding = must(cbor.CoreDetEncOptions().EncMode())

var nodeDecoding = must(cbor.DecOptions{
	DupMapKey:         cbor.DupMapKeyEnforcedAPF,
	IndefLength:       cbor.IndefLengthForbidden,
	ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
	MaxNestedLevels:   8,
}.DecMode())

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// list is the node's list, whichever it has.
func (n *Node) list() List {
	if n.Meta.Kind == sources.Dir {
		return n.Tree
	}
	return n.Content
}

// linked reports whether other paths may be the same file, which is when its
// device is worth keeping.
func (n *Node) linked() bool { return n.Meta.Kind != sources.Dir && n.Meta.Links > 1 }

// encode returns the node's stored form.
func (n *Node) encode() ([]byte, error) {
	m := &n.Meta
	s := storedNode{
		Name: []byte(n.Name), Kind: uint8(m.Kind), Mode: m.Mode, UID: m.UID, GID: m.GID,
		User: []byte(m.User), Group: []byte(m.Group), Size: m.Size,
		MTime: storedTime{Sec: m.MTime.Sec, Nsec: m.MTime.Nsec}, CTime: storedTime{Sec: m.CTime.Sec, Nsec: m.CTime.Nsec},
		Inode: m.Inode, RDev: m.RDev, Target: []byte(m.Target), Attrs: m.Attrs, State: uint8(n.State),
	}
	if !m.BTime.IsZero() {
		s.BTime = []int64{m.BTime.Sec, int64(m.BTime.Nsec)}
	}
	if n.linked() {
		s.Device, s.Links = m.Device, m.Links
	}
	for _, a := range n.Attributes {
		s.XAttrs = append(s.XAttrs, [2][]byte{[]byte(a.Name), a.Value})
	}
	l := n.list()
	s.Level = l.Level
	for _, r := range l.Refs {
		s.Refs = appendRef(s.Refs, r)
	}
	return nodeEncoding.Marshal(&s)
}

// decodeNode decodes the first node of b.
func decodeNode(b []byte) (*Node, []byte, error) {
	var s storedNode
	rest, err := nodeDecoding.UnmarshalFirst(b, &s)
	if err != nil {
		return nil, nil, fmt.Errorf("node: %w", err)
	}
	n, err := s.node()
	return n, rest, err
}

func (s *storedNode) node() (*Node, error) {
	n := &Node{Name: string(s.Name), State: State(s.State), Meta: sources.Meta{
		Kind: sources.Kind(s.Kind), Mode: s.Mode, UID: s.UID, GID: s.GID, User: string(s.User), Group: string(s.Group), Size: s.Size,
		MTime: sources.Time{Sec: s.MTime.Sec, Nsec: s.MTime.Nsec}, CTime: sources.Time{Sec: s.CTime.Sec, Nsec: s.CTime.Nsec},
		Device: s.Device, Inode: s.Inode, Links: max(1, s.Links), RDev: s.RDev, Target: string(s.Target), Attrs: s.Attrs,
	}}
	if err := s.check(); err != nil {
		return nil, err
	}
	if len(s.BTime) == 2 {
		n.Meta.BTime = sources.Time{Sec: s.BTime[0], Nsec: uint32(s.BTime[1])}
	}
	for _, x := range s.XAttrs {
		n.Attributes = append(n.Attributes, sources.Attribute{Name: string(x[0]), Value: x[1]})
	}
	l := List{Level: s.Level}
	for b := s.Refs; len(b) > 0; {
		r, rest, err := decodeRef(b)
		if err != nil {
			return nil, err
		}
		l.Refs, b = append(l.Refs, r), rest
	}
	if n.Meta.Kind == sources.Dir {
		n.Tree = l
	} else {
		n.Content = l
	}
	return n, nil
}

// check refuses what no writer of this format makes, above all names that would
// lead a restore elsewhere.
func (s *storedNode) check() error {
	name := string(s.Name)
	switch {
	case name == "." || name == "..":
		return fmt.Errorf("node: the name %q stands for another folder", name)
	case containsAny(name, '/', 0):
		return fmt.Errorf("node: the name %q holds a separator", name)
	case s.Kind < uint8(sources.Regular) || s.Kind > uint8(sources.BlockDevice):
		return fmt.Errorf("node %q: unknown kind %d", name, s.Kind)
	case s.Size < 0 || s.Mode > 0o7777 || s.Level > maxLevel || s.MTime.Nsec >= 1e9 || s.CTime.Nsec >= 1e9:
		return fmt.Errorf("node %q: a value is out of bounds", name)
	case len(s.BTime) != 0 && (len(s.BTime) != 2 || s.BTime[1] < 0 || s.BTime[1] >= 1e9):
		return fmt.Errorf("node %q: malformed time", name)
	}
	return nil
}

func containsAny(s string, bad ...byte) bool {
	for i := range len(s) {
		for _, b := range bad {
			if s[i] == b {
				return true
			}
		}
	}
	return false
}
