package crypt

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"chartkeep/repo/crypt/argon2"
)

// ErrPassword means that a slot is whole but does not open with this password
// or recovery code.
var ErrPassword = errors.New("wrong password")

// SlotKind is what opens a slot.
type SlotKind uint8

// The numbers are part of the format.
const (
	Password SlotKind = 1
	Recovery SlotKind = 2
)

func (k SlotKind) String() string {
	switch k {
	case Password:
		return "password"
	case Recovery:
		return "recovery code"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// SlotID names a slot: 16 random bytes.
type SlotID [16]byte

func (id SlotID) String() string { return hex.EncodeToString(id[:]) }

// Slot is one way into a repository. Until it has been opened, nothing vouches
// for its fields but a checksum.
type Slot struct {
	ID         SlotID
	Repository [16]byte
	Kind       SlotKind
	Role       Role
	Label      string
	Created    time.Time // to the second
	KDF        KDF       // zero for a recovery code

	body slotBody
}

// SlotOptions say what a new slot is. Only Repository has no default.
type SlotOptions struct {
	Repository [16]byte
	Role       Role      // default: that of the secret
	Label      string    // for people; at most 200 bytes of printable text
	Created    time.Time // default: now
	KDF        KDF       // default: DefaultKDF; for passwords only
}

const (
	slotMagic = "CHRTSLOT"
	maxLabel  = 200
)

// slotBody is the stored form; its numbers are for ever.
type slotBody struct {
	Version    uint8     `cbor:"1,keyasint"`
	Repository [16]byte  `cbor:"2,keyasint"`
	ID         [16]byte  `cbor:"3,keyasint"`
	Kind       uint8     `cbor:"4,keyasint"`
	Role       uint8     `cbor:"5,keyasint"`
	Label      string    `cbor:"6,keyasint"`
	Created    int64     `cbor:"7,keyasint"`
	KDF        [3]uint32 `cbor:"8,keyasint"`
	Salt       [16]byte  `cbor:"9,keyasint"`
	Commitment [32]byte  `cbor:"10,keyasint"`
	Wrapped    []byte    `cbor:"11,keyasint,omitempty"`
}

// SealSlot makes a slot that opens with the password, taken as it is, and
// returns the file to store under the slot's ID. A writer's secret makes
// writers' slots only; for an owner's the error is ErrRole.
func SealSlot(s *Secret, password []byte, o SlotOptions) (*Slot, []byte, error) {
	if len(password) == 0 {
		return nil, nil, errors.New("seal slot: the password is empty")
	}
	if o.KDF == (KDF{}) {
		o.KDF = DefaultKDF
	}
	return sealSlot(s, Password, password, o)
}

// SealRecoverySlot makes a slot that opens with the recovery code, which has
// all the entropy a key needs, so that there is nothing to slow down.
func SealRecoverySlot(s *Secret, code RecoveryCode, o SlotOptions) (*Slot, []byte, error) {
	o.KDF = KDF{}
	return sealSlot(s, Recovery, code[:], o)
}

func sealSlot(s *Secret, kind SlotKind, secret []byte, o SlotOptions) (*Slot, []byte, error) {
	body := newSlotBody(s, kind, o)
	slot := body.slot()
	if err := slot.validate(); err != nil {
		return nil, nil, fmt.Errorf("seal slot: %w", err)
	}
	plain, err := s.encode(slot.Role)
	if err != nil {
		return nil, nil, fmt.Errorf("seal slot: %w", err)
	}
	key, commitment := slot.derive(secret, kept)
	slot.body.Commitment = commitment
	slot.body.Wrapped = appendSealed(nil, newAEAD(key), plain, slot.body.header())
	return slot, enclose(slotMagic, encode(slot.body)), nil
}

func newSlotBody(s *Secret, kind SlotKind, o SlotOptions) slotBody {
	if o.Role == 0 {
		o.Role = s.Role()
	}
	if o.Created.IsZero() {
		o.Created = time.Now()
	}
	body := slotBody{
		Version: version, Repository: o.Repository, Kind: uint8(kind), Role: uint8(o.Role), Label: o.Label,
		Created: o.Created.Unix(), KDF: [3]uint32{o.KDF.Time, o.KDF.MemoryKiB, uint32(o.KDF.Threads)},
	}
	rand.Read(body.ID[:])
	rand.Read(body.Salt[:])
	return body
}

// ParseSlot decodes a slot's file. An error means that this copy is damaged, or
// that it would be unsafe to open.
func ParseSlot(file []byte) (*Slot, error) {
	slot, err := parseSlot(file)
	if err != nil {
		return nil, fmt.Errorf("key slot: %w", err)
	}
	return slot, nil
}

func parseSlot(file []byte) (*Slot, error) {
	raw, err := disclose(slotMagic, file, 0)
	if err != nil {
		return nil, err
	}
	var body slotBody
	if err := decode(raw, &body); err != nil {
		return nil, err
	}
	if body.Version != version {
		return nil, fmt.Errorf("format version %d is not known", body.Version)
	}
	if body.KDF[2] > maxThreads {
		return nil, fmt.Errorf("key derivation is too costly: %d threads", body.KDF[2])
	}
	slot := body.slot()
	if len(body.Wrapped) != wrappedSize(slot.Role) {
		return nil, fmt.Errorf("%d wrapped bytes do not fit an %v", len(body.Wrapped), slot.Role)
	}
	return slot, slot.validate()
}

func (b slotBody) slot() *Slot {
	return &Slot{
		ID: b.ID, Repository: b.Repository, Kind: SlotKind(b.Kind), Role: Role(b.Role), Label: b.Label,
		Created: time.Unix(b.Created, 0), KDF: KDF{b.KDF[0], b.KDF[1], uint8(b.KDF[2])}, body: b,
	}
}

// header is the body without what is wrapped: what the wrapping vouches for.
func (b slotBody) header() []byte {
	b.Wrapped = nil
	return encode(b)
}

func (sl *Slot) validate() error {
	if sl.Role != Owner && sl.Role != Writer {
		return fmt.Errorf("unknown %v", sl.Role)
	}
	if err := validateLabel(sl.Label); err != nil {
		return err
	}
	switch {
	case sl.Kind == Password:
		return sl.KDF.validate()
	case sl.Kind != Recovery:
		return fmt.Errorf("unknown %v", sl.Kind)
	case sl.KDF != KDF{}:
		return errors.New("a recovery code needs no costly derivation")
	}
	return nil
}

// validateLabel keeps out what could deceive who reads it on a terminal.
func validateLabel(label string) error {
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) }
	if len(label) > maxLabel || !utf8.ValidString(label) || strings.ContainsFunc(label, unprintable) {
		return fmt.Errorf("label is not printable text of at most %d bytes", maxLabel)
	}
	return nil
}

