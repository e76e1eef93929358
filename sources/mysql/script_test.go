package mysql

import (
	"bytes"
	"errors"
	"os/exec"
	"strings"
	"testing"
)

// TestTheVendorsClientReadsTheScript holds the vendor's own dumps of both servers
// against each other, and the second's database has another name.
func TestTheVendorsClientReadsTheScript(t *testing.T) {
	trapsOn(t, shared)
	want := vendorDump(t, shared, "traps")
	exactly := client(t, shared, exact)
	saved, _ := mustTake(t, sourceOf(t, shared, "traps"))
	var out bytes.Buffer
	if err := WriteScript(t.Context(), &out, saved, ""); err != nil {
		t.Fatal(err)
	}
	other := second(t)
	client(t, other, vendor("", "CREATE TABLESPACE apart ENGINE=InnoDB;")+"CREATE DATABASE traps CHARACTER SET ascii")
	t.Cleanup(func() { _, _ = tryClient(other, "DROP DATABASE traps;"+vendor("", "DROP TABLESPACE apart")) })
	// Neither binary mode nor a character set is asked for: whoever reads the
	// script may know nothing of it. Without --comments the client takes comments
	// out of routines, of the vendor's own dumps as well.
	cmd := exec.Command(vendor("mariadb", "mysql"), "--no-defaults", "--socket="+other.Socket(), "--user=root", "--comments", "traps")
	cmd.Stdin = &out
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	sameText(t, vendorDump(t, other, "traps"), want)
	sameText(t, client(t, other, exact), exactly)
	again, _ := mustTake(t, sourceOf(t, other, "traps"))
	for path, b := range saved {
		if strings.HasPrefix(path, "traps/tables/") {
			sameText(t, string(again[path]), string(b))
		}
	}
}

func TestAScriptOfWhatIsDamagedIsAnError(t *testing.T) {
	db, saved, _ := smallOf(t)
	bad := damaged{saved, "parent.tsv", failing{}}
	if err := WriteScript(t.Context(), &bytes.Buffer{}, bad, db); !errors.Is(err, errMedium) {
		t.Errorf("a file that cannot be read: %v", err)
	}
	bad = damaged{saved, "parent.tsv", strings.NewReader("1\tone\n2")}
	if err := WriteScript(t.Context(), &bytes.Buffer{}, bad, db); !errors.Is(err, ErrDiffers) {
		t.Errorf("half a row: %v", err)
	}
	if err := WriteScript(t.Context(), &bytes.Buffer{}, saved, "another"); err == nil {
		t.Error("a database that was not saved was written")
	}
}

func TestALiteralIsTheValue(t *testing.T) {
	for value, want := range map[string]string{
		"":              "_binary''",
		"it's":          "_binary'it''s'",
		"a\r\n\x1a\x00": `_binary'a\r\n\Z\0'`,
		`back\slash`:    `_binary'back\\slash'`,
		"\xff\\\n\x00t": "0xFF5C0A0074",
		"größe":         "_binary'größe'",
	} {
		if got := string(appendLiteral(nil, appendEscaped(nil, []byte(value)))); got != want {
			t.Errorf("%q: %s, want %s", value, got, want)
		}
	}
}
