package mysql

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
)

// TestSomeLinesAreWholeLines wherever one part of the rows ends and the next begins.
func TestSomeLinesAreWholeLines(t *testing.T) {
	text := "a\nbb\n\n" + strings.Repeat("c", 100) + "\nd\n"
	for least := 1; least < len(text)+2; least++ {
		for name, from := range map[string]io.Reader{
			"all": strings.NewReader(text), "bytes": iotest.OneByteReader(strings.NewReader(text)), "halves": iotest.HalfReader(strings.NewReader(text)),
		} {
			in := bufio.NewReaderSize(from, 32)
			var got strings.Builder
			for got.Len() < len(text) {
				part, err := io.ReadAll(&someLines{in: in, left: least})
				if err != nil {
					t.Fatal(err)
				}
				got.Write(part)
				enough := len(part) >= least && strings.IndexByte(string(part[least-1:]), '\n') == len(part)-least
				if !enough && got.Len() < len(text) {
					t.Fatalf("%s, at least %d bytes: %q", name, least, part)
				}
			}
			if got.String() != text {
				t.Errorf("%s, at least %d bytes: %q", name, least, got.String())
			}
		}
	}
}

// status is a counter of the server.
func status(t *testing.T, s *Server, name string) int {
	t.Helper()
	_, n, _ := strings.Cut(strings.TrimSpace(client(t, s, "SHOW GLOBAL STATUS LIKE '"+name+"'")), "\t")
	v, err := strconv.Atoi(n)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// keyed are tables with keys of all kinds, and some that a table cannot do without.
const keyed = `CREATE TABLE patient (id INT PRIMARY KEY, name VARCHAR(80), street VARCHAR(80), born DATE, note TEXT, place POINT NOT NULL,
  KEY first (name), UNIQUE KEY one (street, id), KEY second (born, name(5)), FULLTEXT KEY words (note), KEY third (street) COMMENT 'a, b', SPATIAL KEY spot (place), KEY last (name, born));
CREATE TABLE visit (id INT PRIMARY KEY, patient INT, begins DATETIME, KEY begins (begins), KEY patient (patient), FOREIGN KEY (patient) REFERENCES patient (id));
CREATE TABLE counted (id INT AUTO_INCREMENT, x INT, KEY id (id), KEY x (x));
`

// TestKeysAreMadeWhenTheRowsAreThere, by LOAD DATA in several parts, and come back in
// their order; those stay that the server asks for.
func TestKeysAreMadeWhenTheRowsAreThere(t *testing.T) {
	db := database(t, shared)
	var rows strings.Builder
	for i := range 300 {
		fmt.Fprintf(&rows, "INSERT INTO patient VALUES (%d,'name %d','street %d','2001-02-03','some words %d',POINT(%d,2)); INSERT INTO visit VALUES (%d,%d,'2020-01-02 10:00:00'); INSERT INTO counted VALUES (%d,%d);\n",
			i, i%7, i, i, i, i, i, i+1, i%5)
	}
	client(t, shared, "USE "+db+";"+keyed+rows.String())
	saved, _ := mustTake(t, sourceOf(t, shared, db))
	s := second(t)
	t.Cleanup(func() { _, _ = tryClient(s, "DROP DATABASE IF EXISTS "+db) })
	loads, fewest := status(t, s, "Com_load"), map[string]int{}
	mustRestore(t, RestoreOptions{Saved: saved, URL: s.URL(""), Create: true, Workers: 1, Progress: func(p Progress) {
		if p.Step != "rows" {
			return
		}
		out := client(t, s, "SELECT COUNT(DISTINCT INDEX_NAME) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA LIKE 'chartkeep%' AND TABLE_NAME='"+p.Table+"'")
		n, err := strconv.Atoi(strings.TrimSpace(out))
		if err != nil {
			t.Fatal(err)
		}
		fewest[p.Table] = n
	}})
	if fewest["patient"] != 7 || fewest["visit"] != 3 || fewest["counted"] != 2 {
		t.Errorf("keys while rows came: %v", fewest)
	}
	if n := status(t, s, "Com_load") - loads; n < 6 {
		t.Errorf("%d times LOAD DATA", n)
	}
	sameText(t, vendorDump(t, s, db), vendorDump(t, shared, db))
}

// TestARowThatIsLongerThanAPacketComesBack, or else it is said what the server needs.
func TestARowThatIsLongerThanAPacketComesBack(t *testing.T) {
	db := database(t, shared)
	client(t, shared, "USE "+db+"; CREATE TABLE scan (id INT PRIMARY KEY, image LONGBLOB); INSERT INTO scan VALUES (1,REPEAT('b',1000000)),(2,REPEAT('a\\n',1100000)),(3,REPEAT('c',900000));")
	saved, _ := mustTake(t, sourceOf(t, shared, db))
	s := second(t)
	usual := strings.TrimSpace(client(t, s, "SELECT @@GLOBAL.max_allowed_packet; SET GLOBAL max_allowed_packet=1048576"))
	t.Cleanup(func() {
		client(t, s, "SET GLOBAL max_allowed_packet="+usual+"; DROP DATABASE IF EXISTS "+db)
	})
	digests := "SELECT id, LENGTH(image), SHA2(image, 256) FROM " + db + ".scan ORDER BY id"
	_, err := Restore(t.Context(), RestoreOptions{Saved: saved, URL: s.URL(""), Create: true, Inserts: true})
	if err == nil || !strings.Contains(err.Error(), "local_infile=1") {
		t.Errorf("by INSERT: %v", err)
	}
	mustRestore(t, RestoreOptions{Saved: saved, URL: s.URL(""), Create: true})
	sameText(t, client(t, s, digests), client(t, shared, digests))

	client(t, s, "SET GLOBAL max_allowed_packet=4194304")
	mustRestore(t, RestoreOptions{Saved: saved, URL: s.URL(""), Overwrite: true, Inserts: true})
	sameText(t, client(t, s, digests), client(t, shared, digests))
}
