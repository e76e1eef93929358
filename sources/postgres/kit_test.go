package postgres

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"chartkeep/sources"
)

// tested is the folder of another version's programs, on which the tests are to be
// run. Those that it lacks, such as pg_dump, are sought where they are installed.
var tested = os.Getenv("CHARTKEEP_TEST_POSTGRES")

// live is the server that most tests use, each with databases of its own.
var live *Server

// livePrograms is the folder of its programs.
var livePrograms string

func TestMain(m *testing.M) { os.Exit(withServer(m)) }

func withServer(m *testing.M) int {
	ctx := context.Background()
	if tested != "" {
		os.Setenv("PATH", tested+string(os.PathListSeparator)+os.Getenv("PATH"))
	}
	dir, err := os.MkdirTemp("", "pgtree-")
	if err == nil {
		defer os.RemoveAll(dir)
		err = installation(ctx, dir)
	}
	if err == nil {
		livePrograms = programsWith(dir)
		live, err = Scratch(ctx, ScratchOptions{Programs: livePrograms, Settings: []string{"wal_level=logical", "max_connections=80"}})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "the tests need PostgreSQL's server; testdata/install-needs installs it:", err)
		return 1
	}
	defer live.Stop()
	if err := makeTraps(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "testdata/traps.sql:", err)
		return 1
	}
	return m.Run()
}

