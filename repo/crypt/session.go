package crypt

import (
	"bytes"
	"crypto/hpke"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
)

// SessionID names a session: 16 random bytes.
type SessionID [16]byte

func (id SessionID) String() string { return hex.EncodeToString(id[:]) }

// Session holds the keys of one writing run. It is safe for concurrent use.
type Session struct {
	id SessionID
	*sealer
}

// ID returns the session's name.
func (k *Session) ID() SessionID { return k.id }

// Seal appends nonce ‖ ciphertext ‖ tag to dst, Overhead bytes more than the
// plaintext, and returns the longer slice. If dst has the capacity, nothing is
// allocated. To seal in place, let the plaintext begin NonceSize bytes after
// the end of dst; in no other way may it overlap what is appended.
//
// Seal panics when kind is zero or over MaxKind, and rather than to seal more
// than 2³² times.
func (k *Session) Seal(dst, plaintext []byte, kind Kind) []byte {
	return k.seal(dst, plaintext, kind)
}

// Open appends the plaintext to dst and returns the longer slice. To open in
// place, let dst be sealed[NonceSize:NonceSize]; in no other way may what is
// appended overlap sealed. When sealed does not open, the error is ErrSeal, and
// the capacity of dst may have been overwritten.
func (k *Session) Open(dst, sealed []byte, kind Kind) ([]byte, error) {
	return k.open(dst, sealed, kind)
}

const (
	sessionMagic   = "CHRTSESS"
	macSize        = 32
	keysSize       = 32 + 32                   // data key, metadata key
	sealedKeysSize = 1088 + 32 + keysSize + 16 // ML-KEM-768 ‖ X25519 encapsulations, keys, tag
)

// sessionBody is the stored form; its numbers are for ever.
type sessionBody struct {
	Version    uint8    `cbor:"1,keyasint"`
	Repository [16]byte `cbor:"2,keyasint"`
	ID         [16]byte `cbor:"3,keyasint"`
	Sealed     []byte   `cbor:"4,keyasint"`
}

func (b sessionBody) info() []byte {
	return bytes.Join([][]byte{[]byte("chartkeep v1 session keys"), b.Repository[:], b.ID[:]}, nil)
}

// NewSession draws the keys of a new run and returns them with the file to
// store under the session's ID. The file must be durable before anything sealed
// with these keys is: without it nobody can open that again.
func NewSession(s *Secret, repository [16]byte) (*Session, []byte, error) {
	var keys [keysSize]byte
	rand.Read(keys[:])
	body := sessionBody{Version: version, Repository: repository}
	rand.Read(body.ID[:])
	sealed, err := hpke.Seal(s.public, hpke.HKDFSHA256(), hpke.AES256GCM(), body.info(), keys[:])
	if err != nil {
		return nil, nil, fmt.Errorf("seal session keys: %w", err)
	}
	body.Sealed = sealed
	file := s.encloseSession(body)
	if s.private == nil {
		return body.session(keys[:]), file, nil
	}
	// Use the keys as the file gives them back: bad memory, or two halves of a key
	// pair that do not match, would otherwise show only at a restore.
	session, err := s.OpenSession(repository, file)
	return session, file, err
}

func (s *Secret) encloseSession(body sessionBody) []byte {
	raw := encode(body)
	mac := MAC(s.sessionKey(), raw)
	return append(enclose(sessionMagic, raw), mac[:]...)
}

// VerifySession checks all of a session's file that can be checked without the
// private key: that it is whole, belongs to the repository, and was made by a
// holder of the repository's secret.
func (s *Secret) VerifySession(repository [16]byte, file []byte) (SessionID, error) {
	body, err := s.parseSession(repository, file)
	if err != nil {
		return SessionID{}, fmt.Errorf("session file: %w", err)
	}
	return body.ID, nil
}

// OpenSession opens the file of a session, whoever wrote it. For a writer, who
// has no private key, the error is ErrRole.
func (s *Secret) OpenSession(repository [16]byte, file []byte) (*Session, error) {
	body, err := s.parseSession(repository, file)
	if err != nil {
		return nil, fmt.Errorf("session file: %w", err)
	}
	if s.private == nil {
		return nil, fmt.Errorf("open session %x: %w", body.ID, ErrRole)
	}
	keys, err := hpke.Open(s.private, hpke.HKDFSHA256(), hpke.AES256GCM(), body.info(), body.Sealed)
	if err != nil || len(keys) != keysSize {
		return nil, fmt.Errorf("open session %x: its keys are not sealed to this repository", body.ID)
	}
	return body.session(keys), nil
}

func (s *Secret) parseSession(repository [16]byte, file []byte) (body sessionBody, err error) {
	body, raw, err := decodeSession(file)
	if err != nil {
		return body, err
	}
	if body.Repository != repository {
		return body, fmt.Errorf("it belongs to repository %x", body.Repository)
	}
	want := MAC(s.sessionKey(), raw)
	if subtle.ConstantTimeCompare(want[:], file[len(file)-macSize:]) != 1 {
		return body, errors.New("not made by a holder of this repository's secret")
	}
	return body, nil
}

// decodeSession does what needs no key.
func decodeSession(file []byte) (body sessionBody, raw []byte, err error) {
	if raw, err = disclose(sessionMagic, file, macSize); err != nil {
		return body, nil, err
	}
	if err = decode(raw, &body); err != nil {
		return body, nil, err
	}
	switch {
	case body.Version != version:
		err = fmt.Errorf("format version %d is not known", body.Version)
	case len(body.Sealed) != sealedKeysSize:
		err = fmt.Errorf("%d sealed bytes", len(body.Sealed))
	}
	return body, raw, err
}

func (b sessionBody) session(keys []byte) *Session {
	data, meta := newAEAD([32]byte(keys[:32])), newAEAD([32]byte(keys[32:]))
	return &Session{b.ID, newSealer(b.Repository, b.ID, data, meta)}
}
