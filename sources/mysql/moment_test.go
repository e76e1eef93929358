package mysql

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chartkeep/sources"
)

// dial opens a session that a test uses beside the source.
func dial(t *testing.T, s *Server, db string) *session {
	t.Helper()
	c, err := login{user: superuser, socket: s.Socket()}.connect(context.Background(), []string{"USE " + quote(db), "SET SESSION sql_mode=''"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.close)
	return c
}

func must(t *testing.T, c *session, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if err := c.exec(context.Background(), inWords(s)); err != nil {
			t.Fatalf("%.80s: %v", s, err)
		}
	}
}

// A writer repeats something until it is stopped.
type writer struct {
	stop  atomic.Bool
	wg    sync.WaitGroup
	times atomic.Int64
}

// write runs do with numbers from 1 on, in a session of its own.
func (w *writer) write(t *testing.T, s *Server, db string, do func(n int) []string) {
	c := dial(t, s, db)
	w.wg.Go(func() {
		for n := 1; !w.stop.Load(); n++ {
			for _, st := range do(n) {
				if err := c.exec(context.Background(), st); err != nil {
					t.Errorf("%s: %v", st, err)
					return
				}
			}
			w.times.Add(1)
		}
	})
}

func (w *writer) end() {
	w.stop.Store(true)
	w.wg.Wait()
}

