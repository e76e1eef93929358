package proof_test

import (
	"bytes"
	varint "encoding/binary"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/klauspost/compress/zstd"

	"chartkeep/chunk"
	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/snapshot"
	"chartkeep/sources"
)

// forger writes what no honest writer does, with a key that lets it in.
type forger struct {
	*office
	r *repo.Repository
	w *repo.Writer
}

// forged is a node's stored form.
type forged struct {
	Name   []byte   `cbor:"1,keyasint"`
	Kind   uint8    `cbor:"2,keyasint"`
	Mode   uint32   `cbor:"3,keyasint,omitempty"`
	Size   int64    `cbor:"8,keyasint,omitempty"`
	MTime  [2]int64 `cbor:"9,keyasint"`
	CTime  [2]int64 `cbor:"10,keyasint"`
	Target []byte   `cbor:"16,keyasint,omitempty"`
	Level  uint8    `cbor:"19,keyasint,omitempty"`
	Refs   []byte   `cbor:"20,keyasint,omitempty"`
}

func file(name string, refs ...snapshot.Ref) forged {
	n := forged{Name: []byte(name), Kind: uint8(sources.Regular), Mode: 0o644, Refs: encode(refs)}
	for _, r := range refs {
		n.Size += int64(r.Size)
	}
	return n
}

func folder(name string, refs ...snapshot.Ref) forged {
	return forged{Name: []byte(name), Kind: uint8(sources.Dir), Mode: 0o755, Level: 1, Refs: encode(refs)}
}

func link(name, target string) forged {
	return forged{Name: []byte(name), Kind: uint8(sources.Symlink), Mode: 0o777, Size: int64(len(target)), Target: []byte(target)}
}

func encode(refs []snapshot.Ref) (b []byte) {
	for _, r := range refs {
		b = append(b, r.ID[:]...)
		b = varint.AppendUvarint(b, r.Size)
		b = varint.AppendUvarint(b, uint64(len(r.Name)))
		b = append(b, r.Name...)
	}
	return b
}

// put stores a chunk as any writer does.
func (f *forger) put(class index.Class, b []byte) chunk.ID {
	lane := f.w.Lane(class)
	id, _, err := lane.Put(b)
	must(f, err)
	return id
}

// as stores a block whose payload and chunks need have nothing to do with each
// other.
func (f *forger) as(class index.Class, codec index.Codec, payload []byte, chunks ...index.Chunk) {
	must(f, f.w.PutBlock(class, chunks, repo.Compressed{Codec: codec, Payload: payload}))
}

// list stores a piece of a tree.
func (f *forger) list(nodes ...forged) snapshot.Ref {
	return snapshot.Ref{ID: f.put(index.Meta, f.piece(nodes...)), Size: uint64(len(nodes)), Name: string(nodes[0].Name)}
}

// piece is a piece of a tree as it is stored.
func (f *forger) piece(nodes ...forged) []byte {
	b := []byte{1, 0}
	for _, n := range nodes {
		node, err := cbor.Marshal(n)
		must(f, err)
		b = append(b, node...)
	}
	return b
}

func (f *forger) content(data string) snapshot.Ref {
	return snapshot.Ref{ID: f.put(index.Data, []byte(data)), Size: uint64(len(data))}
}

// snapshot stores a manifest with this root.
func (f *forger) snapshot(refs ...snapshot.Ref) {
	must(f, f.w.Flush())
	s := &snapshot.Snapshot{
		Time: time.Now(), Host: "forged", Complete: true,
		Root: snapshot.Node{Meta: sources.Meta{Kind: sources.Dir, Mode: 0o755, Links: 1}, Tree: snapshot.List{Level: 1, Refs: refs}},
	}
	must(f, s.Put(f.Context(), f.w))
}

// zeros compresses so many bytes into a block of very few.
func (f *forger) zeros(n int) []byte {
	var b bytes.Buffer
	e, err := zstd.NewWriter(&b, zstd.WithEncoderLevel(zstd.SpeedFastest))
	must(f, err)
	for page := make([]byte, 1<<20); n > 0; n -= len(page) {
		_, err := e.Write(page)
		must(f, err)
	}
	must(f, e.Close())
	return b.Bytes()
}

func forge(t *testing.T, how func(*forger)) *forger {
	t.Helper()
	f := &forger{office: newOffice(t, repo.InitOptions{Parity: 3})}
	f.r = f.inside()
	w, err := f.r.NewWriter(t.Context(), repo.WriterOptions{Concurrency: 1})
	must(t, err)
	defer w.Abort()
	f.w = w
	how(f)
	return f
}
