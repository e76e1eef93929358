package crypt

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The golden files of format version 1 are for ever: a file that is there is
// never written again, and must open for as long as version 1 is read.
var writeGolden = flag.Bool("write-golden", false, "write golden files that are missing")

const (
	goldenFolder = "testdata/v1"
	goldenCode   = "000G5-40R4X-0M30R-E209C-185G1-R38E2-1W813-24GKP-2GAHF-C5RRD-34D1J-P70X1-3RFKF"
)

// golden checks one golden file.
func golden(t *testing.T, name string, write func() []byte, check func([]byte)) {
	t.Helper()
	path := filepath.Join(goldenFolder, name)
	b, err := os.ReadFile(path)
	if os.IsNotExist(err) && *writeGolden {
		b = write()
		err = os.WriteFile(path, b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	check(b)
}

func goldenRepository() (id [16]byte) {
	copy(id[:], "golden, version1")
	return id
}

func goldenSlot(t *testing.T, name string, seal func(*Secret, SlotOptions) (*Slot, []byte, error), role Role, secret []byte) {
	t.Helper()
	o := SlotOptions{Repository: goldenRepository(), Role: role, Label: name, Created: time.Unix(1_800_000_000, 0)}
	write := func() []byte {
		_, file, err := seal(fixedSecret(t), o)
		if err != nil {
			t.Fatal(err)
		}
		return file
	}
	golden(t, name, write, func(file []byte) {
		slot, err := ParseSlot(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := slot.Open(goldenRepository(), secret)
		if err != nil {
			t.Fatal(err)
		}
		if s.root != fixedSecret(t).root || s.Role() != role || slot.Label != name || slot.Created.Unix() != 1_800_000_000 {
			t.Errorf("%s opened as %+v", name, slot)
		}
	})
}

func TestGoldenSlotsOpen(t *testing.T) {
	password := []byte("correct horse battery staple")
	byPassword := func(s *Secret, o SlotOptions) (*Slot, []byte, error) { return SealSlot(s, password, o) }
	goldenSlot(t, "owner.slot", byPassword, Owner, password)
	goldenSlot(t, "writer.slot", byPassword, Writer, password)

	code := testCard().Code
	byCode := func(s *Secret, o SlotOptions) (*Slot, []byte, error) { return SealRecoverySlot(s, code, o) }
	goldenSlot(t, "recovery.slot", byCode, Owner, code[:])
}

func TestGoldenSessionOpens(t *testing.T) {
	s := fixedSecret(t)
	write := func() []byte { _, file := newSession(t, s, goldenRepository()); return file }
	var session *Session
	golden(t, "session", write, func(file []byte) {
		var err error
		if session, err = s.OpenSession(goldenRepository(), file); err != nil {
			t.Fatal(err)
		}
	})
	for name, kind := range map[string]Kind{"data": Data, "tree": Tree, "snapshot": Snapshot, "log": Log} {
		goldenSeal(t, name, session, kind)
	}
}

func TestGoldenBoxOpens(t *testing.T) {
	box := NewBox(fixedSecret(t).IndexKey(), goldenRepository())
	for name, kind := range map[string]Kind{"directory": Directory, "locator": Locator, "index": Index} {
		goldenSeal(t, name, box, kind)
	}
}

func goldenSeal(t *testing.T, name string, k opener, kind Kind) {
	t.Helper()
	golden(t, name+".sealed", func() []byte { return k.Seal(nil, []byte(name), kind) }, func(sealed []byte) {
		if plain, err := k.Open(nil, sealed, kind); err != nil || string(plain) != name {
			t.Errorf("%s opened as %q: %v", name, plain, err)
		}
	})
}