// lines counts the rows of a table's file.
func (c copied) lines(db, table string) []string {
	text := strings.TrimSuffix(string(c[sources.FileName(db)+"/tables/"+table+".tsv"]), "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// sum adds up a column of a table's file.
func (c copied) sum(t *testing.T, db, table string, column int) (sum int) {
	t.Helper()
	for _, l := range c.lines(db, table) {
		v, err := strconv.Atoi(strings.Split(l, "\t")[column])
		if err != nil {
			t.Fatal(err)
		}
		sum += v
	}
	return sum
}

// TestACopyIsOfOneMoment has writers go on with transfers between tables, pairs
// across engines, TRUNCATE, RENAME and ALTER.
func TestACopyIsOfOneMoment(t *testing.T) {
	for _, m := range []method{methodOf(served(t)), readLock} {
		t.Run(strings.ReplaceAll(m.name, " ", ""), func(t *testing.T) { oneMoment(t, m) })
	}
}

func oneMoment(t *testing.T, m method) {
	db := database(t, shared)
	c := dial(t, shared, db)
	must(t, c,
		"CREATE TABLE a (id INT PRIMARY KEY, v INT)", "CREATE TABLE b (id INT PRIMARY KEY, v INT)",
		"INSERT INTO a SELECT seq, 100 FROM seq_1_to_500", "INSERT INTO b SELECT seq, 100 FROM seq_1_to_500",
		"CREATE TABLE isam (n INT) ENGINE=MyISAM", "CREATE TABLE aria (n INT) ENGINE=Aria", "CREATE TABLE inno (n INT PRIMARY KEY)",
		"CREATE TABLE swapped (n INT)", "INSERT INTO swapped VALUES (1),(2)",
		"CREATE TABLE truncated (n INT PRIMARY KEY)",
		"CREATE TABLE altered (n INT PRIMARY KEY)", "INSERT INTO altered VALUES (1),(2),(3)",
		"CREATE VIEW watching AS SELECT n FROM truncated",
	)
	var w writer
	for k := range 2 {
		w.write(t, shared, db, func(n int) []string {
			id := 1 + (n*7+k*250)%500
			return []string{"START TRANSACTION", fmt.Sprintf("UPDATE a SET v=v-1 WHERE id=%d", id), fmt.Sprintf("UPDATE b SET v=v+1 WHERE id=%d", id), "COMMIT"}
		})
	}
	w.write(t, shared, db, func(n int) []string {
		return []string{fmt.Sprintf("INSERT INTO isam VALUES (%d)", n), fmt.Sprintf("INSERT INTO aria VALUES (%d)", n), fmt.Sprintf("INSERT INTO inno VALUES (%d)", n)}
	})
	w.write(t, shared, db, func(int) []string {
		return []string{"CREATE TABLE next LIKE swapped", "INSERT INTO next VALUES (3),(4)", "RENAME TABLE swapped TO old, next TO swapped", "DROP TABLE old", "DO SLEEP(0.05)"}
	})
	w.write(t, shared, db, func(int) []string {
		return []string{"TRUNCATE TABLE truncated", "INSERT INTO truncated VALUES (1),(2)", "DO SLEEP(0.02)"}
	})
	w.write(t, shared, db, func(int) []string {
		return []string{"ALTER TABLE altered ADD COLUMN x INT DEFAULT 5", "ALTER TABLE altered DROP COLUMN x", "DO SLEEP(0.05)"}
	})
	defer w.end()
	var last copied
	for range 4 {
		before := w.times.Load()
		src := sourceOf(t, shared, db)
		src.method = &m
		got, facts := mustTake(t, src)
		if sum := got.sum(t, db, "a", 1) + got.sum(t, db, "b", 1); sum != 100_000 {
			t.Errorf("the sum over two tables is %d", sum)
		}
		i, a, n := len(got.lines(db, "isam")), len(got.lines(db, "aria")), len(got.lines(db, "inno"))
		if i < a || a < n || i > n+1 {
			t.Errorf("%d, %d and %d rows of MyISAM, Aria and InnoDB, written in this order", i, a, n)
		}
		if len(got.lines(db, "swapped")) != 2 || len(got.lines(db, "altered")) != 3 {
			t.Errorf("%q and %q rows where always 2 and 3 are", got.lines(db, "swapped"), got.lines(db, "altered"))
		}
		if n := len(got.lines(db, "truncated")); n != 0 && n != 2 {
			t.Errorf("%d rows where 0 or 2 are", n)
		}
		t.Logf("%s: writers blocked %s s, tables locked %s s", facts["consistent by"], facts["writers blocked, seconds"], facts["tables locked, seconds"])
		last = got
		eventually(t, "writers go on", func() bool { return w.times.Load() > before+20 })
	}
	w.end()
	mustRestore(t, RestoreOptions{Saved: last, URL: shared.URL(db), Overwrite: true})
	if got := client(t, shared, "SELECT SUM(v) FROM (SELECT v FROM "+db+".a UNION ALL SELECT v FROM "+db+".b) x"); got != "100000\n" {
		t.Errorf("the sum in the restored database is %s", got)
	}
}

// entriesOf begins a moment and returns its files.
func entriesOf(t *testing.T, src *Source) map[string]sources.Entry {
	t.Helper()
	all := map[string]sources.Entry{}
	for e := range src.Entries(t.Context()) {
		if e.Err != nil {
			t.Fatal(e.Err)
		}
		all[e.Path[strings.LastIndexByte(e.Path, '/')+1:]] = e
	}
	return all
}

// soon runs a statement and fails if it waits for longer than a moment.
func soon(t *testing.T, c *session, statement string) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- c.exec(context.Background(), statement) }()
	select {
	case err := <-done:
		if err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	case <-time.After(5 * time.Second):
		t.Fatalf("%s waits", statement)
	}
}

