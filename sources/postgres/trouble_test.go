package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"chartkeep/sources"
)

// bigTable is a table whose copy does not fit the buffers on its way.
const bigTable = "CREATE TABLE big (id int PRIMARY KEY, t text); INSERT INTO big SELECT i, repeat(md5(i::text), 30) FROM generate_series(1, 20000) i; CREATE TABLE small (a int)"

// begun begins a source and returns its entries by their last names.
func begun(t *testing.T, s *Source) map[string]sources.Entry {
	t.Helper()
	all := map[string]sources.Entry{}
	for e := range s.Entries(t.Context()) {
		if e.Err != nil {
			t.Fatal(e.Err)
		}
		all[filepath.Base(e.Path)] = e
	}
	return all
}

// opened begins a source and reads the head of its big table.
func opened(t *testing.T, s *Source) sources.File {
	t.Helper()
	f, err := begun(t, s)["public.big.copy"].Content.Open()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(f, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	return f
}

// wantBadEnd checks that a source ends with an error that says all of words,
// and leaves nothing behind.
func wantBadEnd(t *testing.T, s *Source, words ...string) {
	t.Helper()
	_, err := s.End(t.Context())
	for _, w := range words {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("the end says %v, want %q", err, w)
		}
	}
	wantNoTraces(t)
}

