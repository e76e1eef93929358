package crypt

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
)

// ErrSeal means that sealed bytes were damaged or changed, or were sealed under
// another key or as another kind.
var ErrSeal = errors.New("sealed data is damaged or does not belong here")

// Overhead is by how many bytes sealing makes a plaintext longer: by NonceSize
// in front of it and by the tag behind it.
const (
	NonceSize = 12
	Overhead  = NonceSize + 16
)

// Kind says what was sealed. One kind never opens as another.
type Kind uint8

// The numbers are part of the format. A caller with more kinds of documents
// numbers them after these, up to MaxKind.
const (
	Data      Kind = 1 + iota // a block of file content; the only kind under the data key
	Tree                      // a block of trees and content lists
	Directory                 // the directory of a pack
	Locator                   // where a pack's directory lies
	Index                     // an index segment
	Snapshot                  // a snapshot's manifest
	Log                       // a record of the log
	Damage                    // blocks that a check found beyond repair
	Checks                    // when which packs were last read
	Bin                       // a snapshot that was forgotten and can be taken back

	MaxKind Kind = 31
)

// maxSeals is how often random 96-bit nonces may be drawn under one key for the
// chance of two equal ones to stay under 2⁻³² (NIST SP 800-38D, 8.3).
const maxSeals = 1 << 32

func newAEAD(key [32]byte) cipher.AEAD {
	return must(cipher.NewGCM(must(aes.NewCipher(key[:]))))
}

// appendSealed is what cipher.NewGCMWithRandomNonce does, but lets a plaintext
// lie where its ciphertext will be.
func appendSealed(dst []byte, aead cipher.AEAD, plaintext, additional []byte) []byte {
	start := len(dst)
	dst = slices.Grow(dst, len(plaintext)+Overhead)[:start+NonceSize]
	nonce := dst[start:]
	rand.Read(nonce)
	return aead.Seal(dst, nonce, plaintext, additional)
}

func appendOpened(dst []byte, aead cipher.AEAD, sealed, additional []byte) ([]byte, error) {
	if len(sealed) < Overhead {
		return nil, ErrSeal
	}
	plain, err := aead.Open(dst, sealed[:NonceSize], sealed[NonceSize:], additional)
	if err != nil {
		return nil, ErrSeal
	}
	return plain, nil
}

// sealer is what sessions and boxes have in common. The additional data stand
// ready for every kind, so that sealing allocates nothing.
type sealer struct {
	data, meta cipher.AEAD
	seals      atomic.Uint64
	additional [MaxKind + 1][1 + 16 + 16 + 1]byte
}

func newSealer(repository, session [16]byte, data, meta cipher.AEAD) *sealer {
	s := &sealer{data: data, meta: meta}
	for kind := range s.additional {
		b := append(s.additional[kind][:0], version)
		b = append(b, repository[:]...)
		b = append(b, session[:]...)
		_ = append(b, byte(kind))
	}
	return s
}

func (s *sealer) aead(kind Kind) cipher.AEAD {
	if kind == Data {
		return s.data
	}
	return s.meta
}

// seal panics rather than wear out a key: at 4 GB/s no run comes near the limit
// within six days, and there is no safe way to go on.
func (s *sealer) seal(dst, plaintext []byte, kind Kind) []byte {
	if kind == 0 || kind > MaxKind {
		panic(fmt.Sprintf("crypt: no kind %d", kind))
	}
	if s.seals.Add(1) > maxSeals {
		panic("crypt: 2³² seals under one key")
	}
	return appendSealed(dst, s.aead(kind), plaintext, s.additional[kind][:])
}

func (s *sealer) open(dst, sealed []byte, kind Kind) ([]byte, error) {
	if kind > MaxKind {
		return nil, fmt.Errorf("kind %d: %w", kind, ErrSeal)
	}
	return appendOpened(dst, s.aead(kind), sealed, s.additional[kind][:])
}

// Box seals under one key from the repository's secret, for as long as the
// repository lives: for what a writer must be able to read. It is safe for
// concurrent use. Its key may seal 2³² times in all; at two seals per pack that
// is some 60 EiB of packs.
type Box struct{ *sealer }

// NewBox returns the box of a key and a repository.
func NewBox(key [32]byte, repository [16]byte) *Box {
	aead := newAEAD(key)
	return &Box{newSealer(repository, [16]byte{}, aead, aead)}
}

// Seal appends the sealed plaintext to dst, as [Session.Seal] does.
func (b *Box) Seal(dst, plaintext []byte, kind Kind) []byte { return b.seal(dst, plaintext, kind) }

// Open appends the plaintext to dst, as [Session.Open] does.
func (b *Box) Open(dst, sealed []byte, kind Kind) ([]byte, error) { return b.open(dst, sealed, kind) }
