package crypt

import (
	"bytes"
	"errors"
	"iter"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

// flips yields b with every one of its bits flipped in turn.
func flips(b []byte) iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		for bit := range len(b) * 8 {
			c := bytes.Clone(b)
			c[bit/8] ^= 1 << (bit % 8)
			if !yield(bit, c) {
				return
			}
		}
	}
}

func newSession(t testing.TB, s *Secret, repository [16]byte) (*Session, []byte) {
	t.Helper()
	session, file, err := NewSession(s, repository)
	if err != nil {
		t.Fatal(err)
	}
	return session, file
}

// resession returns file with its body changed, and checksum and MAC made right
// again, as only a holder of the secret could.
func resession(t testing.TB, s *Secret, file []byte, change func(*sessionBody)) []byte {
	t.Helper()
	var body sessionBody
	if err := cbor.Unmarshal(file[headSize:len(file)-macSize], &body); err != nil {
		t.Fatal(err)
	}
	change(&body)
	return s.encloseSession(body)
}

func TestWriterSealsWhatOnlyTheOwnerOpens(t *testing.T) {
	owner := newSecret(t)
	writer := asWriter(t, owner)
	session, file := newSession(t, writer, here)
	sealed := session.Seal(nil, []byte("X-ray"), Data)

	if _, err := writer.OpenSession(here, file); !errors.Is(err, ErrRole) {
		t.Errorf("a writer opened a session: %v", err)
	}
	if id, err := writer.VerifySession(here, file); err != nil || id != session.ID() {
		t.Errorf("a writer could not verify its session: %v", err)
	}
	opened, err := owner.OpenSession(here, file)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := opened.Open(nil, sealed, Data)
	if err != nil || string(plain) != "X-ray" || opened.ID() != session.ID() {
		t.Errorf("the owner read %q: %v", plain, err)
	}
}

func TestSessionsAreDrawnAfresh(t *testing.T) {
	s := newSecret(t)
	a, _ := newSession(t, s, here)
	b, _ := newSession(t, s, here)
	if a.ID() == b.ID() {
		t.Error("two sessions have one ID")
	}
	b.additional = a.additional // so that only the keys differ
	for _, kind := range []Kind{Data, Tree} {
		if _, err := b.Open(nil, a.Seal(nil, []byte("x"), kind), kind); err == nil {
			t.Errorf("two sessions have one key for kind %d", kind)
		}
	}
}

func TestSessionOfAnotherRepositoryIsRefused(t *testing.T) {
	s := newSecret(t)
	_, file := newSession(t, s, here)
	if _, err := s.OpenSession(elsewhere, file); err == nil {
		t.Error("a session opened in another repository")
	}
	if _, err := newSecret(t).OpenSession(here, file); err == nil {
		t.Error("a session opened with another secret")
	}
	moved := resession(t, s, file, func(b *sessionBody) { b.Repository = elsewhere })
	if _, err := s.OpenSession(elsewhere, moved); err == nil {
		t.Error("the keys of a session opened in another repository")
	}
	renamed := resession(t, s, file, func(b *sessionBody) { b.ID[0] ^= 1 })
	if _, err := s.OpenSession(here, renamed); err == nil {
		t.Error("the keys of a session opened under another ID")
	}
}

func TestSessionThatWouldNotOpenIsNotBegun(t *testing.T) {
	s := newSecret(t)
	s.public = newSecret(t).public
	if _, _, err := NewSession(s, here); err == nil {
		t.Error("a session was begun that its owner can not open")
	}
}

// The public key alone, should it ever leak, is not enough to add a session.
func TestSessionWithoutTheSecretIsRefused(t *testing.T) {
	owner := newSecret(t)
	stranger := newSecret(t)
	stranger.public, stranger.private = owner.public, nil
	_, file := newSession(t, stranger, here)
	if _, err := owner.OpenSession(here, file); err == nil {
		t.Error("a session made with the public key alone was accepted")
	}
}

func TestEveryFlippedBitOfASessionIsNoticed(t *testing.T) {
	s := newSecret(t)
	_, file := newSession(t, s, here)
	for bit, flipped := range flips(file) {
		if _, err := s.VerifySession(here, flipped); err == nil {
			t.Fatalf("bit %d was flipped unnoticed", bit)
		}
	}
	for n := range file {
		if _, err := s.VerifySession(here, file[:n]); err == nil {
			t.Fatalf("a session cut to %d bytes was accepted", n)
		}
	}
}

// A writer can make checksum and MAC right again; HPKE still notices.
func TestEveryForgedByteOfSessionKeysIsNoticed(t *testing.T) {
	s := newSecret(t)
	_, file := newSession(t, s, here)
	for i := range sealedKeysSize {
		forged := resession(t, s, file, func(b *sessionBody) { b.Sealed[i] ^= 1 << (i % 8) })
		if _, err := s.OpenSession(here, forged); err == nil {
			t.Fatalf("byte %d of the sealed keys was forged unnoticed", i)
		}
	}
	for _, n := range []int{0, 1, 1119, 1120, sealedKeysSize - 1} {
		forged := resession(t, s, file, func(b *sessionBody) { b.Sealed = b.Sealed[:n] })
		if _, err := s.VerifySession(here, forged); err == nil {
			t.Errorf("sealed keys cut to %d bytes were accepted", n)
		}
	}
}

func TestSessionIsDecodedStrictly(t *testing.T) {
	s := newSecret(t)
	_, file := newSession(t, s, here)
	body := file[headSize : len(file)-macSize]
	for name, bad := range map[string][]byte{
		"trailing byte": append(bytes.Clone(body), 0),
		"unknown field": append(append([]byte{body[0] + 1}, body[1:]...), 0x05, 0x01),
		"duplicate key": append(append([]byte{body[0] + 1}, body[1:]...), 0x01, 0x01),
		"long integer":  append([]byte{body[0], 0x01, 0x18, 0x01}, body[3:]...),
		"other version": append([]byte{body[0], 0x01, 0x02}, body[3:]...),
		"empty":         {},
	} {
		mac := MAC(s.sessionKey(), bad)
		if _, err := s.OpenSession(here, append(enclose(sessionMagic, bad), mac[:]...)); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func FuzzParseSession(f *testing.F) {
	s := fixedSecret(f)
	_, file := newSession(f, s, here)
	f.Add(file[headSize : len(file)-macSize])
	f.Add([]byte{0xa0})
	f.Fuzz(func(t *testing.T, body []byte) {
		mac := MAC(s.sessionKey(), body)
		file := append(enclose(sessionMagic, body), mac[:]...)
		decoded, _, err := decodeSession(file)
		if err != nil {
			return
		}
		if again := s.encloseSession(decoded); !bytes.Equal(again, file) {
			t.Errorf("a session has two encodings:\n%x\n%x", file, again)
		}
		s.OpenSession(decoded.Repository, file) // must not panic
	})
}