// makeTraps makes the database that all tests share: traps. They only read it.
func makeTraps(ctx context.Context) error {
	sql, err := os.ReadFile("testdata/traps.sql")
	if err != nil {
		return err
	}
	admin, err := pgx.Connect(ctx, live.URL("postgres"))
	if err != nil {
		return err
	}
	defer admin.Close(ctx)
	if _, err := admin.Exec(ctx, "CREATE DATABASE traps TEMPLATE template0"); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, live.URL("traps"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	text := string(sql)
	if live.Major < 14 { // there were no multiranges, and no number was infinite
		text = strings.NewReplacer("int4multirange", "text", "'0.1', '0.1', 'Infinity'", "'0.1', '0.1', 'NaN'").Replace(text)
	}
	return execute(ctx, conn, text)
}

// programsWith is the folder of the programs that installation made in dir.
func programsWith(dir string) string { return filepath.Join(dir, "programs") }

// installation makes a copy of PostgreSQL's programs in dir that has the
// extension of testdata. A server finds its files by the place of its program:
// in ../share beside its folder, or where Debian has them.
func installation(ctx context.Context, dir string) error {
	p, err := findPrograms(ctx, tested, "postgres", newestFrom(13))
	if err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	return sh(ctx, `set -e
		own=$(dirname "$1") version=$(basename "$(dirname "$1")")
		from=$own/share to=$2/$version/share
		[ -d "$from" ] || { from=$own/../../../share/postgresql/$version to=$2/share/postgresql/$version; }
		tree=${to%/share*}; [ "$tree" = "$2" ] && tree=$2/lib/postgresql/$version
		mkdir -p "$tree" "$(dirname "$to")"
		cp -rs "$(realpath "$from")" "$to"
		cp -rs "$(realpath "$1")" "$tree/bin"
		ln -s "$own/lib" "$tree/lib"
		rm "$tree/bin/postgres"
		cp "$1/postgres" "$tree/bin/"
		cp testdata/extension/* "$(find "$to/" -type d -name extension)"
		chmod -R a+rX "$2"
		ln -s "$tree/bin" "$2/programs"`, p.dir, dir)
}

// sh runs a shell script with arguments $1 and so on.
func sh(ctx context.Context, script string, args ...string) error {
	out, err := exec.CommandContext(ctx, "sh", append([]string{"-c", script, "sh"}, args...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// open connects to a database of a server.
func open(t *testing.T, s *Server, database string) *pgx.Conn {
	t.Helper()
	c, err := pgx.ParseConfig(s.URL(database))
	if err != nil {
		t.Fatal(err)
	}
	c.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	c.RuntimeParams["client_encoding"] = "UTF8"
	conn, err := pgx.ConnectConfig(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// do runs statements.
func do(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if err := execute(t.Context(), conn, sql); err != nil {
		t.Fatalf("%.200s: %v", sql, err)
	}
}

// ask returns a query's one value as text.
func ask(t *testing.T, conn *pgx.Conn, sql string, args ...any) string {
	t.Helper()
	var v *string
	if err := conn.QueryRow(t.Context(), "SELECT ("+sql+")::text", args...).Scan(&v); err != nil {
		t.Fatalf("%.200s: %v", sql, err)
	}
	if v == nil {
		return "NULL"
	}
	return *v
}

var databases struct {
	sync.Mutex
	n int
}

// database makes a database from statements and returns its name.
func database(t *testing.T, sql string) string {
	t.Helper()
	databases.Lock()
	databases.n++
	name := fmt.Sprintf("db%d", databases.n)
	databases.Unlock()
	admin := open(t, live, "postgres")
	do(t, admin, "CREATE DATABASE "+name+" TEMPLATE template0")
	t.Cleanup(func() {
		conn, err := pgx.Connect(context.Background(), live.URL("postgres"))
		if err == nil {
			_, err = conn.Exec(context.Background(), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
			conn.Close(context.Background())
		}
		if err != nil {
			t.Error(err)
		}
	})
	if sql != "" {
		conn := open(t, live, name)
		do(t, conn, sql)
		conn.Close(t.Context())
	}
	return name
}

// source returns a source of databases of the live server.
func source(t *testing.T, change func(*Options), names ...string) *Source {
	t.Helper()
	o := Options{Name: "practice", URL: live.URL(names[0]), Databases: names, Log: func(s string) { t.Log(s) }}
	if change != nil {
		change(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A saved is what a source yielded, in memory. It is a sources.Restorable.
type saved map[string][]byte

func (s saved) Files(context.Context) ([]sources.SavedFile, error) {
	var all []sources.SavedFile
	for p, b := range s {
		all = append(all, sources.SavedFile{Path: p, Size: int64(len(b))})
	}
	slices.SortFunc(all, func(a, b sources.SavedFile) int { return strings.Compare(a.Path, b.Path) })
	return all, nil
}

func (s saved) Open(_ context.Context, p string) (io.ReadCloser, error) {
	b, ok := s[p]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: p, Err: fs.ErrNotExist}
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

// read reads all of a source as a saver does: some files at a time, in order.
// It returns the first thing that could not be read.
func read(ctx context.Context, s *Source, readers int) (saved, map[string]string, error) {
	all, mu := saved{}, sync.Mutex{}
	var failure error
	queue := make(chan sources.Entry)
	var wg sync.WaitGroup
	for range readers {
		wg.Go(func() {
			for e := range queue {
				b, err := content1(e)
				mu.Lock()
				if all[strings.TrimPrefix(e.Path, "/practice/")] = b; err != nil && failure == nil {
					failure = fmt.Errorf("%s: %w", e.Path, err)
				}
				mu.Unlock()
			}
		})
	}
	for e := range s.Entries(ctx) {
		if e.Err != nil {
			failure = e.Err
		} else if e.Meta.Kind == sources.Regular {
			queue <- e
		}
	}
	close(queue)
	wg.Wait()
	facts, err := s.End(ctx)
	if failure != nil && err == nil {
		err = fmt.Errorf("the end was good although %w", failure)
	}
	if failure != nil {
		return all, facts, fmt.Errorf("%w; end: %w", failure, err)
	}
	return all, facts, err
}

func content1(e sources.Entry) ([]byte, error) {
	f, err := e.Content.Open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		return b, err
	}
	if m, err := f.Meta(); err != nil || m.Size != int64(len(b)) {
		return b, fmt.Errorf("size %d of %d, %w", m.Size, len(b), err)
	}
	return b, nil
}

// copyOf reads a database that has to be read without an error.
func copyOf(t *testing.T, s *Source) (saved, map[string]string) {
	t.Helper()
	all, facts, err := read(t.Context(), s, 3)
	if err != nil {
		t.Fatal(err)
	}
	return all, facts
}

var changing = regexp.MustCompile(`(?m)^(\\(un)?restrict .*|-- (Dumped|Started|Completed) .*)\n`)

// vendorDump is pg_dump's own text of a database.
func vendorDump(t *testing.T, s *Server, database string, args ...string) string {
	t.Helper()
	args = append([]string{"--dbname=" + s.URL(database)}, args...)
	out, err := exec.CommandContext(t.Context(), filepath.Join(programsDir(t), "pg_dump"), args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return changing.ReplaceAllString(string(out), "")
}

func programsDir(t *testing.T) string {
	t.Helper()
	p, err := findPrograms(t.Context(), "", "pg_dump", newestFrom(13))
	if err != nil {
		t.Fatal(err)
	}
	return p.dir
}

// wantSame compares two long texts.
func wantSame(t *testing.T, what, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		if i >= len(g) || i >= len(w) || g[i] != w[i] {
			t.Errorf("%s differs at line %d:\ngot  %.300q\nwant %.300q", what, i+1, g[min(i, len(g)-1):min(i+3, len(g))], w[min(i, len(w)-1):min(i+3, len(w))])
			return
		}
	}
}

// wantNoTraces checks that nothing of ours is left on the live server.
func wantNoTraces(t *testing.T) {
	t.Helper()
	wantNoTracesOn(t, open(t, live, "postgres"))
}

// wantNoTracesOn is wantNoTraces for any server. Sessions end a little later
// than their clients.
func wantNoTracesOn(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	const sql = `SELECT count(*) FROM pg_stat_activity a LEFT JOIN pg_locks l USING (pid) WHERE a.application_name LIKE 'chartkeep%'`
	deadline := time.Now().Add(10 * time.Second)
	for ask(t, conn, sql) != "0" {
		if time.Now().After(deadline) {
			t.Fatalf("connections or locks are left: %s", ask(t, conn, `SELECT string_agg(a.state || ' ' || a.query, '; ') FROM pg_stat_activity a WHERE a.application_name LIKE 'chartkeep%'`))
		}
		time.Sleep(20 * time.Millisecond)
	}
}
