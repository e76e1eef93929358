package crypt

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"sync/atomic"
)

// ErrSeal means that sealed bytes were damaged or changed, or were sealed under
// another key or as another kind.
var ErrSeal = errors.New("sealed data is damaged or does not belong here")

// Overhead is by how many bytes sealing makes a plaintext longer.
const Overhead = 12 + 16

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

	MaxKind Kind = 31
)

// maxSeals is how often random 96-bit nonces may be drawn under one key for the
// chance of two equal ones to stay under 2⁻³² (NIST SP 800-38D, 8.3).
const maxSeals = 1 << 32

// newAEAD returns AES-256-GCM that draws a random nonce for every seal and puts
// it in front.
func newAEAD(key [32]byte) cipher.AEAD {
	block := must(aes.NewCipher(key[:]))
	return must(cipher.NewGCMWithRandomNonce(block))
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
	return s.aead(kind).Seal(dst, nil, plaintext, s.additional[kind][:])
}

func (s *sealer) open(dst, sealed []byte, kind Kind) ([]byte, error) {
	if kind > MaxKind {
		return nil, fmt.Errorf("kind %d: %w", kind, ErrSeal)
	}
	plain, err := s.aead(kind).Open(dst, nil, sealed, s.additional[kind][:])
	if err != nil {
		return nil, ErrSeal
	}
	return plain, nil
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