func TestOnlyWritersOfLockedTablesWaitAndOnlyUntilTheyAreRead(t *testing.T) {
	db := database(t, shared)
	c := dial(t, shared, db)
	must(t, c, "CREATE TABLE inno (n INT PRIMARY KEY, x VARCHAR(1000))", "INSERT INTO inno SELECT seq, REPEAT('x', 1000) FROM seq_1_to_3000",
		"CREATE TABLE isam (n INT) ENGINE=MyISAM", "INSERT INTO isam VALUES (1)", "CREATE TABLE aria (n INT) ENGINE=Aria", "INSERT INTO aria VALUES (1)")
	src := sourceOf(t, shared, db)
	all := entriesOf(t, src)
	soon(t, c, "INSERT INTO inno VALUES (0, 'later')")
	isam := dial(t, shared, db)
	written := make(chan error, 1)
	go func() { written <- isam.exec(context.Background(), "INSERT INTO isam VALUES (2)") }()
	time.Sleep(300 * time.Millisecond)
	for _, name := range []string{"isam.tsv", "aria.tsv"} { // a reader must not queue behind the writer
		select {
		case <-written:
			t.Fatal("a locked table was written")
		default:
		}
		if b, err := readEntry(all[name]); err != nil || string(b) != "1\n" {
			t.Fatalf("%s: %q, %v", name, b, err)
		}
	}
	select {
	case err := <-written:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("tables stay locked after they were read")
	}
	b, err := readEntry(all["inno.tsv"])
	if err != nil || strings.Count(string(b), "\n") != 3000 {
		t.Errorf("%d rows, %v", strings.Count(string(b), "\n"), err)
	}
	facts, err := src.End(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	held, err := strconv.ParseFloat(facts["tables locked, seconds"], 64)
	if err != nil || held < 0.3 || held > 20 || facts["tables locked"] != vendor("1 Aria, 1 MyISAM", "1 MEMORY, 1 MyISAM") {
		t.Errorf("facts %q", facts)
	}
}

func TestATruncateWaitsForTheMomentsEnd(t *testing.T) {
	db := database(t, shared)
	c := dial(t, shared, db)
	must(t, c, "CREATE TABLE p (n INT PRIMARY KEY, x TEXT)", "INSERT INTO p SELECT seq, REPEAT('x', 100) FROM seq_1_to_2000", "CREATE VIEW v AS SELECT n FROM p", "CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN (SELECT MAX(n) FROM p)")
	truncated := make(chan error, 1)
	dir := t.TempDir()
	// The definitions are dumped while a TRUNCATE waits for us.
	script(t, dir, "mariadb-dump", `case "$*" in *--version*) ;; *) touch `+dir+`/dumping; while [ ! -e `+dir+`/go ]; do sleep 0.05; done;; esac; exec mariadb-dump "$@"`)
	src := sourceOf(t, shared, db)
	src.o.Programs = dir
	go func() {
		waitForFile(dir + "/dumping")
		go func() { truncated <- c.exec(context.Background(), "TRUNCATE TABLE p") }()
		time.Sleep(500 * time.Millisecond)
		touch(dir + "/go")
	}()
	got, _ := mustTake(t, src)
	if n := len(got.lines(db, "p")); n != 2000 {
		t.Errorf("%d rows of 2000", n)
	}
	if err := <-truncated; err != nil {
		t.Error(err)
	}
}

// TestWhatBreaksIsAnErrorAndLeavesNoLocks breaks a moment in several ways.
func TestWhatBreaksIsAnErrorAndLeavesNoLocks(t *testing.T) {
	db := database(t, shared)
	c := dial(t, shared, db)
	must(t, c, "CREATE TABLE isam (n INT, x VARCHAR(1000)) ENGINE=MyISAM", "INSERT INTO isam SELECT seq, REPEAT('x', 1000) FROM seq_1_to_20000",
		"CREATE TABLE inno (n INT PRIMARY KEY, x VARCHAR(1000))", "INSERT INTO inno SELECT * FROM isam")
	kill := func(t *testing.T) {
		n := 0
		err := c.each(context.Background(), "SELECT ID FROM information_schema.PROCESSLIST WHERE ID<>CONNECTION_ID() AND (INFO LIKE 'SELECT%`isam`%' OR INFO LIKE 'SELECT%`inno`%')", func(v []string) error {
			n++
			k := dial(t, shared, db)
			return k.exec(context.Background(), "KILL CONNECTION "+v[0])
		})
		if err != nil || n == 0 {
			t.Fatalf("%d connections killed, %v", n, err)
		}
	}
	for name, breaks := range map[string]struct {
		table string
		how   func(t *testing.T, cancel func())
		want  string
	}{
		"a killed reader of a snapshot":     {"inno.tsv", func(t *testing.T, _ func()) { kill(t) }, "connection to the server broke"},
		"a killed reader of a locked table": {"isam.tsv", func(t *testing.T, _ func()) { kill(t) }, "connection to the server broke"},
		"cancelled":                         {"isam.tsv", func(_ *testing.T, cancel func()) { cancel() }, context.Canceled.Error()},
		"given up":                          {"inno.tsv", nil, "not read"},
	} {
		t.Run(name, func(t *testing.T) {
			src := sourceOf(t, shared, db)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			var open sources.Entry
			for e := range src.Entries(ctx) {
				if e.Err != nil {
					t.Fatal(e.Err)
				}
				if strings.HasSuffix(e.Path, breaks.table) {
					open = e
				}
			}
			f, err := open.Content.Open()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(f, make([]byte, 1000)); err != nil {
				t.Fatal(err)
			}
			if breaks.how != nil {
				breaks.how(t, cancel)
				if _, err := io.Copy(io.Discard, f); err == nil {
					t.Error("the broken stream ended in order")
				}
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
			facts, err := src.End(context.Background())
			if err == nil || !strings.Contains(err.Error(), breaks.want) {
				t.Errorf("End: %v, want %q", err, breaks.want)
			}
			if facts["server"] == "" {
				t.Errorf("facts %v", facts)
			}
			soon(t, c, "INSERT INTO isam VALUES (0, 'x')")
			soon(t, c, "ALTER TABLE inno COMMENT 'x'")
			eventually(t, "the source's connections are gone", func() bool { return others(t, c) == 0 })
		})
	}
}

// others counts connections that are not c's, nor idle ones of other tests.
func others(t *testing.T, c *session) int {
	t.Helper()
	v, err := c.row(context.Background(), "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE COMMAND='Query' AND ID<>CONNECTION_ID() OR DB IS NULL AND USER='root'")
	if err != nil {
		t.Fatal(err)
	}
	n, _ := strconv.Atoi(v[0])
	return n
}

func TestAServerThatDiesIsAnError(t *testing.T) {
	s := start(t)
	client(t, s, "CREATE DATABASE d; USE d; CREATE TABLE p (n INT PRIMARY KEY, x VARCHAR(1000)); INSERT INTO p SELECT seq, REPEAT('x', 1000) FROM seq_1_to_50000;")
	src := sourceOf(t, s, "d")
	f, err := entriesOf(t, src)["p.tsv"].Content.Open()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(f, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	if err := s.process.Signal(os.Kill); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, f); err == nil || !strings.Contains(err.Error(), "d.p: the connection to the server broke") {
		t.Errorf("read: %v", err)
	}
	if _, err := src.End(t.Context()); err == nil {
		t.Error("End says that all is well")
	}
}

func TestADumpProgramThatFailsIsAnError(t *testing.T) {
	db := database(t, shared)
	c := dial(t, shared, db)
	must(t, c, "CREATE TABLE isam (n INT) ENGINE=MyISAM")
	for name, programs := range map[string]struct{ text, want string }{
		"fails":       {`case "$*" in *--version*) exec mariadb-dump --version;; esac; echo "CREATE TABLE half"; echo "mariadb-dump: it went wrong" >&2; exit 3`, inWords("exit status 3: mariadb-dump: it went wrong")},
		"silent":      {`case "$*" in *--version*) exec mariadb-dump --version;; esac; exit 0`, "wrote nothing"},
		"older":       {vendor(`echo "mariadb-dump  Ver 10.19 Distrib 10.3.39-MariaDB, for debian-linux-gnu (x86_64)"`, `echo "mysqldump  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)"`), "is of " + vendor("MariaDB 10.3.39-MariaDB", "MySQL 8.0.36")},
		"the other's": {vendor(`echo "mysqldump  Ver 18.0.36 for Linux on x86_64 (MySQL Community Server - GPL)"`, `echo "mariadb-dump  Ver 10.19 Distrib 13.3.39-MariaDB, for debian-linux-gnu (x86_64)"`), "is of " + vendor("MySQL 18.0.36", "MariaDB 13.3.39-MariaDB")},
		"not a dump":  {`exit 1`, vendor("no mariadb-dump or mysqldump", "no mysqldump")},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			script(t, dir, "mariadb-dump", programs.text)
			src := sourceOf(t, shared, db)
			src.o.Programs = dir
			_, _, err := take(src, nil)
			if err == nil || !strings.Contains(err.Error(), programs.want) {
				t.Errorf("%v, want %q", err, programs.want)
			}
			soon(t, c, "INSERT INTO isam VALUES (1)")
		})
	}
}
