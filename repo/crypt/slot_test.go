package crypt

import (
	"bytes"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"chartkeep/repo/crypt/argon2"
)

var (
	here      = [16]byte{1, 2, 3}
	elsewhere = [16]byte{4, 5, 6}
)

// passwordSlot is a slot that opens quickly.
func passwordSlot(t testing.TB, s *Secret, password string, o SlotOptions) []byte {
	t.Helper()
	o.Repository, o.KDF = here, MinKDF
	_, file, err := SealSlot(s, []byte(password), o)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func recoverySlot(t testing.TB, s *Secret, code RecoveryCode) []byte {
	t.Helper()
	_, file, err := SealRecoverySlot(s, code, SlotOptions{Repository: here})
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func openSlot(file []byte, repository [16]byte, secret []byte) (*Secret, error) {
	slot, err := ParseSlot(file)
	if err != nil {
		return nil, err
	}
	return slot.Open(repository, secret)
}

// reslot returns file with its body changed and the checksum made right again,
// as a forger would.
func reslot(t testing.TB, file []byte, change func(*slotBody)) []byte {
	t.Helper()
	var body slotBody
	if err := cbor.Unmarshal(file[headSize:], &body); err != nil {
		t.Fatal(err)
	}
	change(&body)
	return enclose(slotMagic, encode(body))
}

func TestSlotGivesBackWhatItsRoleAllows(t *testing.T) {
	s := newSecret(t)
	for _, role := range []Role{Owner, Writer} {
		file := passwordSlot(t, s, "correct horse", SlotOptions{Role: role, Label: "Elm Street, front desk"})
		got, err := openSlot(file, here, []byte("correct horse"))
		if err != nil {
			t.Fatal(err)
		}
		if got.Role() != role || got.root != s.root || !bytes.Equal(got.public.Bytes(), s.public.Bytes()) {
			t.Errorf("slot of %v gave %v with another key", role, got)
		}
	}
}

func TestSlotSaysWhatItIs(t *testing.T) {
	at := time.Date(2026, 11, 22, 19, 30, 0, 0, time.UTC)
	made, file, err := SealSlot(newSecret(t), []byte("x"), SlotOptions{Repository: here, Label: "Zahnärztin Łuk", Created: at, KDF: MinKDF})
	if err != nil {
		t.Fatal(err)
	}
	slot, err := ParseSlot(file)
	if err != nil {
		t.Fatal(err)
	}
	if slot.ID != made.ID || slot.Repository != here || slot.Kind != Password || slot.Role != Owner ||
		slot.Label != "Zahnärztin Łuk" || !slot.Created.Equal(at) || slot.KDF != MinKDF {
		t.Errorf("slot came back as %+v", slot)
	}
}

func TestPasswordIsTakenAsItIs(t *testing.T) {
	file := passwordSlot(t, newSecret(t), "pass ", SlotOptions{})
	for _, wrong := range []string{"pass", "Pass ", "pass  ", "", "pass \n", strings.Repeat("x", 1<<16)} {
		if _, err := openSlot(file, here, []byte(wrong)); !errors.Is(err, ErrPassword) {
			t.Errorf("password %.20q: %v", wrong, err)
		}
	}
	if _, _, err := SealSlot(newSecret(t), nil, SlotOptions{Repository: here}); err == nil {
		t.Error("an empty password was accepted")
	}
}

func TestWrongRecoveryCodeIsErrPassword(t *testing.T) {
	s, code := newSecret(t), NewRecoveryCode()
	file := recoverySlot(t, s, code)
	if got, err := openSlot(file, here, code[:]); err != nil || got.root != s.root {
		t.Errorf("the right code: %v", err)
	}
	other := NewRecoveryCode()
	for _, wrong := range [][]byte{other[:], nil, code[:31], append(code[:], 0)} {
		if _, err := openSlot(file, here, wrong); !errors.Is(err, ErrPassword) {
			t.Errorf("wrong code: %v", err)
		}
	}
}

// Nothing in a slot tells a wrong password sooner than the derivations do. The
// band is wide for busy machines.
func TestWrongPasswordTakesItsDerivations(t *testing.T) {
	slot, err := ParseSlot(passwordSlot(t, newSecret(t), "right", SlotOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	elapsed := func(work func()) time.Duration {
		best := time.Hour
		for range 3 {
			start := time.Now()
			work()
			best = min(best, time.Since(start))
		}
		return best
	}
	kdf := elapsed(func() { kept(MinKDF, []byte("x"), make([]byte, 16), 64) })
	wrong := elapsed(func() {
		if _, err := slot.Open(here, []byte("wrong")); !errors.Is(err, ErrPassword) {
			t.Errorf("wrong password: %v", err)
		}
	})
	if wrong < kdf/8 || wrong > 8*kdf {
		t.Errorf("a wrong password took %v, the derivation alone %v", wrong, kdf)
	}
}

// A faster way that is wrong costs time, and nothing else.
func TestTheKeptDerivationHasTheLastWord(t *testing.T) {
	if !argon2.Own() {
		t.Skip("there is one derivation only")
	}
	slot, err := ParseSlot(passwordSlot(t, newSecret(t), "right", SlotOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	wrong := func(_ KDF, _, _ []byte, n uint32) []byte { return make([]byte, n) }
	if _, err := slot.open(here, []byte("right"), wrong, kept); err != nil {
		t.Error(err)
	}
	if _, err := slot.open(here, []byte("right"), faster); err != nil {
		t.Errorf("the two differ: %v", err)
	}
	if _, err := slot.open(here, []byte("right"), wrong); !errors.Is(err, ErrPassword) {
		t.Error(err)
	}
}

// With several slots all are tried before any is insisted on: each way alone opens
// what is right and nothing else.
func TestEachWayOpensWithTheRightPassword(t *testing.T) {
	slot, err := ParseSlot(passwordSlot(t, newSecret(t), "right", SlotOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := slot.Try(here, []byte("right")); err != nil {
		t.Error(err)
	}
	if _, err := slot.Insist(here, []byte("right")); (err == nil) != argon2.Own() {
		t.Errorf("insisting: %v; there is another derivation: %v", err, argon2.Own())
	}
	for name, open := range map[string]func([16]byte, []byte) (*Secret, error){"try": slot.Try, "insist": slot.Insist} {
		if _, err := open(here, []byte("wrong")); !errors.Is(err, ErrPassword) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDerivationGivesItsMemoryBack(t *testing.T) {
	kept(DefaultKDF, []byte("x"), make([]byte, 16), 64)
	faster(DefaultKDF, []byte("x"), make([]byte, 16), 64)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if held := m.HeapSys - m.HeapReleased; held > 32<<20 {
		t.Errorf("%d MiB of heap are still held after a derivation", held>>20)
	}
}

// Equal passwords must not show as equal slots, nor share a guess's work.
func TestSlotsAreSealedAfresh(t *testing.T) {
	s, code := newSecret(t), NewRecoveryCode()
	seal := func() slotBody {
		slot, err := ParseSlot(recoverySlot(t, s, code))
		if err != nil {
			t.Fatal(err)
		}
		return slot.body
	}
	a, b := seal(), seal()
	if a.ID == b.ID || a.Salt == b.Salt || a.Commitment == b.Commitment || bytes.Equal(a.Wrapped, b.Wrapped) {
		t.Error("two slots for one code have something in common")
	}
}

func TestSlotOfAnotherRepositoryIsRefused(t *testing.T) {
	code := NewRecoveryCode()
	file := recoverySlot(t, newSecret(t), code)
	if _, err := openSlot(file, elsewhere, code[:]); err == nil || errors.Is(err, ErrPassword) {
		t.Errorf("opened in another repository: %v", err)
	}
	moved := reslot(t, file, func(b *slotBody) { b.Repository = elsewhere })
	if _, err := openSlot(moved, elsewhere, code[:]); err == nil || errors.Is(err, ErrPassword) {
		t.Errorf("opened after its repository was rewritten: %v", err)
	}
}

func TestWriterMakesNoOwnerSlot(t *testing.T) {
	w := asWriter(t, newSecret(t))
	o := SlotOptions{Repository: here, Role: Owner, KDF: MinKDF}
	if _, _, err := SealSlot(w, []byte("x"), o); !errors.Is(err, ErrRole) {
		t.Errorf("password slot: %v", err)
	}
	if _, _, err := SealRecoverySlot(w, NewRecoveryCode(), o); !errors.Is(err, ErrRole) {
		t.Errorf("recovery slot: %v", err)
	}
	o.Role = 0
	if slot, _, err := SealSlot(w, []byte("x"), o); err != nil || slot.Role != Writer {
		t.Errorf("a writer's slot from a writer: %v", err)
	}
}

func TestWriterSlotCanNotBePromoted(t *testing.T) {
	code := NewRecoveryCode()
	_, file, err := SealRecoverySlot(newSecret(t), code, SlotOptions{Repository: here, Role: Writer})
	if err != nil {
		t.Fatal(err)
	}
	promoted := reslot(t, file, func(b *slotBody) { b.Role = uint8(Owner) })
	if _, err := openSlot(promoted, here, code[:]); err == nil {
		t.Error("a writer's slot opened as an owner's")
	}
}

func TestKDFIsBounded(t *testing.T) {
	file := passwordSlot(t, newSecret(t), "x", SlotOptions{})
	for _, c := range []struct {
		kdf [3]uint32
		ok  bool
	}{
		{[3]uint32{2, 19 << 10, 1}, true},
		{[3]uint32{3, 64 << 10, 4}, true},
		{[3]uint32{4, 128 << 10, 16}, true},
		{[3]uint32{0, 0, 0}, false},
		{[3]uint32{1, 64 << 10, 4}, false},
		{[3]uint32{3, 19<<10 - 1, 4}, false},
		{[3]uint32{3, 64 << 10, 0}, false},
		{[3]uint32{3, 64 << 10, 17}, false},
		{[3]uint32{3, 64 << 10, 256 + 4}, false}, // 4 in the low byte
		{[3]uint32{2, 128<<10 + 1, 4}, false},
		{[3]uint32{2, 1 << 20, 4}, false},
		{[3]uint32{5, 128 << 10, 4}, false},
		{[3]uint32{1 << 31, 64 << 10, 4}, false},
		{[3]uint32{3, 1<<32 - 1, 4}, false},
	} {
		forged := reslot(t, file, func(b *slotBody) { b.KDF = c.kdf })
		if _, err := ParseSlot(forged); (err == nil) != c.ok {
			t.Errorf("slot with %v: %v", c.kdf, err)
			continue
		}
		o := SlotOptions{Repository: here, KDF: KDF{c.kdf[0], c.kdf[1], uint8(c.kdf[2])}}
		if c.ok || c.kdf == [3]uint32{} || c.kdf[2] > 255 {
			continue // sealing would really derive
		}
		if _, _, err := SealSlot(fixedSecret(t), []byte("x"), o); err == nil {
			t.Errorf("sealed with %v", c.kdf)
		}
	}
}

func TestDeceptiveLabelIsRefused(t *testing.T) {
	code := NewRecoveryCode()
	file := recoverySlot(t, newSecret(t), code)
	for _, label := range []string{"\x1b[2J", "a\nb", "a\x00", "\u202egnp.exe", strings.Repeat("x", 201)} {
		forged := reslot(t, file, func(b *slotBody) { b.Label = label })
		if _, err := ParseSlot(forged); err == nil {
			t.Errorf("label %.20q was accepted", label)
		}
	}
	if _, _, err := SealRecoverySlot(newSecret(t), code, SlotOptions{Label: "\xff"}); err == nil {
		t.Error("a label that is not text was sealed")
	}
}

func TestSlotIsDecodedStrictly(t *testing.T) {
	file := recoverySlot(t, newSecret(t), NewRecoveryCode())
	body := file[headSize:]
	for name, bad := range map[string][]byte{
		"trailing byte":     append(bytes.Clone(body), 0),
		"duplicate key":     append(append([]byte{body[0] + 1}, body[1:]...), 0x01, 0x01),
		"unknown field":     append(append([]byte{body[0] + 1}, body[1:]...), 0x18, 0x63, 0x01),
		"indefinite map":    append(append([]byte{0xbf}, body[1:]...), 0xff),
		"long integer":      append([]byte{body[0], 0x01, 0x18, 0x01}, body[3:]...),
		"long length":       bytes.Replace(body, []byte{0x50}, []byte{0x58, 16}, 1),
		"short array":       append([]byte{body[0], 0x01, 0x01, 0x02, 0x4f}, body[6:]...),
		"keys out of order": append([]byte{body[0], 0x04, 0x02, 0x01, 0x01}, body[3:]...),
		"other version":     append([]byte{body[0], 0x01, 0x02}, body[3:]...),
		"missing fields":    {0xa1, 0x01, 0x01},
		"no map":            {0x01},
		"empty":             {},
	} {
		if _, err := ParseSlot(enclose(slotMagic, bad)); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if _, err := ParseSlot(enclose(sessionMagic, body)); err == nil {
		t.Error("another magic was accepted")
	}
}

func TestFileThatIsTooLongIsNotLookedAt(t *testing.T) {
	for _, over := range []int{0, 1} {
		file := enclose(slotMagic, make([]byte, maxFileSize-headSize+over))
		if _, err := disclose(slotMagic, file, 0); (err == nil) != (over == 0) {
			t.Errorf("%d bytes: %v", len(file), err)
		}
	}
}

func TestValuesOutOfBoundsAreRefused(t *testing.T) {
	file := recoverySlot(t, newSecret(t), NewRecoveryCode())
	for name, change := range map[string]func(*slotBody){
		"kind 0":                 func(b *slotBody) { b.Kind = 0 },
		"kind 3":                 func(b *slotBody) { b.Kind = 3 },
		"role 0":                 func(b *slotBody) { b.Role = 0 },
		"wrapped too short":      func(b *slotBody) { b.Wrapped = b.Wrapped[1:] },
		"wrapped for a writer":   func(b *slotBody) { b.Wrapped = make([]byte, writerSize+Overhead) },
		"nothing wrapped":        func(b *slotBody) { b.Wrapped = nil },
		"role 3":                 func(b *slotBody) { b.Role = 3 },
		"recovery code with KDF": func(b *slotBody) { b.KDF = [3]uint32{3, 64 << 10, 4} },
	} {
		if _, err := ParseSlot(reslot(t, file, change)); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestEveryFlippedBitOfASlotIsNoticed(t *testing.T) {
	for bit, file := range flips(recoverySlot(t, newSecret(t), NewRecoveryCode())) {
		if _, err := ParseSlot(file); err == nil {
			t.Fatalf("bit %d was flipped unnoticed", bit)
		}
	}
}

// Even with the checksum made right again, no change of a slot gives a secret.
func TestEveryForgedBitOfASlotIsNoticed(t *testing.T) {
	code := NewRecoveryCode()
	file := recoverySlot(t, newSecret(t), code)
	for bit, body := range flips(file[headSize:]) {
		if _, err := openSlot(enclose(slotMagic, body), here, code[:]); err == nil {
			t.Fatalf("bit %d of the body was forged unnoticed", bit)
		}
	}
}

func TestTruncatedSlotIsRefused(t *testing.T) {
	file := recoverySlot(t, newSecret(t), NewRecoveryCode())
	for n := range file {
		if _, err := ParseSlot(file[:n]); err == nil {
			t.Fatalf("a slot cut to %d bytes was accepted", n)
		}
	}
}

func FuzzParseSlot(f *testing.F) {
	f.Add(recoverySlot(f, newSecret(f), NewRecoveryCode())[headSize:])
	f.Add(passwordSlot(f, newSecret(f), "x", SlotOptions{Role: Writer, Label: "label"})[headSize:])
	f.Fuzz(func(t *testing.T, body []byte) {
		file := enclose(slotMagic, body)
		slot, err := ParseSlot(file)
		if err != nil {
			return
		}
		if again := enclose(slotMagic, encode(slot.body)); !bytes.Equal(again, file) {
			t.Errorf("a slot has two encodings:\n%x\n%x", file, again)
		}
		if slot.Kind == Recovery {
			if _, err := slot.Open(slot.Repository, make([]byte, 32)); err == nil {
				t.Error("opened with a code of zeros")
			}
		}
	})
}