// Open unwraps the repository's secret with the password, or with the bytes of
// the recovery code, whichever Kind asks for. It takes the time and the memory
// that KDF names, and returns ErrPassword when the secret is the wrong one.
func (sl *Slot) Open(repository [16]byte, secret []byte) (*Secret, error) {
	return sl.named(sl.open(repository, secret, faster, kept))
}

// Try is Open without the well-kept derivation's last word, and Insist is that word
// alone. Whoever has several slots tries them all before insisting on any.
func (sl *Slot) Try(repository [16]byte, secret []byte) (*Secret, error) {
	return sl.named(sl.open(repository, secret, faster))
}

// Insist returns ErrPassword for what Try has derived in the same way.
func (sl *Slot) Insist(repository [16]byte, secret []byte) (*Secret, error) {
	if sl.Kind == Recovery || !argon2.Own() {
		return sl.named(nil, ErrPassword)
	}
	return sl.named(sl.open(repository, secret, kept))
}

func (sl *Slot) named(s *Secret, err error) (*Secret, error) {
	if err != nil {
		return nil, fmt.Errorf("open key slot %v: %w", sl.ID, err)
	}
	return s, nil
}

// open tries the ways to derive a key of a password one after the other.
func (sl *Slot) open(repository [16]byte, secret []byte, ways ...derivation) (*Secret, error) {
	if sl.body.Repository != repository {
		return nil, fmt.Errorf("it belongs to repository %x", sl.body.Repository)
	}
	if sl.Kind == Recovery || !argon2.Own() {
		ways = ways[:1] // they are all one
	}
	var key [32]byte
	var right bool
	for _, way := range ways {
		if key, right = sl.key(secret, way); right {
			break
		}
	}
	if !right {
		return nil, ErrPassword
	}
	plain, err := appendOpened(nil, newAEAD(key), sl.body.Wrapped, sl.body.header())
	if err != nil {
		return nil, errors.New("the password is right, but the slot was changed")
	}
	return decodeSecret(plain, Role(sl.body.Role))
}

// key is the wrapping key, if secret is the right one.
func (sl *Slot) key(secret []byte, password derivation) (key [32]byte, right bool) {
	key, commitment := sl.derive(secret, password)
	return key, subtle.ConstantTimeCompare(commitment[:], sl.body.Commitment[:]) == 1
}

// derive turns what the user knows into the wrapping key and the commitment.
func (sl *Slot) derive(secret []byte, password derivation) (key, commitment [32]byte) {
	var both []byte
	if sl.Kind == Password {
		both = password(sl.KDF, secret, sl.body.Salt[:], 64)
	} else {
		both = must(hkdf.Key(sha256.New, secret, sl.body.Salt[:], "chartkeep v1 recovery slot", 64))
	}
	committed := bytes.Join([][]byte{[]byte("chartkeep v1 slot commitment"), both[32:]}, nil)
	return [32]byte(both), sha256.Sum256(committed)
}
