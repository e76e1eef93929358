package crypt

import (
	"bytes"
	"errors"
	"sync"
	"testing"
)

type opener interface {
	Seal(dst, plaintext []byte, kind Kind) []byte
	Open(dst, sealed []byte, kind Kind) ([]byte, error)
}

func openers(t testing.TB) map[string]opener {
	session, _ := newSession(t, newSecret(t), here)
	return map[string]opener{"session": session, "box": NewBox([32]byte{1}, here)}
}

func TestSealedOpensAgain(t *testing.T) {
	for name, k := range openers(t) {
		for _, n := range []int{0, 1, 15, 16, 17, 4096, 512 << 10} {
			plain := bytes.Repeat([]byte{7}, n)
			sealed := k.Seal([]byte("head"), plain, Tree)
			if len(sealed) != 4+n+Overhead || string(sealed[:4]) != "head" {
				t.Errorf("%s: %d bytes were sealed into %d", name, n, len(sealed)-4)
			}
			got, err := k.Open([]byte("more"), sealed[4:], Tree)
			if err != nil || !bytes.Equal(got, append([]byte("more"), plain...)) {
				t.Errorf("%s: %d bytes did not come back: %v", name, n, err)
			}
		}
	}
}

func TestSealedOpensInPlace(t *testing.T) {
	plain := bytes.Repeat([]byte("plain"), 1000)
	for name, k := range openers(t) {
		buffer := append(make([]byte, NonceSize, len(plain)+Overhead), plain...)
		sealed := k.Seal(buffer[:0], buffer[NonceSize:], Data)
		if &sealed[0] != &buffer[0] {
			t.Errorf("%s: sealing in place moved", name)
		}
		got, err := k.Open(sealed[NonceSize:NonceSize], sealed, Data)
		if err != nil || !bytes.Equal(got, plain) || &got[0] != &buffer[NonceSize] {
			t.Errorf("%s: did not open in place: %v", name, err)
		}
	}
}

func TestSealingAllocatesNothing(t *testing.T) {
	plain := make([]byte, 4096)
	sealed := make([]byte, 0, 4096+Overhead)
	opened := make([]byte, 0, 4096)
	for name, k := range openers(t) {
		if n := testing.AllocsPerRun(10, func() { sealed = k.Seal(sealed[:0], plain, Data) }); n != 0 {
			t.Errorf("%s: sealing made %v allocations", name, n)
		}
		if n := testing.AllocsPerRun(10, func() { opened, _ = k.Open(opened[:0], sealed, Data) }); n != 0 {
			t.Errorf("%s: opening made %v allocations", name, n)
		}
	}
}

func TestOneKindDoesNotOpenAsAnother(t *testing.T) {
	for name, k := range openers(t) {
		for kind := Data; kind <= MaxKind; kind++ {
			sealed := k.Seal(nil, []byte("x"), kind)
			for other := range Kind(255) {
				if _, err := k.Open(nil, sealed, other); (err == nil) != (other == kind) || (err != nil && !errors.Is(err, ErrSeal)) {
					t.Fatalf("%s: kind %d opened as %d: %v", name, kind, other, err)
				}
			}
		}
	}
}

func TestSealedDoesNotOpenElsewhere(t *testing.T) {
	s := newSecret(t)
	a, _ := newSession(t, s, here)
	b, _ := newSession(t, s, here)
	key := s.IndexKey()
	for name, pair := range map[string][2]opener{
		"another session":            {a, b},
		"the same keys, repository":  {sessionBody{Repository: here}.session(make([]byte, 64)), sessionBody{Repository: elsewhere}.session(make([]byte, 64))},
		"the same keys, session":     {sessionBody{ID: here}.session(make([]byte, 64)), sessionBody{ID: elsewhere}.session(make([]byte, 64))},
		"another box":                {NewBox(key, here), NewBox(s.CacheKey(), here)},
		"the same key in repository": {NewBox(key, here), NewBox(key, elsewhere)},
	} {
		sealed := pair[0].Seal(nil, []byte("x"), Index)
		if _, err := pair[0].Open(nil, sealed, Index); err != nil {
			t.Errorf("%s: does not open at home: %v", name, err)
		}
		if _, err := pair[1].Open(nil, sealed, Index); !errors.Is(err, ErrSeal) {
			t.Errorf("%s: opened: %v", name, err)
		}
	}
}

// Whoever is given the metadata key alone can browse but not read.
func TestDataHasItsOwnKey(t *testing.T) {
	keys := bytes.Repeat([]byte{1}, 64)
	whole := sessionBody{}.session(keys)
	metadata := sessionBody{}.session(append(make([]byte, 32), keys[32:]...))
	if _, err := metadata.Open(nil, whole.Seal(nil, []byte("x"), Data), Data); err == nil {
		t.Error("data opened without the data key")
	}
	for kind := Tree; kind <= MaxKind; kind++ {
		if _, err := metadata.Open(nil, whole.Seal(nil, []byte("x"), kind), kind); err != nil {
			t.Errorf("kind %d is not sealed with the metadata key", kind)
		}
	}
}

func TestEveryFlippedBitOfSealedBytesIsNoticed(t *testing.T) {
	for name, k := range openers(t) {
		sealed := k.Seal(nil, []byte("a block"), Data)
		for bit, flipped := range flips(sealed) {
			if _, err := k.Open(nil, flipped, Data); !errors.Is(err, ErrSeal) {
				t.Fatalf("%s: bit %d was flipped unnoticed: %v", name, bit, err)
			}
		}
		for n := range sealed {
			if _, err := k.Open(nil, sealed[:n], Data); !errors.Is(err, ErrSeal) {
				t.Fatalf("%s: cut to %d bytes: %v", name, n, err)
			}
		}
	}
}

func TestNoncesDoNotRepeat(t *testing.T) {
	k := NewBox([32]byte{1}, here)
	var seen sync.Map
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 2000 {
				nonce := [12]byte(k.Seal(nil, nil, Index))
				if _, again := seen.LoadOrStore(nonce, true); again {
					t.Error("a nonce was used twice")
				}
			}
		})
	}
	group.Wait()
}

func TestKeyIsNotWornOut(t *testing.T) {
	session, _ := newSession(t, newSecret(t), here)
	session.seals.Store(maxSeals - 1)
	session.Seal(nil, nil, Data)
	mustPanic(t, "seal 2³² + 1", func() { session.Seal(nil, nil, Tree) })
}

func TestUnknownKindIsNotSealed(t *testing.T) {
	for name, k := range openers(t) {
		for _, kind := range []Kind{0, MaxKind + 1, 255} {
			mustPanic(t, name, func() { k.Seal(nil, nil, kind) })
		}
	}
}

func mustPanic(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s did not panic", what)
		}
	}()
	f()
}
