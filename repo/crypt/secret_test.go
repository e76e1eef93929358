package crypt

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// fixedSecret is the secret of the golden files: S is the bytes 0 to 31, the
// private key's seed the bytes 32 to 63.
func fixedSecret(t testing.TB) *Secret {
	t.Helper()
	var b [ownerSize]byte
	for i := range b {
		b[i] = byte(i)
	}
	s, err := decodeSecret(b[:], Owner)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newSecret(t testing.TB) *Secret {
	t.Helper()
	s, err := NewSecret()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asWriter returns what a writer's slot of s gives out.
func asWriter(t testing.TB, s *Secret) *Secret {
	t.Helper()
	b, err := s.encode(Writer)
	if err != nil {
		t.Fatal(err)
	}
	w, err := decodeSecret(b, Writer)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// hkdfByHand is RFC 5869 written out for one block and no salt.
func hkdfByHand(secret []byte, info string) []byte {
	extract := hmac.New(sha256.New, make([]byte, sha256.Size))
	extract.Write(secret)
	expand := hmac.New(sha256.New, extract.Sum(nil))
	expand.Write([]byte(info + "\x01"))
	return expand.Sum(nil)
}

func TestDerivedKeysAreThoseOfTheFormat(t *testing.T) {
	s := fixedSecret(t)
	seen := map[[32]byte]string{}
	for _, k := range []struct {
		info string
		key  [32]byte
		hex  string
	}{
		{"chartkeep v1 chunk id", s.ChunkKey(), "0abfc5154a126d3f12db6e5eab5973539167b9d086abf31b099dc0403e486739"},
		{"chartkeep v1 gear table", s.GearKey(), "acd63bda39518cfb554e557901df57e9c1356948b1a797ed3efde2b90985f04b"},
		{"chartkeep v1 index", s.IndexKey(), "a48c1eacf7704dd48902c4ffd000f8afb1b2af93eefae79d38033d2fd75d6335"},
		{"chartkeep v1 config", s.ConfigKey(), "f60938874f7170f9e79310b64e9fa760e9a0eeaac7587f705bbc9354fc12238e"},
		{"chartkeep v1 cache", s.CacheKey(), "e5224e73b4560157f51d68e156fe2693686149c4ad720f2dc312ef97eda5dd44"},
		{"chartkeep v1 session", s.sessionKey(), "17f202d31d88ac0a582c074191bae0b3c800e83a3c9f8b7f6fdc64d468cb3035"},
	} {
		if want := hkdfByHand(s.root[:], k.info); string(k.key[:]) != string(want) {
			t.Errorf("%s: %x, want %x", k.info, k.key, want)
		}
		if got := hex.EncodeToString(k.key[:]); got != k.hex {
			t.Errorf("%s: %s, want %s", k.info, got, k.hex)
		}
		if other := seen[k.key]; other != "" {
			t.Errorf("%s has the key of %s", k.info, other)
		}
		seen[k.key] = k.info
	}
}

// The vector is test case 1 of RFC 4231 with its key filled up with zeros, as
// HMAC itself does.
func TestMACIsHMACSHA256(t *testing.T) {
	var key [32]byte
	for i := range 20 {
		key[i] = 0x0b
	}
	got := MAC(key, []byte("Hi There"))
	if want := "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"; hex.EncodeToString(got[:]) != want {
		t.Errorf("MAC is %x, want %s", got, want)
	}
}

func TestSecretsDiffer(t *testing.T) {
	a, b := newSecret(t), newSecret(t)
	if a.root == b.root || string(a.public.Bytes()) == string(b.public.Bytes()) {
		t.Error("two new secrets are alike")
	}
}

func TestSecretIsNotPrinted(t *testing.T) {
	s := fixedSecret(t)
	for _, verb := range []string{"%v", "%+v", "%s"} {
		if out := fmt.Sprintf(verb, s); strings.Contains(out, "1 2 3") || out != "secret of a repository, owner" {
			t.Errorf("%s prints %q", verb, out)
		}
	}
}

func TestWriterHasNoPrivateKey(t *testing.T) {
	s := newSecret(t)
	w := asWriter(t, s)
	if w.Role() != Writer || s.Role() != Owner {
		t.Errorf("roles are %v and %v", w.Role(), s.Role())
	}
	if w.ChunkKey() != s.ChunkKey() || w.IndexKey() != s.IndexKey() {
		t.Error("a writer has other keys than the owner")
	}
	if _, err := w.encode(Owner); !errors.Is(err, ErrRole) {
		t.Errorf("a writer's secret was encoded for an owner: %v", err)
	}
}

func TestSecretOfWrongLengthIsRefused(t *testing.T) {
	for _, role := range []Role{0, Owner, Writer, 3} {
		for _, n := range []int{0, rootSize, ownerSize - 1, ownerSize + 1, writerSize - 1, writerSize + 1} {
			if _, err := decodeSecret(make([]byte, n), role); err == nil {
				t.Errorf("%d bytes passed for the secret of %v", n, role)
			}
		}
	}
}
