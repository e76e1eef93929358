package mysql

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"chartkeep/sources"
)

func TestAnUnchangedDatabaseIsTheSameFiles(t *testing.T) {
	db, saved, facts := smallOf(t)
	client(t, shared, "USE "+db+"; ANALYZE TABLE parent; OPTIMIZE TABLE child; FLUSH TABLES;")
	again, facts2 := mustTake(t, sourceOf(t, shared, db))
	for path, b := range saved {
		sameText(t, string(again[path]), string(b))
	}
	if len(again) != len(saved) || facts["tables of "+db] != facts2["tables of "+db] {
		t.Error("other files or counts")
	}
}

// TestEntriesAreInOrder is the order that package sources promises.
func TestEntriesAreInOrder(t *testing.T) {
	db := database(t, shared)
	must(t, dial(t, shared, db), "CREATE TABLE a (n INT)", "CREATE TABLE `a-b` (n INT)", "CREATE TABLE `A` (n INT)", "CREATE TABLE `con` (n INT)", "CREATE TABLE `a.b` (n INT) ENGINE=MyISAM")
	src := sourceOf(t, shared, db)
	var paths []string
	for e := range src.Entries(t.Context()) {
		if e.Err != nil {
			t.Fatal(e.Err)
		}
		paths = append(paths, e.Path)
		stream := strings.HasSuffix(e.Path, ".tsv")
		if e.Meta.Kind == sources.Dir == (strings.Contains(e.Path, ".")) || sources.Stream(e.Content) != stream {
			t.Errorf("%s: kind %v, streamed %v", e.Path, e.Meta.Kind, sources.Stream(e.Content))
		}
		if sources.IsUrgent(e.Content) != strings.Contains(e.Path, "%2E") {
			t.Errorf("%s: urgent %v", e.Path, sources.IsUrgent(e.Content))
		}
		if !e.Meta.MTime.IsZero() || !e.Meta.CTime.IsZero() {
			t.Errorf("%s has a time", e.Path)
		}
	}
	if _, err := src.End(t.Context()); err == nil {
		t.Error("nothing was read, and End says that all is well")
	}
	base := "/practice/" + sources.FileName(db)
	want := []string{"/", "/practice", "/practice/database.json", base, base + "/definitions.sql", base + "/tables"}
	for _, f := range []string{"%63on", "+a", "a", "a%2Eb", "a-b"} {
		want = append(want, base+"/tables/"+f+".tsv")
	}
	want = append(want, "/practice/users.sql")
	slices.SortFunc(want[6:11], strings.Compare)
	if !slices.Equal(paths, want) {
		t.Errorf("got\n%q\nwant\n%q", paths, want)
	}
}

func TestADigestDoesNotDependOnTheOrderOfRows(t *testing.T) {
	db := database(t, shared)
	c := dial(t, shared, db)
	must(t, c, "CREATE TABLE one (a INT, b TEXT)", "CREATE TABLE two LIKE one", "CREATE TABLE three LIKE one",
		"INSERT INTO one VALUES (1,'x'),(2,NULL),(2,NULL)", "INSERT INTO two VALUES (2,NULL),(1,'x'),(2,NULL)", "INSERT INTO three VALUES (2,NULL),(1,'x'),(1,'x')")
	_, facts := mustTake(t, sourceOf(t, shared, db))
	counts, err := sources.Counts(facts, db)
	if err != nil || counts["one"] != counts["two"] || counts["one"].Digest == counts["three"].Digest || counts["one"].Rows != 3 {
		t.Errorf("%v, %v", counts, err)
	}
}

func TestSeveralDatabasesAreOfOneServer(t *testing.T) {
	s := second(t)
	client(t, s, "CREATE DATABASE `b.c`; CREATE DATABASE A; CREATE DATABASE `empty`; CREATE TABLE `b.c`.t (n INT); INSERT INTO `b.c`.t VALUES (1); CREATE TABLE A.t (n INT) ENGINE=MyISAM; CREATE VIEW A.v AS SELECT n FROM `b.c`.t;")
	src, err := New(Options{Name: "practice", URL: s.URL(""), All: true})
	if err != nil {
		t.Fatal(err)
	}
	saved, facts := mustTake(t, src)
	if facts["databases"] != "A, b.c, empty" || facts["tables"] != "2" {
		t.Errorf("facts %q", facts)
	}
	other := shared
	t.Cleanup(func() { _, _ = tryClient(shared, "DROP DATABASE A; DROP DATABASE `b.c`; DROP DATABASE `empty`") })
	for _, db := range []string{"b.c", "A", "empty"} {
		mustRestore(t, RestoreOptions{Saved: saved, Database: db, URL: other.URL(""), Create: true})
	}
	sameText(t, vendorDump(t, other, "A", "b.c", "empty"), vendorDump(t, s, "A", "b.c", "empty"))

	client(t, s, "DROP DATABASE `b.c`")
	report := mustRestore(t, RestoreOptions{Saved: saved, Database: "A", URL: s.URL("t_alone"), Create: true})
	if fmt.Sprint(report.Left) == "[]" {
		t.Error("a view of a database that is not there was restored")
	}
}

// TestManyTablesKeepWritersWaitingForMilliseconds also when none was opened
// before.
func TestManyTablesKeepWritersWaitingForMilliseconds(t *testing.T) {
	db := database(t, shared)
	var b strings.Builder
	for i := range 150 {
		fmt.Fprintf(&b, "CREATE TABLE t%d (a INT PRIMARY KEY, b VARCHAR(100), KEY (b));", i)
	}
	client(t, shared, "USE "+db+"; SET SESSION foreign_key_checks=0;"+b.String()+"FLUSH TABLES;")
	_, facts := mustTake(t, sourceOf(t, shared, db))
	t.Logf("150 tables: writers blocked %s s of %s s", facts["writers blocked, seconds"], facts["seconds"])
	if facts["tables"] != "150" || facts["writers blocked, seconds"] > "1" {
		t.Errorf("writers blocked %s s", facts["writers blocked, seconds"])
	}
}