func TestAConnectionKilledInATable(t *testing.T) {
	s := source(t, nil, database(t, bigTable))
	f := opened(t, s)
	do(t, open(t, live, "postgres"), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY%big%' AND pid <> pg_backend_pid()")
	if _, err := io.ReadAll(f); err == nil || !strings.Contains(err.Error(), "public.big: the connection to the server broke") {
		t.Errorf("the table ends with %v", err)
	}
	f.Close()
	wantBadEnd(t, s, "public.big", "not read to the end")
}

func TestTheMomentsConnectionKilled(t *testing.T) {
	s := source(t, nil, database(t, bigTable))
	entries := begun(t, s)
	do(t, open(t, live, "postgres"), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'chartkeep' AND state = 'idle in transaction'")
	if _, err := content1(entries["public.small.copy"]); err == nil || !strings.Contains(err.Error(), "moment") {
		t.Errorf("a table of a moment that has gone: %v", err)
	}
	wantBadEnd(t, s, "did not last")
}

// TestTheMomentMustLast until the end, also when everything was read.
func TestTheMomentMustLast(t *testing.T) {
	s := source(t, nil, database(t, "CREATE TABLE small (a int)"))
	if _, err := content1(begun(t, s)["public.small.copy"]); err != nil {
		t.Fatal(err)
	}
	do(t, open(t, live, "postgres"), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'chartkeep' AND state = 'idle in transaction'")
	wantBadEnd(t, s, "did not last")
}

// TestAReaderThatGivesUp as when the drive is full.
func TestAReaderThatGivesUp(t *testing.T) {
	s := source(t, nil, database(t, bigTable+"; SELECT lo_from_bytea(77, repeat('x', 3000000)::bytea)"))
	entries := begun(t, s)
	for _, name := range []string{"public.big.copy", "77"} {
		f, err := entries[name].Content.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(f, make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if _, err := f.Read(make([]byte, 1)); err == nil || err == io.EOF {
			t.Errorf("reading what was closed: %v", err)
		}
	}
	wantBadEnd(t, s, "public.big", "1 large objects")
}

func TestAReadingThatIsCancelled(t *testing.T) {
	s := source(t, nil, database(t, bigTable))
	ctx, cancel := context.WithCancel(t.Context())
	var big sources.Entry
	for e := range s.Entries(ctx) {
		if strings.HasSuffix(e.Path, "big.copy") {
			big = e
		}
	}
	f, err := big.Content.Open()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(f, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.ReadAll(f); !errors.Is(err, context.Canceled) {
		t.Errorf("the table ends with %v", err)
	}
	if _, err := big.Content.Open(); !errors.Is(err, context.Canceled) {
		t.Errorf("opening says %v", err)
	}
	wantBadEnd(t, s, "canceled")
}

func TestAServerKilledInATable(t *testing.T) {
	server := fresh(t)
	conn := open(t, server, "postgres")
	do(t, conn, bigTable)
	s, err := New(Options{Name: "practice", URL: server.URL("postgres")})
	if err != nil {
		t.Fatal(err)
	}
	f := opened(t, s)
	if err := server.process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	<-server.process.Ended()
	if _, err := io.ReadAll(f); err == nil || !strings.Contains(err.Error(), "public.big") {
		t.Errorf("the table ends with %v", err)
	}
	wantBadEnd(t, s, "public.big", "did not last")
	if _, _, err := read(t.Context(), s, 1); err == nil {
		t.Error("a server that is not there can be read")
	}
}

// fakePrograms are scripts in the place of the programs.
func fakePrograms(t *testing.T, scripts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"pg_dump", "pg_dumpall", "pg_restore"} {
		script, ok := scripts[name]
		if !ok {
			script = `exec "` + filepath.Join(programsDir(t), name) + `" "$@"`
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestADumpProgramThatFailsFailsTheReading(t *testing.T) {
	real := filepath.Join(programsDir(t), "pg_dump")
	version := `[ "$1" = --version ] && exec "` + real + `" --version; `
	for script, want := range map[string]string{
		`echo "cannot go on" >&2; exit 1`:           "cannot go on",
		`"` + real + `" "$@" | head -c 500; exit 3`: "exit status 3",
		`"` + real + `" "$@" > /dev/full`:           "pg_dump",
		`kill -9 $$`:                                "killed",
		`echo rubbish`:                              "archive",
	} {
		dir := fakePrograms(t, map[string]string{"pg_dump": version + script})
		s := source(t, func(o *Options) { o.Programs = dir }, "postgres")
		if _, _, err := read(t.Context(), s, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", script, err, want)
		}
	}
	dir := fakePrograms(t, map[string]string{"pg_dumpall": `echo "no roles" >&2; exit 1`})
	if _, _, err := read(t.Context(), source(t, func(o *Options) { o.Programs = dir }, "postgres"), 1); err == nil || !strings.Contains(err.Error(), "no roles") {
		t.Errorf("roles: %v", err)
	}
	wantNoTraces(t)
}

// TestADumpProgramThatFailsOnceIsRunAgain with another moment: definitions may
// change while they are read.
func TestADumpProgramThatFailsOnceIsRunAgain(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "failed")
	real := filepath.Join(programsDir(t), "pg_dump")
	dir := fakePrograms(t, map[string]string{"pg_dump": `[ "$1" = --version ] || [ -e ` + mark + ` ] && exec "` + real + `" "$@"; touch ` + mark + `; exit 1`})
	copyOf(t, source(t, func(o *Options) { o.Programs = dir }, "postgres"))
	if _, err := os.Stat(mark); err != nil {
		t.Error(err)
	}
}

func TestAnOlderDumpProgramIsAClearError(t *testing.T) {
	dir := fakePrograms(t, map[string]string{"pg_dump": `echo "pg_dump (PostgreSQL) 14.9"`})
	_, _, err := read(t.Context(), source(t, func(o *Options) { o.Programs = dir }, "postgres"), 1)
	if !errors.Is(err, ErrPrograms) || !strings.Contains(err.Error(), fmt.Sprintf("pg_dump has to be version %d or newer, and the newest here is 14", live.Major)) {
		t.Errorf("got %v", err)
	}
	_, _, err = read(t.Context(), source(t, func(o *Options) { o.Programs = t.TempDir() }, "postgres"), 1)
	if !errors.Is(err, ErrPrograms) {
		t.Errorf("got %v", err)
	}
}

func TestALockThatIsHeldIsAClearError(t *testing.T) {
	db := database(t, "CREATE TABLE a (x int); CREATE TABLE \"Held\" (x int)")
	conn := open(t, live, db)
	do(t, conn, "BEGIN; SET application_name = 'the other'; LOCK TABLE \"Held\" IN ACCESS EXCLUSIVE MODE")
	s := source(t, func(o *Options) { o.LockTimeout = 200 * time.Millisecond }, db)
	_, _, err := read(t.Context(), s, 1)
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), `public."Held"`) || !strings.Contains(err.Error(), "the other") {
		t.Errorf("got %v", err)
	}
	wantNoTraces(t)
	do(t, conn, "ROLLBACK")
	copyOf(t, s)
}

// TestALockThatIsGivenBackInTimeIsWaitedFor.
func TestALockThatIsGivenBackInTimeIsWaitedFor(t *testing.T) {
	db := database(t, "CREATE TABLE held (x int)")
	conn := open(t, live, db)
	do(t, conn, "BEGIN; TRUNCATE held; INSERT INTO held VALUES (1)")
	done := make(chan error, 1)
	go func() {
		time.Sleep(300 * time.Millisecond)
		_, err := conn.Exec(context.Background(), "COMMIT")
		done <- err
	}()
	all, _ := copyOf(t, source(t, nil, db))
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := string(all[db+"/tables/public.held.copy"]); got != "1\n" {
		t.Errorf("the table held %q", got)
	}
}

func TestMoreTablesThanLocksNamesTheSetting(t *testing.T) {
	server, err := Scratch(t.Context(), ScratchOptions{Programs: livePrograms, Settings: []string{"max_locks_per_transaction=10", "max_connections=8", "shared_buffers=1MB"}})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	conn := open(t, server, "postgres")
	for from := 0; from < 2000; from += 50 {
		do(t, conn, fmt.Sprintf("DO $$ BEGIN FOR i IN %d .. %d LOOP EXECUTE 'CREATE TABLE t' || i || ' ()'; END LOOP; END $$", from, from+49))
	}
	s, err := New(Options{Name: "practice", URL: server.URL("postgres")})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = read(t.Context(), s, 1)
	if !errors.Is(err, ErrLockTable) || !strings.Contains(err.Error(), "max_locks_per_transaction (now 10)") || !strings.Contains(err.Error(), "2000 tables") {
		t.Errorf("got %v", err)
	}
	wantNoTracesOn(t, conn)
}

func TestRowsThatAPolicyHidesAreAnError(t *testing.T) {
	db := database(t, `CREATE TABLE secret (id int PRIMARY KEY, t text); INSERT INTO secret VALUES (1, 'x'), (2, 'y');
		ALTER TABLE secret ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON secret USING (id = 1);
		GRANT SELECT ON ALL TABLES IN SCHEMA public TO clerk`)
	s := source(t, func(o *Options) { o.URL = strings.Replace(live.URL(db), "user="+superuser, "user=clerk", 1) }, db)
	_, _, err := read(t.Context(), s, 1)
	if err == nil || !strings.Contains(err.Error(), "row-level security") || !strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
	wantNoTraces(t)
}

func TestATableThatMayNotBeReadIsAnError(t *testing.T) {
	db := database(t, "CREATE TABLE locked_away (a int)")
	s := source(t, func(o *Options) { o.URL = strings.Replace(live.URL(db), "user="+superuser, "user=clerk", 1) }, db)
	if _, _, err := read(t.Context(), s, 1); err == nil || !strings.Contains(err.Error(), "locked_away") || !strings.Contains(err.Error(), `GRANT pg_read_all_data TO "clerk"`) {
		t.Errorf("got %v", err)
	}
}

// TestAUserWhoMayOnlyReadSavesRolesWithoutPasswords and says so.
func TestAUserWhoMayOnlyReadSavesRolesWithoutPasswords(t *testing.T) {
	db := database(t, "CREATE TABLE t (a int); GRANT SELECT ON t TO clerk")
	all, facts := copyOf(t, source(t, func(o *Options) { o.URL = strings.Replace(live.URL(db), "user="+superuser, "user=clerk", 1) }, db))
	if facts["roles"] != "without passwords" || !strings.Contains(string(all["roles.sql"]), "CREATE ROLE clerk") || strings.Contains(string(all["roles.sql"]), "SCRAM") {
		t.Errorf("%q, %s", facts["roles"], all["roles.sql"])
	}
}

// TestAStatementThatWaitsForTheMomentDoesNotStopIt: it holds up every new lock
// on its table, also a worker's.
func TestAStatementThatWaitsForTheMomentDoesNotStopIt(t *testing.T) {
	db := database(t, bigTable)
	s := source(t, nil, db)
	entries := begun(t, s)
	conn, watch := open(t, live, db), open(t, live, db)
	done := make(chan error, 1)
	go func() {
		_, err := conn.Exec(context.Background(), "ALTER TABLE big ADD COLUMN c int")
		done <- err
	}()
	for ask(t, watch, "SELECT count(*) FROM pg_locks WHERE NOT granted") == "0" {
		time.Sleep(5 * time.Millisecond)
	}
	for name, e := range entries {
		if e.Meta.Kind != sources.Regular {
			continue
		}
		if _, err := content1(e); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.End(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	wantNoTraces(t)
}

// TestAStatementThatComesBeforePgDumpGoesFirst: pg_dump would wait for it, it
// for the moment, and the moment for pg_dump.
func TestAStatementThatComesBeforePgDumpGoesFirst(t *testing.T) {
	db := database(t, "CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
	mark := filepath.Join(t.TempDir(), "begun")
	real := filepath.Join(programsDir(t), "pg_dump")
	dir := fakePrograms(t, map[string]string{"pg_dump": `[ "$1" = --version ] || [ -e ` + mark + ` ] || { touch ` + mark + `; sleep 1; }; exec "` + real + `" "$@"`})
	conn := open(t, live, db)
	var waited time.Duration
	done := make(chan error, 1)
	go func() {
		for {
			if _, err := os.Stat(mark); err == nil {
				break
			}
			time.Sleep(time.Millisecond)
		}
		began := time.Now()
		_, err := conn.Exec(context.Background(), "ALTER TABLE t ADD COLUMN b int DEFAULT 2")
		waited = time.Since(began)
		done <- err
	}()
	all, _ := copyOf(t, source(t, func(o *Options) { o.Programs, o.LockTimeout = dir, time.Minute }, db))
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := string(all[db+"/tables/public.t.copy"]); got != "1\t2\n" || waited > 20*time.Second {
		t.Errorf("the table held %q, the statement waited %v", got, waited)
	}
	wantNoTraces(t)
}

func TestADatabaseThatIsNotThereIsOneShortLine(t *testing.T) {
	address := strings.Replace(live.URL("nosuch"), "sslmode=disable", "sslmode=prefer", 1)
	_, _, err := read(t.Context(), source(t, func(o *Options) { o.URL = address }, "nosuch"), 1)
	if err == nil || !hasCode(err, codeUndefinedDatabase) || strings.Contains(err.Error(), "\n") ||
		!strings.Contains(err.Error(), "connect to database nosuch as postgres: ") || strings.Contains(err.Error(), "TLS") {
		t.Errorf("got %v", err)
	}
}
