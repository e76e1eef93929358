package pack

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"sync"
	"testing"

	"chartkeep/chunk"
	"chartkeep/index"
)

// countingBox seals under a fixed key, with nonces that count: the same calls
// give the same bytes.
type countingBox struct {
	aead cipher.AEAD
	n    uint64
}

func newBox() *countingBox {
	block := must(aes.NewCipher(make([]byte, 32)))
	return &countingBox{aead: must(cipher.NewGCM(block))}
}

func (b *countingBox) seal(dst, plain []byte, kind string) []byte {
	b.n++
	nonce := binary.BigEndian.AppendUint64(make([]byte, 4, 12), b.n)
	return b.aead.Seal(append(dst, nonce...), nonce, plain, []byte(kind))
}

func (b *countingBox) open(dst, sealed []byte, kind string) ([]byte, error) {
	if len(sealed) < 12 {
		return nil, fmt.Errorf("sealed %s of %d bytes", kind, len(sealed))
	}
	return b.aead.Open(dst, sealed[:12], sealed[12:], []byte(kind))
}

func (b *countingBox) SealDirectory(dst, plain []byte) []byte { return b.seal(dst, plain, "directory") }
func (b *countingBox) SealLocator(dst, plain []byte) []byte   { return b.seal(dst, plain, "locator") }
func (b *countingBox) OpenDirectory(dst, sealed []byte) ([]byte, error) {
	return b.open(dst, sealed, "directory")
}

func (b *countingBox) OpenLocator(dst, sealed []byte) ([]byte, error) {
	return b.open(dst, sealed, "locator")
}

var testSession = [16]byte{'s', 'e', 's', 's', 'i', 'o', 'n'}

// testPack is a pack in memory, with what was sealed into it.
type testPack struct {
	Finished
	file   []byte
	blocks [][]byte
}

// build makes a pack of blocks of these sealed lengths, each one cut into chunks
// of the given plaintext length.
func build(t testing.TB, percent, chunkLength int, sealed ...int) testPack {
	t.Helper()
	b := spareBuilders.Get().(*Builder)
	defer spareBuilders.Put(b)
	b.percent, b.box = percent, newBox()
	return fill(t, b, chunkLength, sealed...)
}

var spareBuilders = sync.Pool{New: func() any { return NewBuilder(0, nil) }}

func fill(t testing.TB, b *Builder, chunkLength int, sealed ...int) testPack {
	t.Helper()
	b.Reset(testSession, index.Data)
	var p testPack
	for i, n := range sealed {
		room, ok := b.Reserve(n, testBlock(i, n, chunkLength))
		if !ok || len(room) != n || cap(room) != n {
			t.Fatalf("room for %d bytes: %d of %d, %v", n, len(room), cap(room), ok)
		}
		p.blocks = append(p.blocks, random(n, byte(i+1)))
		copy(room, p.blocks[i])
	}
	var err error
	if p.Finished, err = b.Finish(); err != nil {
		t.Fatal(err)
	}
	for _, part := range p.Parts {
		p.file = append(p.file, part...)
	}
	return p
}

func testBlock(i, plain, chunkLength int) index.Block {
	blk := index.Block{Plain: uint32(plain), Codec: index.Raw}
	for at := 0; at < plain; at += chunkLength {
		id := chunk.ID{byte(i), byte(at >> 16), byte(at >> 8), byte(at)}
		blk.Chunks = append(blk.Chunks, index.Chunk{ID: id, Length: uint32(min(chunkLength, plain-at))})
	}
	return blk
}
