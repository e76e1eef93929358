package mysql

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"chartkeep/sources"
)

// trapsOn makes the database traps on the server.
func trapsOn(t *testing.T, s *Server) {
	t.Helper()
	b, err := os.ReadFile(vendor("testdata/traps.sql", "testdata/traps-mysql.sql"))
	if err != nil {
		t.Fatal(err)
	}
	client(t, s, string(b))
	t.Cleanup(func() { _, _ = tryClient(s, "DROP DATABASE IF EXISTS traps;"+vendor("", "DROP TABLESPACE apart")) })
}

func mustRestore(t *testing.T, o RestoreOptions) Report {
	t.Helper()
	o.Log = func(m string) { t.Log(m) }
	report, err := Restore(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// exact asks for what the vendor's dump does not tell: all digits of a FLOAT, and
// the bytes of texts.
const exact = `SELECT id, f+0e0, f74+0e0, d+0e0, d2+0e0, y, HEX(bits) FROM traps.numbers ORDER BY id;
SELECT id, HEX(c), HEX(l), HEX(u), HEX(u16), HEX(m), HEX(e), e+0, HEX(s), HEX(k), HEX(bin) FROM traps.texts ORDER BY id;`

// TestEveryTrapComesBack holds the vendor's own dumps of both servers against
// each other: what the second has is what the first has, byte for byte.
func TestEveryTrapComesBack(t *testing.T) {
	trapsOn(t, shared)
	want := vendorDump(t, shared, "traps")
	exactly := client(t, shared, exact)
	saved, facts := mustTake(t, sourceOf(t, shared, "traps"))
	other := second(t)
	t.Cleanup(func() { _, _ = tryClient(other, "DROP DATABASE IF EXISTS traps;"+vendor("", "DROP TABLESPACE apart")) })
	for _, inserts := range []bool{false, true} { // the second time over what is there
		mustRestore(t, RestoreOptions{Saved: saved, URL: other.URL(""), Create: true, Overwrite: inserts, Inserts: inserts})
		sameText(t, vendorDump(t, other, "traps"), want)
		sameText(t, client(t, other, exact), exactly)
		again, facts2 := mustTake(t, sourceOf(t, other, "traps"))
		for path, b := range saved {
			if strings.HasPrefix(path, "traps/") {
				sameText(t, charset.ReplaceAllString(string(again[path]), " COLLATE "), charset.ReplaceAllString(string(b), " COLLATE "))
			}
		}
		sameText(t, facts2["tables of traps"], facts["tables of traps"])
		left := client(t, other, "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE 'chartkeep%'")
		if left != "" {
			t.Errorf("left on the server: %s", left)
		}
	}
}

// small is a database that has a bit of everything that a restore moves.
var small = `CREATE TABLE parent (id INT PRIMARY KEY, x VARCHAR(20)) AUTO_INCREMENT=7;
CREATE TABLE child (id INT PRIMARY KEY, parent INT, FOREIGN KEY (parent) REFERENCES parent (id));
CREATE SEQUENCE seq START WITH 40; DO NEXTVAL(seq);
CREATE TABLE numbered (id BIGINT DEFAULT NEXTVAL(seq) PRIMARY KEY, x INT); INSERT INTO numbered (x) VALUES (1);
INSERT INTO parent VALUES (1,'one'),(2,'two'); INSERT INTO child VALUES (5,1),(6,NULL);
CREATE TRIGGER trig BEFORE INSERT ON parent FOR EACH ROW SET NEW.x = 'triggered';
CREATE FUNCTION fn() RETURNS INT DETERMINISTIC RETURN 5;
CREATE EVENT ev ON SCHEDULE EVERY 1 DAY DO DELETE FROM child;
CREATE VIEW vw AS SELECT id, fn() AS f FROM parent;
`

// ofSequences are the parts of small that only MariaDB has.
var ofSequences = strings.NewReplacer("CREATE SEQUENCE seq START WITH 40; DO NEXTVAL(seq);\n", "", "BIGINT DEFAULT NEXTVAL(seq)", "BIGINT AUTO_INCREMENT")

// smallOf makes it and saves it.
func smallOf(t *testing.T) (db string, saved copied, facts map[string]string) {
	t.Helper()
	db = database(t, shared)
	client(t, shared, "USE "+db+";\n"+small)
	saved, facts = mustTake(t, sourceOf(t, shared, db))
	return db, saved, facts
}

// without is a vendor's dump with one name for the database.
func without(dump, db string) string { return strings.ReplaceAll(dump, db, "DB") }

func noneLeft(t *testing.T, s *Server) {
	t.Helper()
	if left := client(t, s, "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE 'chartkeep%'"); left != "" {
		t.Errorf("left on the server: %s", left)
	}
}

func TestADatabaseComesBackUnderAnotherName(t *testing.T) {
	db, saved, facts := smallOf(t)
	counts, err := sources.Counts(facts, db)
	if err != nil {
		t.Fatal(err)
	}
	other := db + "_2"
	t.Cleanup(func() { _, _ = tryClient(shared, "DROP DATABASE "+other) })
	report := mustRestore(t, RestoreOptions{Saved: saved, URL: shared.URL(other), Create: true, Counts: counts})
	sameText(t, without(vendorDump(t, shared, other), other), without(vendorDump(t, shared, db), db))
	if report.Database != other || report.Rows != int64(len(vendor("123456", "12345"))) || !maps.Equal(report.Counts, counts) {
		t.Errorf("report %+v", report)
	}
	client(t, shared, "USE "+other+"; INSERT INTO numbered (x) VALUES (2); INSERT INTO parent VALUES (3,''); DROP DATABASE "+other+";")
	noneLeft(t, shared)
}

// A damaged is a Restorable of which one file is not what was saved.
type damaged struct {
	copied
	path string
	read io.Reader
}

func (d damaged) Open(ctx context.Context, path string) (io.ReadCloser, error) {
	if strings.HasSuffix(path, d.path) {
		return io.NopCloser(d.read), nil
	}
	return d.copied.Open(ctx, path)
}

var errMedium = errors.New("the medium is gone")

// TestARestoreThatFailsLeavesTheOldDatabase in every step of it.
func TestARestoreThatFailsLeavesTheOldDatabase(t *testing.T) {
	db, saved, facts := smallOf(t)
	counts, err := sources.Counts(facts, db)
	if err != nil {
		t.Fatal(err)
	}
	client(t, shared, "USE "+db+"; INSERT INTO child VALUES (7,2); CREATE TABLE newer (a INT); INSERT INTO newer VALUES (1); CREATE PROCEDURE newproc() SELECT ';'; DROP TRIGGER trig; CREATE TRIGGER trig2 AFTER DELETE ON child FOR EACH ROW SET @x = 1;")
	want := vendorDump(t, shared, db)
	definitions := saved[db+"/definitions.sql"]
	for name, c := range map[string]struct {
		path string
		read io.Reader
		want string
	}{
		"a file that cannot be read":    {"child.tsv", io.MultiReader(strings.NewReader("5\t1\n"), failing{}), errMedium.Error()},
		"rows that are not the saved":   {"child.tsv", strings.NewReader("5\t1\n"), ErrDiffers.Error()},
		"half a row":                    {"child.tsv", strings.NewReader("5\t1\n6"), ErrDiffers.Error()},
		"a value that does not fit":     {"parent.tsv", strings.NewReader("1\tone\n2\t" + strings.Repeat("x", 21) + "\n"), errRows.Error()},
		"a row that is there twice":     {"parent.tsv", strings.NewReader("1\tone\n1\ttwo\n"), "table parent"},
		"a table that cannot be made":   {"definitions.sql", bytes.NewReader(bytes.Replace(definitions, []byte("CREATE TABLE `child`"), []byte("CREATE TABLE `child` ("), 1)), "CREATE TABLE `child`"},
		"a routine that cannot be made": {"definitions.sql", bytes.NewReader(bytes.Replace(definitions, []byte("FUNCTION `fn`()"), []byte("FUNCTION `fn`"), 1)), "FUNCTION `fn`"},
		"a view that cannot be made":    {"definitions.sql", bytes.NewReader(bytes.Replace(definitions, []byte("AS select"), []byte("AS elect"), 1)), "VIEW `vw`"},
	} {
		t.Run(name, func(t *testing.T) {
			counts := counts
			if c.path == "parent.tsv" { // the server has to find it, not we
				counts = nil
			}
			_, err := Restore(t.Context(), RestoreOptions{Saved: damaged{saved, c.path, c.read}, URL: shared.URL(db), Overwrite: true, Counts: counts})
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "taken back") {
				t.Errorf("%v, want %q", err, c.want)
			}
			sameText(t, vendorDump(t, shared, db), want)
			noneLeft(t, shared)
		})
	}
	mustRestore(t, RestoreOptions{Saved: saved, URL: shared.URL(db), Overwrite: true})
	if got := client(t, shared, "USE "+db+"; SHOW TABLES LIKE 'newer'; SHOW PROCEDURE STATUS WHERE DB='"+db+"'; SELECT COUNT(*) FROM child"); got != "2\n" {
		t.Errorf("after the restore: %q", got)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errMedium }

func TestARestoreRefusesWhatIsThere(t *testing.T) {
	db, saved, _ := smallOf(t)
	for _, c := range []struct {
		o    RestoreOptions
		want error
	}{
		{RestoreOptions{URL: shared.URL(db), Create: true}, ErrNotEmpty},
		{RestoreOptions{URL: shared.URL("")}, ErrNotEmpty},
		{RestoreOptions{URL: shared.URL("t_nowhere")}, ErrNoDatabase},
		{RestoreOptions{URL: shared.URL("t_nowhere"), DataOnly: true}, ErrNoDatabase},
		{RestoreOptions{URL: shared.URL(db), DataOnly: true}, nil}, // it has a trigger
		{RestoreOptions{URL: shared.URL(db), Tables: []string{"parent"}, Scratch: db}, ErrNotEmpty},
		{RestoreOptions{URL: shared.URL(db), Tables: []string{"nothing"}}, nil},
		{RestoreOptions{URL: shared.URL(db), Database: "nothing"}, nil},
	} {
		c.o.Saved = saved
		if _, err := Restore(t.Context(), c.o); err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c.o, err)
		}
	}
	found, err := Look(t.Context(), RestoreOptions{Saved: saved, URL: shared.URL(db)})
	if err != nil || !found.Exists || found.Tables != len(vendor("12345", "1234")) || found.Incoming == 0 || found.Folder == "" {
		t.Errorf("found %+v, %v", found, err)
	}
	missing := maps.Clone(saved)
	delete(missing, db+"/tables/child.tsv")
	if _, err := Restore(t.Context(), RestoreOptions{Saved: missing, URL: shared.URL("t_nowhere"), Create: true}); !errors.Is(err, ErrDiffers) {
		t.Errorf("without a file: %v", err)
	}
	noneLeft(t, shared)
}

