package drill

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"chartkeep/repo"
	"chartkeep/repo/repotest"
	"chartkeep/snapshot"
	"chartkeep/sources"
	"chartkeep/sources/files"
	"chartkeep/sources/mysql"
	"chartkeep/sources/postgres"
)

// The servers that tests save from.
var (
	livePostgres *postgres.Server
	liveMySQL    *mysql.Server
)

// toBeKilled makes this program one that starts servers in a folder, as a drill
// does, and waits.
const toBeKilled = "CHARTKEEP_TEST_KILLED"

func TestMain(m *testing.M) {
	if dir := os.Getenv(toBeKilled); dir != "" {
		killed(dir)
	}
	os.Exit(withServers(m))
}

func withServers(m *testing.M) int {
	ctx := context.Background()
	// The folders of other versions' programs, on which the tests are to be run.
	testPostgres, testMySQL := os.Getenv("CHARTKEEP_TEST_POSTGRES"), os.Getenv("CHARTKEEP_TEST_MYSQL")
	for _, dir := range []string{testPostgres, testMySQL} {
		if dir != "" {
			os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
		}
	}
	var err error
	if livePostgres, err = postgres.Scratch(ctx, postgres.ScratchOptions{Programs: testPostgres}); err == nil {
		defer livePostgres.Stop()
		err = fillPostgres(ctx)
	}
	if err == nil {
		if liveMySQL, err = mysql.Scratch(ctx, mysql.ScratchOptions{Programs: testMySQL}); err == nil {
			defer liveMySQL.Stop()
			err = fillMySQL(ctx)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "the tests need PostgreSQL and MariaDB; testdata/install-needs installs them:", err)
		return 1
	}
	return m.Run()
}

const practicePostgres = `
	CREATE ROLE reception LOGIN PASSWORD 'a secret of theirs';
	CREATE TYPE mood AS ENUM ('calm', 'afraid');
	CREATE TABLE patient (id int PRIMARY KEY, name text NOT NULL, seen date, mood mood);
	CREATE INDEX ON patient (name);
	CREATE TABLE visit (id serial PRIMARY KEY, patient int REFERENCES patient, note text);
	CREATE TABLE entry (at timestamptz, what text);
	CREATE TABLE part (m mood, x int) PARTITION BY HASH (m);
	CREATE TABLE part_0 PARTITION OF part FOR VALUES WITH (MODULUS 2, REMAINDER 0);
	CREATE TABLE part_1 PARTITION OF part FOR VALUES WITH (MODULUS 2, REMAINDER 1);
	CREATE VIEW due AS SELECT name FROM patient WHERE seen < '2026-01-01';
	CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not here'; END $$;
	GRANT SELECT ON patient TO reception;
	INSERT INTO patient SELECT i, 'patient ' || md5(i::text), date '2025-01-01' + i % 500, 'calm' FROM generate_series(1, 4000) i;
	INSERT INTO visit (patient, note) SELECT i, md5(i::text) FROM generate_series(1, 4000) i;
	INSERT INTO entry SELECT now(), md5(i::text) FROM generate_series(1, 500) i;
	DELETE FROM entry WHERE what < '8';
	INSERT INTO entry SELECT now(), 'later ' || i FROM generate_series(1, 200) i;
	INSERT INTO part SELECT (ARRAY['calm', 'afraid']::mood[])[1 + i % 2], i FROM generate_series(1, 100) i;
	SELECT lo_from_bytea(4711, 'a letter');
	CREATE EVENT TRIGGER no_ddl ON ddl_command_start EXECUTE FUNCTION refuse();
`

func fillPostgres(ctx context.Context) error {
	admin, err := pgx.Connect(ctx, livePostgres.URL("postgres"))
	if err != nil {
		return err
	}
	defer admin.Close(ctx)
	if _, err := admin.Exec(ctx, "CREATE DATABASE app TEMPLATE template0"); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, livePostgres.URL("app"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.PgConn().Exec(ctx, practicePostgres).ReadAll()
	return err
}

const practiceMySQL = `
	CREATE DATABASE counting;
	CREATE TABLE counting.digits (d INT);
	INSERT INTO counting.digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
	CREATE VIEW counting.numbers AS SELECT 1 + a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d AS seq
		FROM counting.digits a, counting.digits b, counting.digits c, counting.digits e, counting.digits f;
	CREATE DATABASE shop;
	CREATE USER reception@localhost IDENTIFIED BY 'a secret of theirs';
	GRANT SELECT ON shop.* TO reception@localhost;
	USE shop;
	CREATE TABLE patient (id INT PRIMARY KEY, name VARCHAR(80), share FLOAT) ENGINE=InnoDB;
	CREATE TABLE entry (what VARCHAR(80)) ENGINE=MyISAM;
	CREATE VIEW names AS SELECT name FROM patient;
	INSERT INTO patient SELECT seq, IF(seq = 1, 'c4ca4238', SHA2(seq, 256)), seq / 7 FROM counting.numbers WHERE seq <= 3000;
	INSERT INTO entry SELECT SHA2(seq, 256) FROM counting.numbers WHERE seq <= 500;
	DELETE FROM entry WHERE what < '8';
	INSERT INTO entry SELECT CONCAT('later ', seq) FROM counting.numbers WHERE seq <= 200;
`

func fillMySQL(ctx context.Context) error {
	db, err := sql.Open("mysql", "root@unix("+liveMySQL.Socket()+")/?multiStatements=true")
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, practiceMySQL)
	return err
}

