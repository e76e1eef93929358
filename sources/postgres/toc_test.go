package postgres

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// FuzzTOC: an archive that is no archive is an error, and one that is comes out
// as it went in.
func FuzzTOC(f *testing.F) {
	w := tocWriter{toc: &toc{version: 14, integer: 4, offset: 8}}
	w.add(addition{kind: "TABLE", schema: "public", name: "t", section: sectionPreData, make: "CREATE TABLE t ();", needs: 3})
	w.add(addition{kind: "TABLE DATA", name: "t", section: sectionData, data: true})
	head := "PGDMP\x01\x0e\x00\x04\x08\x01" + strings.Repeat("\x00", 5+7*5) + "\x00\x02\x00\x00\x00db\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00" + "\x00\x02\x00\x00\x00"
	f.Add([]byte(head + string(w.b)))
	f.Add([]byte(head))
	f.Fuzz(func(t *testing.T, b []byte) {
		toc, err := parseTOC(slices.Clone(b))
		if err != nil {
			return
		}
		at := len(toc.head) + 1 + toc.integer
		for _, e := range toc.entries {
			if !bytes.Equal(b[at:at+len(e.bytes)], e.bytes) {
				t.Fatalf("entry %d is not as it was", e.id)
			}
			at += len(e.bytes)
		}
	})
}

func TestStatementsEndOutsideOfQuotes(t *testing.T) {
	got := statements("-- a; comment\nSET x = on;\nCOMMENT ON ROLE \"a;\"\"b\" IS 'it''s; two -- lines\n';\nALTER ROLE x PASSWORD E'\\\\ \\'; ';\n\n--\n-- end\n")
	want := []string{"SET x = on", "COMMENT ON ROLE \"a;\"\"b\" IS 'it''s; two -- lines\n'", "ALTER ROLE x PASSWORD E'\\\\ \\'; '"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	for sql, name := range map[string]string{"CREATE ROLE a": "a", `CREATE ROLE "a ""b"" c" LOGIN`: `a "b" c`} {
		if got, ok := named(sql, "CREATE ROLE "); got != name || !ok {
			t.Errorf("%s: %q", sql, got)
		}
	}
}

func TestLinesOfTheSmallFiles(t *testing.T) {
	var all [][]string
	for f, err := range lines(strings.NewReader("a\\tb\\\\n\\n\t\\N\nx\t\n"), 2) {
		if err != nil {
			t.Fatal(err)
		}
		row := []string{"NULL", "NULL"}
		for i := range f {
			if f[i] != nil {
				row[i] = *f[i]
			}
		}
		all = append(all, row)
	}
	if len(all) != 2 || !slices.Equal(all[0], []string{"a\tb\\n\n", "NULL"}) || !slices.Equal(all[1], []string{"x", ""}) {
		t.Errorf("%q", all)
	}
	for _, err := range lines(strings.NewReader("one\n"), 2) {
		if err == nil {
			t.Error("a line of one field has two")
		}
	}
}
