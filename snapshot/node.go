package snapshot

import (
	"bytes"
	"fmt"
	"math"
	"strings"

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

// A node is stored as a CBOR map with these keys, in this order; they are for
// ever. All but the first two and the times are left out when they are zero.
const (
	keyName   = 1 + iota // bytes
	keyKind              // sources.Kind
	keyMode              // permission bits, setuid, setgid, sticky
	keyUID               //
	keyGID               //
	keyUser              // bytes
	keyGroup             // bytes
	keySize              // bytes of content, or of a link's target
	keyMTime             // [seconds, nanoseconds]
	keyCTime             // [seconds, nanoseconds]
	keyBTime             // [seconds, nanoseconds]
	keyInode             //
	keyDevice            // only with keyLinks
	keyLinks             // hard links, when there are several
	keyRDev              // device number
	keyTarget            // bytes of a link's target
	keyAttrs             // Windows attributes
	keyXAttrs            // [[name, value], …], bytes
	keyLevel             // of the list
	keyRefs              // bytes: the list's references, back to back
	keyState             // State
)

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

// nodeWriter appends the fields of one node and counts them.
type nodeWriter struct {
	b      []byte
	fields int
}

func (w *nodeWriter) key(k byte) {
	w.b = appendHead(w.b, cborUint, uint64(k))
	w.fields++
}

func (w *nodeWriter) uint(k byte, v uint64) {
	if v != 0 {
		w.key(k)
		w.b = appendHead(w.b, cborUint, v)
	}
}

func (w *nodeWriter) text(k byte, s string) {
	if s != "" {
		w.key(k)
		w.b = appendBytes(w.b, s)
	}
}

func (w *nodeWriter) time(k byte, t sources.Time) {
	w.key(k)
	w.b = append(w.b, cborArray|2)
	w.b = appendInt(w.b, t.Sec)
	w.b = appendHead(w.b, cborUint, uint64(t.Nsec))
}

// append appends the node's stored form to b.
func (n *Node) append(b []byte) []byte {
	m := &n.Meta
	start := len(b)
	w := nodeWriter{b: append(b, 0)} // room for the head: there are never more than 23 fields
	w.key(keyName)
	w.b = appendBytes(w.b, n.Name)
	w.key(keyKind)
	w.b = appendHead(w.b, cborUint, uint64(m.Kind))
	w.uint(keyMode, uint64(m.Mode))
	w.uint(keyUID, uint64(m.UID))
	w.uint(keyGID, uint64(m.GID))
	w.text(keyUser, m.User)
	w.text(keyGroup, m.Group)
	w.uint(keySize, uint64(m.Size))
	w.time(keyMTime, m.MTime)
	w.time(keyCTime, m.CTime)
	if !m.BTime.IsZero() {
		w.time(keyBTime, m.BTime)
	}
	w.uint(keyInode, m.Inode)
	if n.linked() {
		w.uint(keyDevice, m.Device)
		w.uint(keyLinks, m.Links)
	}
	w.uint(keyRDev, m.RDev)
	w.text(keyTarget, m.Target)
	w.uint(keyAttrs, uint64(m.Attrs))
	w.attributes(n.Attributes)
	w.list(n.list())
	w.uint(keyState, uint64(n.State))
	w.b[start] = cborMap | byte(w.fields)
	return w.b
}

func (w *nodeWriter) attributes(all []sources.Attribute) {
	if len(all) == 0 {
		return
	}
	w.key(keyXAttrs)
	w.b = appendHead(w.b, cborArray, uint64(len(all)))
	for _, a := range all {
		w.b = append(w.b, cborArray|2)
		w.b = appendBytes(w.b, a.Name)
		w.b = appendBytes(w.b, a.Value)
	}
}

func (w *nodeWriter) list(l List) {
	w.uint(keyLevel, uint64(l.Level))
	if len(l.Refs) == 0 {
		return
	}
	size := 0
	for _, r := range l.Refs {
		size += r.encodedSize()
	}
	w.key(keyRefs)
	w.b = appendHead(w.b, cborBytes, uint64(size))
	for _, r := range l.Refs {
		w.b = appendRef(w.b, r)
	}
}

// nodeDecoder decodes nodes one after the other. It keeps the names of owners,
// which are mostly the same.
type nodeDecoder struct{ user, group string }

// decode decodes the first node of b. It refuses what no writer of this format
// makes, above all names that would lead a restore elsewhere.
func (d *nodeDecoder) decode(b []byte) (n *Node, rest []byte, err error) {
	r := cborReader{b: b}
	n = &Node{Meta: sources.Meta{Links: 1}}
	var l List
	last := uint64(0)
	for range r.head(cborMap) {
		k := r.uint(keyState)
		if k <= last {
			r.fail()
			break
		}
		last = k
		d.field(&r, n, &l, byte(k))
	}
	if r.err == nil && n.Meta.Kind == sources.Dir {
		n.Tree = l
	} else {
		n.Content = l
	}
	if err := n.check(&r, b); err != nil {
		return nil, nil, err
	}
	return n, r.b, nil
}

func (d *nodeDecoder) field(r *cborReader, n *Node, l *List, k byte) {
	m := &n.Meta
	switch k {
	case keyName:
		n.Name = string(r.bytes())
	case keyKind:
		m.Kind = sources.Kind(r.uint(uint64(sources.BlockDevice)))
	case keyMode:
		m.Mode = uint32(r.uint(0o7777))
	case keyUID:
		m.UID = uint32(r.uint(math.MaxUint32))
	case keyGID:
		m.GID = uint32(r.uint(math.MaxUint32))
	case keyUser:
		m.User = again(r.bytes(), &d.user)
	case keyGroup:
		m.Group = again(r.bytes(), &d.group)
	case keySize:
		m.Size = int64(r.uint(math.MaxInt64))
	case keyMTime:
		m.MTime = r.time()
	case keyCTime:
		m.CTime = r.time()
	case keyBTime:
		m.BTime = r.time()
	case keyInode:
		m.Inode = r.uint(math.MaxUint64)
	case keyDevice:
		m.Device = r.uint(math.MaxUint64)
	case keyLinks:
		m.Links = r.uint(math.MaxUint64)
	case keyRDev:
		m.RDev = r.uint(math.MaxUint64)
	case keyTarget:
		m.Target = string(r.bytes())
	case keyAttrs:
		m.Attrs = uint32(r.uint(math.MaxUint32))
	case keyXAttrs:
		n.Attributes = r.attributes()
	case keyLevel:
		l.Level = uint8(r.uint(maxLevel))
	case keyRefs:
		l.Refs = r.refs()
	case keyState:
		n.State = State(r.uint(math.MaxUint8))
	default:
		r.fail()
	}
}

// again returns b as a string, the last one when it is the same.
func again(b []byte, last *string) string {
	if string(b) != *last {
		*last = string(b)
	}
	return *last
}

func (r *cborReader) time() (t sources.Time) {
	if r.array() != 2 {
		r.fail()
	}
	return sources.Time{Sec: r.int(), Nsec: uint32(r.uint(1e9 - 1))}
}

func (r *cborReader) attributes() (all []sources.Attribute) {
	for range r.array() {
		if r.array() != 2 {
			r.fail()
		}
		name := string(r.bytes())
		all = append(all, sources.Attribute{Name: name, Value: bytes.Clone(r.bytes())})
	}
	return all
}

func (r *cborReader) refs() (refs []Ref) {
	b := r.bytes()
	for len(b) > 0 {
		ref, rest, err := decodeRef(b)
		if err != nil {
			r.fail()
			return nil
		}
		refs, b = append(refs, ref), rest
	}
	return refs
}

// check looks at a decoded node as a whole. What was left out must have been
// zero, and nothing else: equal nodes have equal bytes.
func (n *Node) check(r *cborReader, b []byte) error {
	if r.err != nil {
		return r.err
	}
	switch {
	case n.Name == "." || n.Name == "..":
		return fmt.Errorf("node: the name %q stands for another folder", n.Name)
	case strings.ContainsAny(n.Name, "/\x00"):
		return fmt.Errorf("node: the name %q holds a separator", n.Name)
	case n.Meta.Kind == 0:
		return fmt.Errorf("node %q: no kind", n.Name)
	}
	var small [512]byte
	if !bytes.Equal(n.append(small[:0]), b[:len(b)-len(r.b)]) {
		return fmt.Errorf("node %q: %w", n.Name, errCBOR)
	}
	return nil
}
