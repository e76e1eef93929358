package snapshot

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"chartkeep/chunk"
	"chartkeep/sources"
)

func exampleNode() *Node {
	id := chunk.ID{1, 2, 3, 4, 5, 6, 7, 8, 9, 250, 251, 252, 253, 254, 255}
	return &Node{
		Name: "BWX_000123.jpg",
		Meta: sources.Meta{
			Kind: sources.Regular, Mode: 0o644, UID: 1000, GID: 1000, User: "office", Group: "office", Size: 734_003,
			MTime: sources.Time{Sec: 1_772_478_000, Nsec: 123_456_789}, CTime: sources.Time{Sec: 1_772_478_001, Nsec: 987_654_321},
			Inode: 4_194_305, Links: 1,
		},
		Content: List{Refs: []Ref{{ID: id, Size: 400_000}, {ID: id, Size: 334_003}}},
	}
}

func examples() []*Node {
	id := chunk.ID{31: 9}
	return []*Node{
		exampleNode(),
		{Name: "", Meta: sources.Meta{Kind: sources.Dir, Mode: 0o1777, Links: 1}, Tree: List{Level: 1, Refs: []Ref{{ID: id, Size: 300, Name: "a"}}}},
		{Name: "old\xff", Meta: sources.Meta{Kind: sources.Regular, Links: 3, Device: 1 << 40, Inode: 24, Size: 1 << 33,
			MTime: sources.Time{Sec: -1, Nsec: 1}, CTime: sources.Time{Sec: -300, Nsec: 256}, BTime: sources.Time{Sec: -70_000, Nsec: 65_536}},
			Content: List{Level: 3, Refs: []Ref{{Size: 1 << 33}}}, State: Changed | Recheck,
			Attributes: []sources.Attribute{{Name: "system.posix_acl_access", Value: []byte{2, 0}}, {Name: "user.empty", Value: nil}}},
		{Name: "link", Meta: sources.Meta{Kind: sources.Symlink, Target: "../\xfe", Links: 1, Attrs: 0x20}},
		{Name: "sda", Meta: sources.Meta{Kind: sources.BlockDevice, RDev: 2049, Links: 1, UID: 65_535, GID: 65_536}},
	}
}

// libraryNode is the stored form as a CBOR library sees it.
type libraryNode struct {
	Name   []byte      `cbor:"1,keyasint"`
	Kind   uint8       `cbor:"2,keyasint"`
	Mode   uint32      `cbor:"3,keyasint,omitempty"`
	UID    uint32      `cbor:"4,keyasint,omitempty"`
	GID    uint32      `cbor:"5,keyasint,omitempty"`
	User   []byte      `cbor:"6,keyasint,omitempty"`
	Group  []byte      `cbor:"7,keyasint,omitempty"`
	Size   int64       `cbor:"8,keyasint,omitempty"`
	MTime  [2]int64    `cbor:"9,keyasint"`
	CTime  [2]int64    `cbor:"10,keyasint"`
	BTime  []int64     `cbor:"11,keyasint,omitempty"`
	Inode  uint64      `cbor:"12,keyasint,omitempty"`
	Device uint64      `cbor:"13,keyasint,omitempty"`
	Links  uint64      `cbor:"14,keyasint,omitempty"`
	RDev   uint64      `cbor:"15,keyasint,omitempty"`
	Target []byte      `cbor:"16,keyasint,omitempty"`
	Attrs  uint32      `cbor:"17,keyasint,omitempty"`
	XAttrs [][2][]byte `cbor:"18,keyasint,omitempty"`
	Level  uint8       `cbor:"19,keyasint,omitempty"`
	Refs   []byte      `cbor:"20,keyasint,omitempty"`
	State  uint8       `cbor:"21,keyasint,omitempty"`
}

func TestNodesAreWhatACBORLibraryWrites(t *testing.T) {
	for _, n := range examples() {
		raw := n.append(nil)
		var seen libraryNode
		if err := manifestDecoding.Unmarshal(raw, &seen); err != nil {
			t.Fatalf("%q: %v", n.Name, err)
		}
		for i := range seen.XAttrs { // the library decodes an empty byte string as nil, and writes nil as null
			if seen.XAttrs[i][1] == nil {
				seen.XAttrs[i][1] = []byte{}
			}
		}
		again, err := manifestEncoding.Marshal(&seen)
		if err != nil || !bytes.Equal(again, raw) {
			t.Errorf("%q: a library writes\n%x, we\n%x (%v)", n.Name, again, raw, err)
		}
	}
}

func TestANodeComesBackAsItWas(t *testing.T) {
	var d nodeDecoder
	for _, n := range examples() {
		got, rest, err := d.decode(append(n.append(nil), 0xff))
		if err != nil || len(rest) != 1 {
			t.Fatalf("%q: %v, %d bytes left", n.Name, err, len(rest))
		}
		if diff := cmp.Diff(n, got, cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
	}
}

func TestNodesThatNoWriterMakesAreRefused(t *testing.T) {
	for what, n := range map[string]*Node{
		"parent": {Name: ".."}, "self": {Name: "."}, "separator": {Name: "a/b"}, "nul": {Name: "a\x00"},
	} {
		n.Meta.Kind = sources.Regular
		if _, _, err := new(nodeDecoder).decode(n.append(nil)); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
	raw := exampleNode().append(nil)
	for cut := range raw {
		if _, _, err := new(nodeDecoder).decode(raw[:cut]); err == nil {
			t.Errorf("accepted when cut at %d", cut)
		}
	}
}

// FuzzNode: whatever decodes is written again as the same bytes.
func FuzzNode(f *testing.F) {
	for _, n := range examples() {
		f.Add(n.append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n, rest, err := new(nodeDecoder).decode(b)
		if err == nil && !bytes.Equal(n.append(nil), b[:len(b)-len(rest)]) {
			t.Errorf("%x decodes, and is written as %x", b, n.append(nil))
		}
	})
}

// FuzzRefs: no list of references makes the decoder panic or read on for ever,
// and what decodes is written again as the same bytes.
func FuzzRefs(f *testing.F) {
	f.Add(appendRef([]byte{pieceVersion, 1}, Ref{ID: chunk.ID{1}, Size: 300, Name: "n"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		refs, err := decodeRefs(b, 1)
		if err != nil {
			return
		}
		again := []byte{pieceVersion, 1}
		for _, r := range refs {
			again = appendRef(again, r)
		}
		if !bytes.Equal(again, b) {
			t.Errorf("%x decodes, and is written as %x", b, again)
		}
	})
}

// FuzzManifest: no manifest makes the decoder panic.
func FuzzManifest(f *testing.F) {
	s := &Snapshot{Root: *examples()[1], Host: "h", Paths: []string{"/x"}, Tags: []string{"t"}}
	raw, err := s.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := decodeManifest("0123456789", b); err == nil && s.Root.Meta.Kind != sources.Dir {
			t.Error("a root that is no folder")
		}
	})
}

func BenchmarkEncodeNode(b *testing.B) {
	n := exampleNode()
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = n.append(buf[:0])
	}
}

func BenchmarkDecodeNode(b *testing.B) {
	raw := exampleNode().append(nil)
	var d nodeDecoder
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := d.decode(raw); err != nil {
			b.Fatal(err)
		}
	}
}
