package drill

import (
	"context"
	"database/sql"
	"testing"

	"github.com/jackc/pgx/v5"

	"chartkeep/repo"
	"chartkeep/snapshot"
	"chartkeep/sources"
	"chartkeep/sources/mysql"
	"chartkeep/sources/postgres"
)

// growing is a server with the table of procedures that the nights change.
type growing struct {
	kind     string
	fill     string // makes it, and one beside it that never changes
	do       func(t *testing.T, statement string)
	source   func(t *testing.T) sources.Moment
	rewrite  string
	appended string
	large    string // makes a table of more than 32 MB that do not compress
	traces   string // counts connections of ours, and locks
}

// servers of growth; each makes its own database.
var growingServers = []growing{
	{
		kind: "postgres", do: doPostgres, rewrite: "VACUUM FULL procedurelog",
		fill: `CREATE TABLE procedurelog (id int PRIMARY KEY, fee int, note text);
			CREATE TABLE document (id int PRIMARY KEY, content bytea);
			INSERT INTO procedurelog SELECT i, i % 900, repeat(md5(i::text), 5) FROM generate_series(1, 20000) i;
			INSERT INTO document SELECT i, decode(repeat(md5(i::text), 500), 'hex') FROM generate_series(1, 200) i`,
		appended: "INSERT INTO procedurelog SELECT i, i % 900, repeat(md5(i::text), 5) FROM generate_series(20001, 20100) i",
		large: `CREATE TABLE scans (id int PRIMARY KEY, content bytea);
			INSERT INTO scans SELECT i, (SELECT string_agg(sha512((100 * i + j)::text::bytea), '') FROM generate_series(1, 16) j) FROM generate_series(1, 42000) i`,
		traces: "SELECT count(*) FROM pg_stat_activity a LEFT JOIN pg_locks l USING (pid) WHERE a.application_name LIKE 'chartkeep%'",
		source: func(t *testing.T) sources.Moment {
			s, err := postgres.New(postgres.Options{Name: "practice", URL: livePostgres.URL("growing")})
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
	},
	{
		kind: "mysql", do: doMySQL, rewrite: "OPTIMIZE TABLE procedurelog",
		fill: `CREATE TABLE procedurelog (id int PRIMARY KEY, fee int, note text);
			CREATE TABLE document (id int PRIMARY KEY, content longblob);
			INSERT INTO procedurelog SELECT seq, seq % 900, repeat(left(sha2(seq, 256), 32), 5) FROM counting.numbers WHERE seq <= 20000;
			INSERT INTO document SELECT seq, unhex(repeat(left(sha2(seq, 256), 32), 500)) FROM counting.numbers WHERE seq <= 200`,
		appended: "INSERT INTO procedurelog SELECT seq, seq % 900, repeat(left(sha2(seq, 256), 32), 5) FROM counting.numbers WHERE seq BETWEEN 20001 AND 20100",
		large: `CREATE TABLE scans (id int PRIMARY KEY, content blob);
			CREATE TABLE locked (n int) ENGINE=MyISAM;
			INSERT INTO scans SELECT seq, random_bytes(1000) FROM counting.numbers WHERE seq <= 42000`,
		traces: "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID<>CONNECTION_ID() AND USER='root'",
		source: func(t *testing.T) sources.Moment {
			s, err := mysql.New(mysql.Options{Name: "practice", URL: liveMySQL.URL("growing")})
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
	},
}

func doPostgres(t *testing.T, statement string) {
	t.Helper()
	doOn(t, livePostgres.URL("growing"), statement)
}

func doOn(t *testing.T, url, statement string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.PgConn().Exec(t.Context(), statement).ReadAll(); err != nil {
		t.Fatalf("%.80s: %v", statement, err)
	}
}

func doMySQL(t *testing.T, statement string) {
	t.Helper()
	db, err := sql.Open("mysql", "root@unix("+liveMySQL.Socket()+")/growing?multiStatements=true")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%.80s: %v", statement, err)
	}
}

// make makes the database from statements, and drops it when the test ends.
func (g growing) make(t *testing.T, statements string) {
	t.Helper()
	if g.kind == "postgres" {
		doOn(t, livePostgres.URL("postgres"), "CREATE DATABASE growing TEMPLATE template0")
		t.Cleanup(func() {
			conn, err := pgx.Connect(context.Background(), livePostgres.URL("postgres"))
			if err == nil {
				_, err = conn.Exec(context.Background(), "DROP DATABASE growing WITH (FORCE)")
				conn.Close(context.Background())
			}
			if err != nil {
				t.Error(err)
			}
		})
	} else {
		admin := func(statement string) {
			db, err := sql.Open("mysql", "root@unix("+liveMySQL.Socket()+")/")
			if err == nil {
				defer db.Close()
				_, err = db.Exec(statement)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		admin("CREATE DATABASE growing")
		t.Cleanup(func() { admin("DROP DATABASE growing") })
	}
	g.do(t, statements)
}

// night saves the database, and returns what was new in it, bytes.
func night(t *testing.T, r *repo.Repository, src sources.Moment, parent **snapshot.Node) int64 {
	t.Helper()
	var writer *repo.Writer
	s := save(t, r, func(w *repo.Writer, o snapshot.SaveOptions) *snapshot.Snapshot {
		o.Parent = *parent
		top, sum, err := snapshot.SaveApart(t.Context(), r, w, src, o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := src.End(t.Context()); err != nil {
			t.Fatal(err)
		}
		o.Join = top
		root, _, err := snapshot.Save(t.Context(), r, w, bare{}, o)
		if err != nil {
			t.Fatal(err)
		}
		writer = w
		return &snapshot.Snapshot{Root: *root, Summary: sum}
	})
	*parent = &s.Root
	added, _ := writer.Added()
	return added
}

// TestANightCostsWhatTheDayChanged: nothing where nothing did, whatever the
// server did to its own files, and a chunk or two for each place that did.
func TestANightCostsWhatTheDayChanged(t *testing.T) {
	const chunkMost = 64 << 10 // of profile fine
	for _, g := range growingServers {
		t.Run(g.kind, func(t *testing.T) {
			g.make(t, g.fill)
			r, src := newRepository(t), g.source(t)
			var parent *snapshot.Node
			if first := night(t, r, src, &parent); first < 3<<20 {
				t.Errorf("the first night added %d bytes", first)
			}
			for _, n := range []struct {
				what, statement string
				most            int64
			}{
				{"unchanged", "", 0},
				{"100 rows at the end", g.appended, 100*180 + 3*chunkMost},
				{"20 rows here and there", "UPDATE procedurelog SET fee = fee + 1 WHERE id % 1000 = 7", 20 * 24 << 10},
				{"written anew", g.rewrite, 0},
				{"an index", "CREATE INDEX fees ON procedurelog (fee)", chunkMost},
				{"10 rows gone", "DELETE FROM procedurelog WHERE id BETWEEN 5001 AND 5010", 3 * chunkMost},
			} {
				if n.statement != "" {
					g.do(t, n.statement)
				}
				added := night(t, r, src, &parent)
				t.Logf("%s: %d bytes", n.what, added)
				if added > n.most {
					t.Errorf("%s: %d bytes are new, where %d would do", n.what, added, n.most)
				}
			}
		})
	}
}
