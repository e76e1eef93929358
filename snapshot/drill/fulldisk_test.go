package drill

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"chartkeep/repo"
	"chartkeep/repo/repotest"
	"chartkeep/repo/storage"
	"chartkeep/repo/storage/mem"
	"chartkeep/snapshot"
)

// count asks the server for a number.
func (g growing) count(t *testing.T, query string) (n int) {
	t.Helper()
	if g.kind == "postgres" {
		conn, err := pgx.Connect(t.Context(), livePostgres.URL("growing"))
		if err == nil {
			defer conn.Close(context.Background())
			err = conn.QueryRow(t.Context(), query).Scan(&n)
		}
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	db, err := sql.Open("mysql", "root@unix("+liveMySQL.Socket()+")/growing")
	if err == nil {
		defer db.Close()
		err = db.QueryRow(query).Scan(&n)
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestADriveThatIsFullInTheMiddleOfADump ends it with that error, leaves the
// server without a trace, and the next night is whole again.
func TestADriveThatIsFullInTheMiddleOfADump(t *testing.T) {
	for _, g := range growingServers {
		t.Run(g.kind, func(t *testing.T) {
			g.make(t, g.large)
			st := &mem.Store{Capacity: 20 << 20}
			r := repotest.New(t, repotest.Options{Store: st})
			w, err := r.NewWriter(t.Context(), repo.WriterOptions{})
			if err != nil {
				t.Fatal(err)
			}
			src := g.source(t)
			_, _, err = snapshot.SaveApart(t.Context(), r, w, src, snapshot.SaveOptions{Strict: true})
			if !errors.Is(err, storage.ErrNoSpace) || !errors.Is(w.Err(), storage.ErrNoSpace) {
				t.Fatalf("the dump ends with %v, the writer with %v", err, w.Err())
			}
			if _, err := src.End(t.Context()); err == nil || !strings.Contains(err.Error(), "not read") {
				t.Errorf("the source's end: %v", err)
			}
			w.Abort()
			for end := time.Now().Add(10 * time.Second); g.count(t, g.traces) > 0; time.Sleep(20 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatal("connections or locks are left on the server")
				}
			}
			g.do(t, "ALTER TABLE scans ADD COLUMN note int; INSERT INTO scans (id) VALUES (0)") // nothing waits
			st.Capacity = 0
			var parent *snapshot.Node
			if added := night(t, r, src, &parent); added < 42_000_000 {
				t.Errorf("the next night added %d bytes", added)
			}
		})
	}
}
