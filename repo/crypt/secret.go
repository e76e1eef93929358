package crypt

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
)

// ErrRole is returned when a writer asks for what only an owner may do.
var ErrRole = errors.New("a writer may not do this")

// Role is what a slot, and the secret it gives out, allows.
type Role uint8

// The numbers are part of the format.
const (
	Owner  Role = 1 // read, add, make slots
	Writer Role = 2 // add; and see which chunks are there, so as not to add them twice
)

func (r Role) String() string {
	switch r {
	case Owner:
		return "owner"
	case Writer:
		return "writer"
	}
	return fmt.Sprintf("role %d", uint8(r))
}

const (
	rootSize    = 32        // S
	privateSize = 32        // seed of an X-Wing key pair
	publicSize  = 1184 + 32 // ML-KEM-768 ‖ X25519
	ownerSize   = rootSize + privateSize
	writerSize  = rootSize + publicSize
)

// kem is the hybrid of ML-KEM-768 and X25519: it holds as long as one of the
// two does.
func kem() hpke.KEM { return hpke.MLKEM768X25519() }

// Secret is what a repository's owner or writer holds. It is immutable and safe
// for concurrent use.
type Secret struct {
	root    [rootSize]byte
	public  hpke.PublicKey
	private hpke.PrivateKey // nil for a writer
}

// NewSecret draws the secret of a new repository.
func NewSecret() (*Secret, error) {
	private, err := kem().GenerateKey()
	if err != nil {
		return nil, fmt.Errorf("generate key pair: %w", err)
	}
	s := &Secret{public: private.PublicKey(), private: private}
	rand.Read(s.root[:])
	return s, nil
}

// Companion draws the secret of a repository that shares this one's root, and
// with it every derived key, but has a key pair of its own: chunks have the
// same names in both, and neither reads what the other stores.
func (s *Secret) Companion() (*Secret, error) {
	c, err := NewSecret()
	if err == nil {
		c.root = s.root
	}
	return c, err
}

// CompanionOf reports whether the two secrets have the same root.
func (s *Secret) CompanionOf(o *Secret) bool {
	return subtle.ConstantTimeCompare(s.root[:], o.root[:]) == 1
}

// Role is Owner when the private key is there.
func (s *Secret) Role() Role {
	if s.private == nil {
		return Writer
	}
	return Owner
}

// String names the role only, so that no log ever holds the secret.
func (s *Secret) String() string { return "secret of a repository, " + s.Role().String() }

// ChunkKey is the key of the hash that names chunks.
func (s *Secret) ChunkKey() [32]byte { return s.derive("chunk id") }

// GearKey is the key from which the splitter makes its table.
func (s *Secret) GearKey() [32]byte { return s.derive("gear table") }

// IndexKey is the key of the [Box] that seals pack directories and index segments.
func (s *Secret) IndexKey() [32]byte { return s.derive("index") }

// ConfigKey is the key of the config's MAC.
func (s *Secret) ConfigKey() [32]byte { return s.derive("config") }

// CacheKey is the key of the local cache.
func (s *Secret) CacheKey() [32]byte { return s.derive("cache") }

// LogCacheKey is the key of the local copy of the log.
func (s *Secret) LogCacheKey() [32]byte { return s.derive("log cache") }

// OwnerCacheKey is the key of local copies of what only an owner may read. It
// follows from the private key; for a writer the error is ErrRole.
func (s *Secret) OwnerCacheKey() (key [32]byte, err error) {
	if s.private == nil {
		return key, ErrRole
	}
	seed, err := s.private.Bytes()
	if err != nil {
		return key, err
	}
	return [32]byte(must(hkdf.Key(sha256.New, seed, nil, "chartkeep v1 owner cache", 32))), nil
}

func (s *Secret) sessionKey() [32]byte { return s.derive("session") }

func (s *Secret) derive(purpose string) [32]byte {
	// HKDF fails only for a length over 255 hashes.
	key := must(hkdf.Key(sha256.New, s.root[:], nil, "chartkeep v1 "+purpose, 32))
	return [32]byte(key)
}

// MAC returns HMAC-SHA256 of b, for what is stored in the clear but must not be
// changed by others.
func MAC(key [32]byte, b []byte) (sum [32]byte) {
	h := hmac.New(sha256.New, key[:])
	h.Write(b)
	h.Sum(sum[:0])
	return sum
}

// wrappedSize is the length of what a slot of this role wraps, sealed.
func wrappedSize(role Role) int {
	if role == Owner {
		return ownerSize + Overhead
	}
	return writerSize + Overhead
}

// encode returns what a slot of this role wraps.
func (s *Secret) encode(role Role) ([]byte, error) {
	switch {
	case role == Writer:
		return append(s.root[:], s.public.Bytes()...), nil
	case role == Owner && s.private != nil:
		seed, err := s.private.Bytes()
		return append(s.root[:], seed...), err
	case role == Owner:
		return nil, ErrRole
	}
	return nil, fmt.Errorf("unknown %v", role)
}

// decodeSecret is the inverse of encode.
func decodeSecret(b []byte, role Role) (*Secret, error) {
	switch {
	case role == Owner && len(b) == ownerSize:
		private, err := kem().NewPrivateKey(b[rootSize:])
		if err != nil {
			return nil, fmt.Errorf("private key: %w", err)
		}
		return &Secret{root: [rootSize]byte(b), public: private.PublicKey(), private: private}, nil
	case role == Writer && len(b) == writerSize:
		public, err := kem().NewPublicKey(b[rootSize:])
		if err != nil {
			return nil, fmt.Errorf("public key: %w", err)
		}
		return &Secret{root: [rootSize]byte(b), public: public}, nil
	}
	return nil, fmt.Errorf("%d bytes are not the secret of an %v", len(b), role)
}