func TestSingleTablesComeBackBesideTheDatabase(t *testing.T) {
	db, saved, _ := smallOf(t)
	scratch := db + "_s"
	t.Cleanup(func() { _, _ = tryClient(shared, "DROP DATABASE IF EXISTS "+scratch) })
	for _, overwrite := range []bool{false, true} {
		report := mustRestore(t, RestoreOptions{Saved: saved, URL: shared.URL(db), Tables: []string{"child", "numbered"}, Scratch: scratch, Overwrite: overwrite})
		if report.Database != scratch || report.Rows != 3 {
			t.Errorf("report %+v", report)
		}
	}
	if got := client(t, shared, "USE "+scratch+"; INSERT INTO numbered (x) VALUES (2); SHOW TABLES; SELECT * FROM child ORDER BY id"); got != vendor("child\nnumbered\nseq\n", "child\nnumbered\n")+"5\t1\n6\tNULL\n" {
		t.Errorf("restored %q", got)
	}
	noneLeft(t, shared)
}

func TestDefinitionsAndRowsComeBackApart(t *testing.T) {
	db, saved, _ := smallOf(t)
	other := db + "_2"
	t.Cleanup(func() { _, _ = tryClient(shared, "DROP DATABASE IF EXISTS "+other) })
	mustRestore(t, RestoreOptions{Saved: saved, URL: shared.URL(other), Create: true, SchemaOnly: true})
	if got := client(t, shared, "USE "+other+"; SELECT COUNT(*) FROM parent; SELECT COUNT(*) FROM vw; DROP TRIGGER trig"); got != "0\n0\n" {
		t.Errorf("definitions: %q", got)
	}
	bad := damaged{saved, "parent.tsv", failing{}}
	if _, err := Restore(t.Context(), RestoreOptions{Saved: bad, URL: shared.URL(other), DataOnly: true}); !errors.Is(err, errMedium) {
		t.Error(err)
	}
	if got := client(t, shared, "USE "+other+"; SELECT COUNT(*) FROM child"); got != "0\n" {
		t.Errorf("rows of a restore that failed are left: %q", got)
	}
	mustRestore(t, RestoreOptions{Saved: saved, URL: shared.URL(other), DataOnly: true})
	again, _ := mustTake(t, sourceOf(t, shared, other))
	for _, table := range strings.Fields(vendor("parent child numbered seq", "parent child numbered")) {
		if !slices.Equal(again.lines(other, table), saved.lines(db, table)) {
			t.Errorf("%s: %q", table, again.lines(other, table))
		}
	}
}

