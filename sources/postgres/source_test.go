package postgres

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"chartkeep/sources"
)

func TestEntriesComeInOrder(t *testing.T) {
	s := source(t, nil, "traps", "postgres")
	var last []string
	folded := map[string]bool{}
	for e := range s.Entries(t.Context()) {
		if e.Err != nil {
			t.Fatal(e.Err)
		}
		steps := strings.Split(strings.TrimPrefix(e.Path, "/"), "/")
		if slices.Compare(last, steps) >= 0 && e.Path != "/" && e.Path != "/practice" {
			t.Errorf("%q after %q", steps, last)
		}
		last = steps
		if low := strings.ToLower(e.Path); folded[low] || strings.ContainsAny(e.Path, `:*?"<>|\`) || len(path.Base(e.Path)) > 255 {
			t.Errorf("%q is not legal everywhere", e.Path)
		} else {
			folded[low] = true
		}
		if !e.Meta.MTime.IsZero() || !e.Meta.CTime.IsZero() || e.Meta.Size != 0 {
			t.Errorf("%s: %+v could be taken for an unchanged file", e.Path, e.Meta)
		}
		if table := strings.HasSuffix(e.Path, ".copy"); table != sources.Stream(e.Content) && !strings.HasSuffix(e.Path, ".tsv") {
			t.Errorf("%s: streamed is %v", e.Path, !table)
		}
	}
	if _, err := s.End(t.Context()); err == nil || !strings.Contains(err.Error(), "not read to the end") {
		t.Errorf("nothing was read, and the end says %v", err)
	}
	wantNoTraces(t)
}

func TestASourceCanBeReadAgainAfterItsEndAndNotBefore(t *testing.T) {
	s := source(t, nil, database(t, "CREATE TABLE x (a int); INSERT INTO x VALUES (1)"))
	if _, err := s.End(t.Context()); err == nil {
		t.Error("an end without a beginning is good")
	}
	for range 2 {
		copyOf(t, s)
	}
	for range s.Entries(t.Context()) {
		break
	}
	for e := range s.Entries(t.Context()) {
		if e.Err == nil {
			t.Errorf("%s: begun twice", e.Path)
		}
	}
	if _, err := s.End(t.Context()); err == nil {
		t.Error("nothing was read, and the end is good")
	}
	wantNoTraces(t)
}

// wantEqual compares two copies file by file.
func wantEqual(t *testing.T, got, want saved, except ...string) {
	t.Helper()
	for _, p := range slices.Sorted(maps.Keys(want)) {
		if !slices.Contains(except, path.Base(p)) && !bytes.Equal(got[p], want[p]) {
			t.Errorf("%s: %d bytes %.200q, want %d %.200q", p, len(got[p]), got[p], len(want[p]), want[p])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d files, want %d", len(got), len(want))
	}
}

func TestWhatDidNotChangeHasTheSameBytes(t *testing.T) {
	db := database(t, `
		CREATE TABLE a (id int PRIMARY KEY, t text);
		CREATE TABLE b (x text NOT NULL UNIQUE, y int);
		CREATE INDEX ON a (t);
		INSERT INTO a SELECT i, md5(i::text) FROM generate_series(1, 3000) i ORDER BY md5(i::text);
		INSERT INTO b SELECT md5(i::text), i FROM generate_series(1, 1000) i;
		SELECT lo_from_bytea(1234, 'x');
		DELETE FROM a WHERE id % 7 = 0;
		ALTER TABLE a CLUSTER ON a_t_idx;
		ALTER TABLE b CLUSTER ON b_x_key`)
	s := source(t, nil, db)
	first, _ := copyOf(t, s)
	conn := open(t, live, db)
	for _, sql := range []string{"VACUUM FULL a", "CLUSTER a", "CLUSTER b", "REINDEX DATABASE " + db, "ANALYZE", "UPDATE a SET t = t"} {
		do(t, conn, sql)
	}
	second, _ := copyOf(t, s)
	wantEqual(t, second, first)
}

func TestTheCopyOfACopyIsTheCopy(t *testing.T) {
	all, facts := copyOf(t, source(t, nil, "traps"))
	counts, _ := Counts(facts, "traps")
	s := fresh(t)
	if _, err := Restore(t.Context(), RestoreOptions{Saved: all, URL: s.URL("traps"), Create: true, Roles: true}); err != nil {
		t.Fatal(err)
	}
	again, err := New(Options{Name: "practice", URL: s.URL("traps")})
	if err != nil {
		t.Fatal(err)
	}
	second, facts := copyOf(t, again)
	now, err := Counts(facts, "traps")
	if err != nil {
		t.Fatal(err)
	}
	// The archive has the server's own numbers for things in it, and the rows of
	// hash partitions go by the numbers of the enum's values.
	wantEqual(t, second, all, definitionsFile, "public.moods_0.copy", "public.moods_1.copy", "public.moods_2.copy")
	d, err := ReadDescription(bytes.NewReader(all[DescriptionFile]))
	if err != nil {
		t.Fatal(err)
	}
	if diff := Differences(d.Databases[0], counts, now); diff != nil {
		t.Errorf("differences %q", diff)
	}
	if now["public.moods_0"] == counts["public.moods_0"] {
		t.Error("no row changed its partition, and the trap is none")
	}
	now["public.patient"] = Count{}
	delete(now, "public.wide")
	now["public.moods_1"] = Count{Rows: 3}
	if diff := Differences(d.Databases[0], counts, now); len(diff) != 3 {
		t.Errorf("differences %q", diff)
	}
}

func TestSeveralDatabasesAndAll(t *testing.T) {
	odd := "Odd/ \"name\".é"
	admin := open(t, live, "postgres")
	do(t, admin, "CREATE DATABASE "+quote(odd))
	t.Cleanup(func() { admin.Exec(context.Background(), "DROP DATABASE "+quote(odd)+" WITH (FORCE)") })
	a := database(t, "CREATE TABLE t (n int PRIMARY KEY); INSERT INTO t VALUES (1)")
	b := database(t, "CREATE TABLE t (n int PRIMARY KEY); INSERT INTO t VALUES (2)")
	all, facts := copyOf(t, source(t, func(o *Options) { o.Workers = 1 }, b, odd, a, a))
	for p, want := range map[string]string{a + "/tables/public.t.copy": "1\n", b + "/tables/public.t.copy": "2\n", "+odd%2F%20%22name%22%2Eé/sequences.tsv": ""} {
		if got, ok := all[p]; !ok || string(got) != want {
			t.Errorf("%s: %q, want %q", p, got, want)
		}
	}
	if facts["databases"] == "" || facts["position of "+a] == "" || facts["rows of "+b] != "1" {
		t.Errorf("facts %v", facts)
	}
	every, _ := copyOf(t, source(t, func(o *Options) { o.All, o.Databases = true, nil }, "postgres"))
	for _, p := range []string{a + "/definitions.dump", b + "/definitions.dump", "traps/definitions.dump", "postgres/definitions.dump", "roles.sql", "database.json"} {
		if len(every[p]) == 0 {
			t.Errorf("%s is missing or empty", p)
		}
	}
	if _, ok := every["template1/definitions.dump"]; ok {
		t.Error("a template was saved")
	}
	wantNoTraces(t)
}

// TestEveryEncodingComesBackByteForByte also where the bytes are no text.
func TestEveryEncodingComesBackByteForByte(t *testing.T) {
	for _, c := range []struct{ encoding, fill string }{
		{"LATIN1", `INSERT INTO "größe" VALUES ('é ÿ')`},
		{"WIN1252", `INSERT INTO "größe" VALUES ('€')`},
		{"EUC_JP", `INSERT INTO "größe" VALUES ('患者')`},
		{"SQL_ASCII", `INSERT INTO "größe" VALUES (E'\xff\xfe')`},
	} {
		t.Run(c.encoding, func(t *testing.T) {
			name := "enc_" + strings.ToLower(c.encoding)
			admin := open(t, live, "postgres")
			do(t, admin, "CREATE DATABASE "+name+" TEMPLATE template0 ENCODING '"+c.encoding+"' LC_COLLATE 'C' LC_CTYPE 'C'")
			defer func() { do(t, admin, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") }()
			conn := open(t, live, name)
			table := "größe"
			if c.encoding == "EUC_JP" {
				table = "患者"
			}
			fill := strings.ReplaceAll(c.fill, "größe", table)
			do(t, conn, "CREATE TABLE "+quote(table)+" (t text)")
			do(t, conn, fill)
			if c.encoding == "SQL_ASCII" {
				do(t, conn, "SET client_encoding = SQL_ASCII")
				do(t, conn, "CREATE TABLE \"\xe9 50%\" (\"\xff\" int); INSERT INTO \"\xe9 50%\" VALUES (1); CREATE SEQUENCE \"\xe8\"")
			}
			conn.Close(t.Context())
			before := vendorDump(t, live, name)
			all, facts := copyOf(t, source(t, nil, name))
			counts, _ := Counts(facts, name)
			o := RestoreOptions{Saved: all, URL: live.URL(name), Overwrite: true, Counts: counts}
			if _, err := Restore(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			wantSame(t, "the database", vendorDump(t, live, name), before)
		})
	}
}

func TestRowsThatAnIndexHasLostAreNoticed(t *testing.T) {
	db := database(t, "CREATE TABLE t (id int PRIMARY KEY, x text); INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(1, 20000) i")
	conn := open(t, live, db)
	do(t, conn, "UPDATE pg_index SET indisready = false, indisvalid = true WHERE indrelid = 't'::regclass")
	do(t, conn, "INSERT INTO t VALUES (20001, 'not in the index')")
	do(t, conn, "UPDATE pg_index SET indisready = true WHERE indrelid = 't'::regclass; ANALYZE t")
	do(t, conn, "ALTER DATABASE "+db+" SET enable_seqscan = off") // else it may sort
	_, _, err := read(t.Context(), source(t, nil, db), 2)
	if err == nil || !strings.Contains(err.Error(), ErrIndex.Error()) || !strings.Contains(err.Error(), "public.t") {
		t.Errorf("got %v", err)
	}
	wantNoTraces(t)
}

func TestTablesThatLostTheirRowsAreNamed(t *testing.T) {
	db := database(t, "CREATE TABLE gone (a int); CREATE TABLE emptied (a int); CREATE TABLE kept (a int); CREATE TABLE empty (a int); INSERT INTO gone VALUES (1), (2); INSERT INTO emptied VALUES (1); INSERT INTO kept VALUES (1)")
	s := source(t, nil, db)
	_, before := copyOf(t, s)
	conn := open(t, live, db)
	do(t, conn, "DROP TABLE gone; TRUNCATE emptied; INSERT INTO kept VALUES (2)")
	_, now := copyOf(t, s)
	got, err := sources.Lost(before, now)
	want := []string{db + ": public.emptied held 1 rows and is empty", db + ": public.gone held 2 rows and is gone"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := sources.Lost(now, now); got != nil || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestFactsTellTheMoment(t *testing.T) {
	db := database(t, "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (NULL), (1)")
	_, facts := copyOf(t, source(t, nil, db))
	counts, err := Counts(facts, db)
	if err != nil || counts["public.t"].Rows != 3 || counts["public.t"].Bytes != 7 {
		t.Errorf("%v, %v", counts, err)
	}
	for _, k := range []string{"server", "position", "moment", "encoding", "collation", "tables", "rows", "locks held, seconds", "locks waited for, seconds"} {
		if facts[k] == "" {
			t.Errorf("no %q in %v", k, facts)
		}
	}
	var order []Count
	for _, rows := range [][]string{{"a\n", "b\n", "b\n"}, {"b\n", "a\n", "b\n"}, {"a\n", "b\n", "a\n"}} {
		var c Count
		for _, r := range rows {
			c.add([]byte(r))
		}
		order = append(order, c)
	}
	if order[0] != order[1] || order[0] == order[2] {
		t.Errorf("digests %v", order)
	}
}

func TestAnotherProgramsArchiveIsAnError(t *testing.T) {
	if err := clearTime([]byte("PGDMP" + strings.Repeat("\x00", 100))); err == nil {
		t.Error("it is accepted")
	}
	old := append([]byte("PGDMP\x01\x0e\x00\x04\x08\x01"), make([]byte, 5+7*5)...)
	for i := range 7 {
		old[11+5+5*i+1] = 9
	}
	newer := append([]byte("PGDMP\x01\x10\x00\x04\x08\x01"), make([]byte, 1+7*5)...)
	if err := clearTime(old); err != nil || fmt.Sprint(old[16:]) != fmt.Sprint(newer12()) {
		t.Errorf("%v: %v", err, old[16:])
	}
	if err := clearTime(newer); err != nil || fmt.Sprint(newer[12:]) != fmt.Sprint(newer12()) {
		t.Errorf("%v: %v", err, newer[12:])
	}
}

// newer12 is the first of January 2000 as an archive has it.
func newer12() []byte {
	var b []byte
	for _, v := range []byte{0, 0, 0, 1, 0, 100, 0} {
		b = append(b, 0, v, 0, 0, 0)
	}
	return b
}
