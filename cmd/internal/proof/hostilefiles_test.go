package proof_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/zeebo/blake3"

	"chartkeep/repo/crypt"
)

// TestHostileFilesAreNotTakenIntoMemory puts files into the repository's folders
// that are far larger than they may be, and key slots that ask for more than any
// computer has.
func TestHostileFilesAreNotTakenIntoMemory(t *testing.T) {
	t.Parallel()
	f := newOffice(t, defaultParity)
	night(1).plant(t, f.path("src"))
	f.exits(0, "backup", f.path("src"))
	id := strings.Repeat("0a", 32)
	for i, name := range []string{
		"snapshots/" + id, "copies/snapshots/" + id, "index/" + id, "log/" + id, "bin/" + id, "damage/" + id, "checks/" + id,
		"packs/0a/" + id, "packs/0a/" + id[:32], "sessions/" + id[:32], "keys/" + id[:32], "keys/" + id,
	} {
		if !*full && i%3 != 0 {
			continue
		}
		huge := f.path("repo", name)
		must(t, os.MkdirAll(filepath.Dir(huge), 0o755))
		must(t, os.WriteFile(huge, nil, 0o600))
		must(t, os.Truncate(huge, 2<<30))
		for _, args := range [][]string{{"snapshots"}, {"check", "--read-data"}, {"restore", "latest", "--target", f.path("out")}} {
			f.bounded(args...)
		}
		must(t, os.Remove(huge))
	}
	slot, err := f.inside().AddPassword(t.Context(), []byte("another"), crypt.Owner, "")
	must(t, err)
	for _, kdf := range [][3]uint32{{1 << 31, 64 << 10, 4}, {3, 1 << 31, 4}, {2, 1 << 20, 4}, {3, 64 << 10, 255}, {0, 0, 0}, {3, 8, 1}, {4, 128 << 10, 4}} {
		forgeSlot(f, slot, kdf)
		if o := f.bounded("snapshots"); o.code != 0 {
			t.Errorf("beside a key that asks for %v: exit code %d\n%s", kdf, o.code, &o.stderr)
		}
		c := f.command("snapshots")
		c.Env = append(c.Env, "CHARTKEEP_PASSWORD=no password at all")
		if o := f.boundedRun(c); o.code == 0 || o.busy > mostTime/2 {
			t.Errorf("a password beside a key that asks for %v: exit code %d after %v s of a processor", kdf, o.code, o.busy)
		}
	}
}

// slotBody is a key slot's stored form.
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
	Wrapped    []byte    `cbor:"11,keyasint"`
}

// forgeSlot gives a password's key slot other costs of derivation. Nothing but a
// checksum keeps one from that until it is opened.
func forgeSlot(f *office, id string, kdf [3]uint32) {
	f.Helper()
	const magic, checksum = 8, 16
	was, err := os.ReadFile(f.path("repo", "keys", id))
	must(f, err)
	var body slotBody
	must(f, cbor.Unmarshal(was[magic+checksum:], &body))
	body.KDF = kdf
	mode, err := cbor.CoreDetEncOptions().EncMode()
	must(f, err)
	b, err := mode.Marshal(body)
	must(f, err)
	sum := blake3.Sum256(b)
	for _, dir := range []string{"keys", "copies/keys"} {
		must(f, os.WriteFile(f.path("repo", dir, id), slices.Concat(was[:magic], sum[:checksum], b), 0o600))
	}
}