// postgresSource is the source that a plan would have.
func postgresSource(t *testing.T) sources.Moment {
	t.Helper()
	s, err := postgres.New(postgres.Options{Name: "practice", URL: livePostgres.URL("app")})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mysqlSource(t *testing.T) sources.Moment {
	t.Helper()
	s, err := mysql.New(mysql.Options{Name: "shop", URL: liveMySQL.URL("shop")})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// saveDatabase makes a snapshot of one source of databases.
func saveDatabase(t *testing.T, r *repo.Repository, rec snapshot.SourceRecord, src sources.Moment) *snapshot.Snapshot {
	t.Helper()
	return save(t, r, func(w *repo.Writer, o snapshot.SaveOptions) *snapshot.Snapshot {
		top, _, err := snapshot.SaveApart(t.Context(), r, w, src, o)
		if err != nil {
			t.Fatal(err)
		}
		facts, err := src.End(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		rec.Facts, rec.Files = facts, 1
		o.Join = top
		root, _, err := snapshot.Save(t.Context(), r, w, bare{}, o)
		if err != nil {
			t.Fatal(err)
		}
		return &snapshot.Snapshot{Root: *root, Sources: []snapshot.SourceRecord{rec}}
	})
}

// saveFolder makes a snapshot of a folder.
func saveFolder(t *testing.T, r *repo.Repository, dir string) *snapshot.Snapshot {
	t.Helper()
	return save(t, r, func(w *repo.Writer, o snapshot.SaveOptions) *snapshot.Snapshot {
		src, err := files.New(files.Options{Paths: []string{dir}})
		if err != nil {
			t.Fatal(err)
		}
		root, _, err := snapshot.Save(t.Context(), r, w, src, o)
		if err != nil {
			t.Fatal(err)
		}
		return &snapshot.Snapshot{Root: *root, Paths: []string{filepath.ToSlash(dir)}}
	})
}

func save(t *testing.T, r *repo.Repository, work func(*repo.Writer, snapshot.SaveOptions) *snapshot.Snapshot) *snapshot.Snapshot {
	t.Helper()
	w, err := r.NewWriter(t.Context(), repo.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	s := work(w, snapshot.SaveOptions{Problem: func(p string, err error) { t.Errorf("%s: %v", p, err) }})
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	s.Time, s.Complete = time.Now(), true
	if err := s.Put(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	return s
}

// bare is the root that databases lie in.
type bare struct{}

func (bare) Entries(context.Context) iter.Seq[sources.Entry] {
	return func(yield func(sources.Entry) bool) {
		yield(sources.Entry{Path: "/", Meta: sources.Meta{Kind: sources.Dir, Mode: 0o755}, Content: noContent{}})
	}
}

type noContent struct{}

func (noContent) Open() (sources.File, error)              { return nil, os.ErrInvalid }
func (noContent) Attributes() ([]sources.Attribute, error) { return nil, nil }

// A liar is a source that changes one file, and does not tell.
type liar struct {
	sources.Moment
	suffix string
	change func([]byte) []byte
}

func (l liar) Entries(ctx context.Context) iter.Seq[sources.Entry] {
	return func(yield func(sources.Entry) bool) {
		for e := range l.Moment.Entries(ctx) {
			if strings.HasSuffix(e.Path, l.suffix) {
				e.Content = lie{e.Content, l.change}
			}
			if !yield(e) {
				return
			}
		}
	}
}

type lie struct {
	sources.Content
	change func([]byte) []byte
}

func (lie) Streamed() {}

func (l lie) Open() (sources.File, error) {
	f, err := l.Content.Open()
	if err != nil {
		return nil, err
	}
	all, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	return lieFile{f, bytes.NewReader(l.change(all))}, nil
}

type lieFile struct {
	sources.File
	r io.Reader
}

func (f lieFile) Read(p []byte) (int, error) { return f.r.Read(p) }

// run drills into a folder of its own and wants it empty afterwards.
func run(t *testing.T, ctx context.Context, r *repo.Repository, s *snapshot.Snapshot, o Options) (Report, error) {
	t.Helper()
	o.Dir = scratchDir(t)
	o.Log = func(text string) { t.Log(text) }
	report, err := Run(ctx, r, s, o)
	left, _ := os.ReadDir(o.Dir)
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	wantNoProcess(t, o.Dir)
	return report, err
}

// scratchDir is short, since a socket's path must be, and open for the account
// that servers run as.
func scratchDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "drill-")
	if err == nil {
		err = os.Chmod(dir, 0o711)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// wantNoProcess looks for processes that were told of dir.
func wantNoProcess(t *testing.T, dir string) {
	t.Helper()
	all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, p := range all {
		if line, err := os.ReadFile(p); err == nil && bytes.Contains(line, []byte(dir)) {
			t.Errorf("still runs: %q", line)
		}
	}
}

func mustRun(t *testing.T, r *repo.Repository, s *snapshot.Snapshot, o Options) Source {
	t.Helper()
	report, err := run(t, t.Context(), r, s, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Sources) != 1 {
		t.Fatalf("%d sources, want 1", len(report.Sources))
	}
	return report.Sources[0]
}

func newRepository(t *testing.T) *repo.Repository {
	t.Helper()
	return repotest.New(t, repotest.Options{})
}
