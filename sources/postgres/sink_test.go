package postgres

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"strings"
	"testing"
)

// practice is a small database with what hinders a restore that is not careful.
const practice = `
	CREATE SCHEMA "S";
	CREATE TABLE patient (id int PRIMARY KEY, name text NOT NULL, twice int GENERATED ALWAYS AS (id * 2) STORED);
	CREATE TABLE "S"."Visit" (id serial PRIMARY KEY, patient int REFERENCES patient, at timestamptz);
	CREATE TABLE "S".patient (x int);
	CREATE TABLE log (line text);
	CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.log VALUES ('fired'); RETURN NEW; END $$;
	CREATE TRIGGER note AFTER INSERT ON patient FOR EACH ROW EXECUTE FUNCTION note();
	INSERT INTO patient SELECT i, 'p' || i FROM generate_series(1, 1000) i;
	INSERT INTO "S"."Visit" (patient, at) SELECT 1 + i % 1000, '2024-01-01'::timestamptz + i * interval '1 hour' FROM generate_series(1, 3000) i;
	INSERT INTO "S".patient VALUES (1);
	TRUNCATE log`

// savedPractice returns a saved practice and its database's name, which is also
// in the URL.
func savedPractice(t *testing.T) (all saved, counts map[string]Count, db, url string) {
	t.Helper()
	db = database(t, practice)
	all, facts := copyOf(t, source(t, nil, db))
	counts, err := Counts(facts, db)
	if err != nil {
		t.Fatal(err)
	}
	return all, counts, db, live.URL(db)
}

// wantNoScratch checks that no unfinished database is left.
func wantNoScratch(t *testing.T) {
	t.Helper()
	if n := ask(t, open(t, live, "postgres"), "SELECT count(*) FROM pg_database WHERE datname LIKE 'chartkeep%'"); n != "0" {
		t.Errorf("%s databases are left", n)
	}
}

func TestARestoreNeverTakesTheDatabaseAwayUnasked(t *testing.T) {
	all, counts, db, url := savedPractice(t)
	before := vendorDump(t, live, db)
	_, err := Restore(t.Context(), RestoreOptions{Saved: all, URL: url, Create: true})
	if !errors.Is(err, ErrNotEmpty) {
		t.Errorf("over what is there: %v", err)
	}
	_, err = Restore(t.Context(), RestoreOptions{Saved: all, URL: live.URL("not_there"), Overwrite: true})
	if !errors.Is(err, ErrNoDatabase) {
		t.Errorf("into nothing: %v", err)
	}
	user := open(t, live, db)
	do(t, user, "SELECT 1")
	_, err = Restore(t.Context(), RestoreOptions{Saved: all, URL: url, Overwrite: true})
	if !errors.Is(err, ErrInUse) {
		t.Errorf("with somebody connected: %v", err)
	}
	do(t, user, "INSERT INTO log VALUES ('since then'); DELETE FROM \"S\".patient")
	found, err := Look(t.Context(), RestoreOptions{Saved: all, URL: url})
	if err != nil || !found.Exists || found.Tables != 4 || found.Sessions != 1 || found.Bytes == 0 || found.Incoming < 1000 || found.Folder == "" || string(found.Saved.Name) != db {
		t.Errorf("found %+v, %v", found, err)
	}
	user.Close(t.Context())
	var steps []string
	report, err := Restore(t.Context(), RestoreOptions{Saved: all, URL: url, Overwrite: true, Counts: counts, Progress: func(p Progress) {
		if len(steps) == 0 || steps[len(steps)-1] != p.Step {
			steps = append(steps, p.Step)
		}
		if p.Done > p.Total {
			t.Errorf("progress %+v", p)
		}
	}})
	if err != nil || report.Rows != 4001 || !maps.Equal(report.Counts, counts) {
		t.Fatalf("%+v, %v", report, err)
	}
	if got := strings.Join(steps, ","); got != "definitions,rows,large objects,indexes,statistics" {
		t.Errorf("steps %s", got)
	}
	wantSame(t, "the database", vendorDump(t, live, db), before)
	wantNoScratch(t)
}

