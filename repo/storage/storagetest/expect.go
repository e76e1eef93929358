package storagetest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"chartkeep/repo/storage"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func is(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error is %v, want %v", err, want)
	}
}

func put(t *testing.T, st storage.Store, name string, parts ...[]byte) {
	t.Helper()
	check(t, st.Put(t.Context(), name, parts...))
}

func open(t *testing.T, st storage.Store, name string) storage.File {
	t.Helper()
	f, err := st.Open(t.Context(), name)
	check(t, err)
	return f
}

func lock(t *testing.T, st storage.Store, mode storage.LockMode) io.Closer {
	t.Helper()
	held, err := storage.Lock(t.Context(), st, mode, 0)
	check(t, err)
	return held
}

// holds checks that the file is exactly want.
func holds(t *testing.T, st storage.Store, name string, want []byte) {
	t.Helper()
	f := open(t, st, name)
	defer f.Close()
	got, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
	check(t, err)
	if f.Size() != int64(len(want)) || !bytes.Equal(got, want) {
		t.Errorf("%s holds other bytes than were put (%d of %d)", name, len(got), len(want))
	}
}

// lists checks that exactly these files are in the folder, in this order.
func lists(t *testing.T, st storage.Store, dir string, want ...string) {
	t.Helper()
	if got := list(t, st, dir); !slices.Equal(got, want) {
		t.Errorf("in %q are\n%q, want\n%q", dir, got, want)
	}
	if got := named(t, st, dir); !slices.Equal(got, want) {
		t.Errorf("in %q are named\n%q, want\n%q", dir, got, want)
	}
}

func list(t *testing.T, st storage.Store, dir string) (names []string) {
	t.Helper()
	for info, err := range st.List(t.Context(), dir) {
		check(t, err)
		names = append(names, info.Name)
	}
	return names
}

func named(t *testing.T, st storage.Store, dir string) (names []string) {
	t.Helper()
	for name, err := range storage.Names(t.Context(), st, dir) {
		check(t, err)
		names = append(names, name)
	}
	return names
}

func random(n int) []byte {
	b := make([]byte, n)
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], rand.Uint64())
	rand.NewChaCha8(seed).Read(b) // never fails
	return b
}