// TestAServerWithoutLoadDataGetsInserts also from a user who may not make what
// others made.
func TestAServerWithoutLoadDataGetsInserts(t *testing.T) {
	db, saved, _ := smallOf(t)
	s := second(t)
	client(t, s, "SET GLOBAL local_infile=0")
	t.Cleanup(func() { client(t, s, "SET GLOBAL local_infile=1; DROP USER IF EXISTS weak@localhost") })
	mustRestore(t, RestoreOptions{Saved: saved, URL: s.URL(""), Create: true})
	sameText(t, vendorDump(t, s, db), vendorDump(t, shared, db))

	client(t, s, "DROP DATABASE "+db+"; CREATE USER weak@localhost; GRANT ALL ON `"+db+"`.* TO weak@localhost; GRANT ALL ON `chartkeep\\_%`.* TO weak@localhost;")
	weak := strings.Replace(s.URL(""), "root", "weak", 1)
	_, err := Restore(t.Context(), RestoreOptions{Saved: saved, URL: weak, Create: true})
	if err == nil || !strings.Contains(err.Error(), "restored only by one with SET USER") {
		t.Errorf("without the right: %v", err)
	}
	if left := client(t, s, "SHOW DATABASES LIKE '"+db+"'"); left != "" {
		t.Errorf("left: %s", left)
	}
	noneLeft(t, s)
}