func TestDefinitionsAloneAndRowsAlone(t *testing.T) {
	all, counts, db, url := savedPractice(t)
	before := vendorDump(t, live, db)
	if _, err := Restore(t.Context(), RestoreOptions{Saved: all, URL: url, Overwrite: true, SchemaOnly: true}); err != nil {
		t.Fatal(err)
	}
	conn := open(t, live, db)
	if n := ask(t, conn, "SELECT count(*) FROM patient"); n != "0" {
		t.Errorf("%s rows came with the definitions", n)
	}
	rows := RestoreOptions{Saved: all, URL: url, DataOnly: true, Counts: counts}
	if _, err := Restore(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	wantSame(t, "the database", vendorDump(t, live, db), before)
	if _, err := Restore(t.Context(), rows); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("rows over rows: %v", err)
	}
	do(t, conn, "DELETE FROM \"S\".\"Visit\"; UPDATE patient SET name = 'x'")
	rows.Overwrite = true
	if _, err := Restore(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	wantSame(t, "the database", vendorDump(t, live, db), before)
}

func TestSingleTablesComeBackBesideTheOthers(t *testing.T) {
	all, counts, db, url := savedPractice(t)
	conn := open(t, live, db)
	do(t, conn, "DELETE FROM \"S\".\"Visit\"")
	o := RestoreOptions{Saved: all, URL: url, Tables: []string{"S.Visit", "patient"}, Schema: "Back again", Counts: counts}
	if _, err := Restore(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	for sql, want := range map[string]string{
		`SELECT count(*) FROM "S"."Visit"`:                                                                 "0",
		`SELECT count(*) FROM log`:                                                                         "0",
		`SELECT count(*) FROM "Back again"."Visit"`:                                                        "3000",
		`SELECT count(*) FROM "Back again"."public.patient"`:                                               "1000",
		`SELECT count(*) FROM "Back again"."S.patient"`:                                                    "1",
		`SELECT count(*) FROM pg_index WHERE indisprimary AND indrelid = '"Back again"."Visit"'::regclass`: "1",
	} {
		if got := ask(t, conn, sql); got != want {
			t.Errorf("%s: %s, want %s", sql, got, want)
		}
	}
	if _, err := Restore(t.Context(), o); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("over what is there: %v", err)
	}
	o.Overwrite = true
	if _, err := Restore(t.Context(), o); err != nil {
		t.Error(err)
	}
	o.Tables = []string{"nothing"}
	if _, err := Restore(t.Context(), o); err == nil {
		t.Error("a table that was not saved came back")
	}
}

// A broken is a saved database one of whose files cannot be read whole.
type broken struct {
	saved
	file string
	at   int
	err  error
}

func (b broken) Open(ctx context.Context, p string) (io.ReadCloser, error) {
	f, err := b.saved.Open(ctx, p)
	if err != nil || !strings.HasSuffix(p, b.file) {
		return f, err
	}
	head := io.LimitReader(f, int64(b.at))
	if b.err == nil {
		return io.NopCloser(head), nil
	}
	return io.NopCloser(io.MultiReader(head, errorReader{b.err})), nil
}

type errorReader struct{ err error }

func (e errorReader) Read([]byte) (int, error) { return 0, e.err }

func TestARestoreIsWholeOrNothing(t *testing.T) {
	all, counts, db, _ := savedPractice(t)
	damage := errors.New("damaged")
	without := maps.Clone(all)
	delete(without, db+"/tables/public.log.copy")
	other := maps.Clone(counts)
	other["public.patient"] = Count{Rows: 7}
	admin := open(t, live, "postgres")
	do(t, admin, "CREATE DATABASE "+db+"_new")
	url := live.URL(db + "_new")
	t.Cleanup(func() {
		if _, err := admin.Exec(context.Background(), "DROP DATABASE "+db+"_new WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	for name, c := range map[string]struct {
		o    RestoreOptions
		want error
	}{
		"a damaged table":       {RestoreOptions{Saved: broken{all, "+visit.copy", 5000, damage}}, nil},
		"a damaged archive":     {RestoreOptions{Saved: broken{all, "definitions.dump", 500, damage}}, damage},
		"an archive cut off":    {RestoreOptions{Saved: broken{all, "definitions.dump", 500, nil}}, nil},
		"a row cut off":         {RestoreOptions{Saved: broken{all, "public.patient.copy", 333, nil}}, ErrDiffers},
		"rows cut off":          {RestoreOptions{Saved: broken{all, "public.patient.copy", 5, nil}, Counts: counts}, ErrDiffers},
		"sequences cut off":     {RestoreOptions{Saved: broken{all, "sequences.tsv", 3, nil}}, nil},
		"a file that is gone":   {RestoreOptions{Saved: without}, ErrDiffers},
		"another count":         {RestoreOptions{Saved: all, Counts: other}, ErrDiffers},
		"nothing that is saved": {RestoreOptions{Saved: saved{}}, fs.ErrNotExist},
		"another format":        {RestoreOptions{Saved: saved{DescriptionFile: []byte(`{"kind": "mysql"}`)}}, ErrFormat},
		"no such database":      {RestoreOptions{Saved: all, Database: "other"}, nil},
		"an old program":        {RestoreOptions{Saved: all, Programs: fakePrograms(t, map[string]string{"pg_restore": `echo "pg_restore (PostgreSQL) 12.1"`})}, ErrPrograms},
		"a failing program":     {RestoreOptions{Saved: all, Programs: fakePrograms(t, map[string]string{"pg_restore": `[ "$1" = --version ] && echo "pg_restore (PostgreSQL) 15.1" && exit; exit 1`})}, nil},
	} {
		if strings.HasPrefix(name, "a damaged table") {
			c.want = damage
		}
		c.o.URL = url
		if _, err := Restore(t.Context(), c.o); err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Restore(ctx, RestoreOptions{Saved: all, URL: url, Progress: func(p Progress) {
		if p.Step == "rows" {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	wantNoScratch(t)
	if n := ask(t, open(t, live, db+"_new"), "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"); n != "0" {
		t.Errorf("%s things are in the database", n)
	}
}

func TestMissingExtensionsAndRolesAreClearErrors(t *testing.T) {
	all, _ := copyOf(t, source(t, nil, "traps"))
	plain, err := Scratch(t.Context(), ScratchOptions{}) // the system's own, without the extension of testdata
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Stop()
	o := RestoreOptions{Saved: all, URL: plain.URL("traps"), Create: true}
	if _, err := Restore(t.Context(), o); !errors.Is(err, ErrExtensions) || !strings.Contains(err.Error(), "cktest") {
		t.Errorf("got %v", err)
	}
	some, _, _, _ := savedPractice(t)
	some[DescriptionFile] = bytes.ReplaceAll(some[DescriptionFile], []byte(`"owner": "postgres"`), []byte(`"owner": "stranger"`))
	o = RestoreOptions{Saved: some, URL: plain.URL("practice"), Create: true}
	if _, err := Restore(t.Context(), o); err == nil || !strings.Contains(err.Error(), "stranger") {
		t.Errorf("got %v", err)
	}
	o.NoOwner = true
	if _, err := Restore(t.Context(), o); err != nil {
		t.Error(err)
	}
}

func TestRolesThatAreThereStayAsTheyAre(t *testing.T) {
	all, _ := copyOf(t, source(t, nil, "postgres"))
	s := fresh(t)
	conn := open(t, s, "postgres")
	do(t, conn, "CREATE ROLE clerk NOLOGIN")
	if _, err := Restore(t.Context(), RestoreOptions{Saved: all, URL: s.URL("postgres"), Overwrite: true, Roles: true}); !errors.Is(err, ErrInUse) {
		t.Errorf("the connection of this test: %v", err)
	}
	conn.Close(t.Context())
	if _, err := Restore(t.Context(), RestoreOptions{Saved: all, URL: s.URL("copy"), Create: true, Roles: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), RestoreOptions{Saved: all, URL: s.URL("postgres"), Overwrite: true}); err != nil {
		t.Errorf("over the database in which others are made: %v", err)
	}
	conn = open(t, s, "copy")
	if got := ask(t, conn, "SELECT string_agg(rolname || rolcanlogin, ' ' ORDER BY rolname) FROM pg_roles WHERE rolname !~ '^pg_'"); got != `Chief "Doctor"false auditorfalse clerkfalse postgrestrue` {
		t.Errorf("roles %s", got)
	}
}

func TestTablespacesStayBehindWhenTold(t *testing.T) {
	s, err := Scratch(t.Context(), ScratchOptions{Settings: []string{"allow_in_place_tablespaces=on"}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	conn := open(t, s, "postgres")
	do(t, conn, "CREATE TABLESPACE fast LOCATION ''")
	do(t, conn, "CREATE TABLE t (a int PRIMARY KEY USING INDEX TABLESPACE fast) TABLESPACE fast; INSERT INTO t VALUES (1)")
	conn.Close(t.Context())
	src, err := New(Options{Name: "practice", URL: s.URL("postgres")})
	if err != nil {
		t.Fatal(err)
	}
	all, _ := copyOf(t, src)
	name := database(t, "")
	o := RestoreOptions{Saved: all, URL: live.URL(name), Roles: true, Log: func(s string) { t.Log(s) }}
	if _, err := Restore(t.Context(), o); err == nil || !strings.Contains(err.Error(), "fast") {
		t.Errorf("without the tablespace: %v", err)
	}
	o.NoTablespaces = true
	if _, err := Restore(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, open(t, live, name), "SELECT count(*) FROM t"); got != "1" {
		t.Errorf("%s rows", got)
	}
	wantNoScratch(t)
}
