package postgres

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"chartkeep/sources"
)

// careDatabase makes a database of tables that wait for maintenance.
func careDatabase(t *testing.T, name, sql string) *pgx.Conn {
	t.Helper()
	ctx := context.Background()
	admin, err := pgx.Connect(ctx, live.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(ctx)
	if _, err := admin.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(ctx, live.URL(name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(ctx) })
	if err := execute(ctx, conn, sql); err != nil {
		t.Fatal(err)
	}
	return conn
}

func one[T any](t *testing.T, conn *pgx.Conn, sql string) (v T) {
	t.Helper()
	if err := conn.QueryRow(context.Background(), sql).Scan(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTablesAreLookedAfter(t *testing.T) {
	conn := careDatabase(t, "care", `CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a SELECT generate_series(1, 1000); CREATE TABLE "B c" (v int);
		CREATE TABLE p (id int) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p DEFAULT; INSERT INTO p VALUES (1)`)
	node := one[uint32](t, conn, "SELECT relfilenode FROM pg_class WHERE relname = 'a_pkey'")
	var all []string
	err := Maintain(context.Background(), Options{URL: live.URL("care")}, []string{"vacuum", "analyze", "reindex", "optimize"}, func(m sources.Maintained) {
		all = append(all, m.Work+" "+m.Table)
	})
	want := "vacuum public.B c, vacuum public.a, vacuum public.p1, " +
		"analyze public.B c, analyze public.a, analyze public.p, analyze public.p1, reindex public.a"
	if got := strings.Join(all, ", "); err != nil || got != want {
		t.Errorf("%s: %v", got, err)
	}
	if now := one[uint32](t, conn, "SELECT relfilenode FROM pg_class WHERE relname = 'a_pkey'"); now == node {
		t.Error("the index is the old one")
	}
	if n := one[float32](t, conn, "SELECT reltuples FROM pg_class WHERE relname = 'a'"); n != 1000 {
		t.Errorf("%v rows were counted", n)
	}
}

func TestAReindexThatIsStoppedLeavesNothing(t *testing.T) {
	ctx := context.Background()
	conn := careDatabase(t, "stuck", "CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a SELECT generate_series(1, 10); CREATE TABLE b (id int PRIMARY KEY)")
	if err := execute(ctx, conn, "BEGIN; INSERT INTO a VALUES (11)"); err != nil { // REINDEX waits for its end
		t.Fatal(err)
	}
	look, err := pgx.Connect(ctx, live.URL("stuck"))
	if err != nil {
		t.Fatal(err)
	}
	defer look.Close(ctx)

	results := map[string]error{}
	o := Options{URL: live.URL("stuck"), LockTimeout: 300 * time.Millisecond}
	err = Maintain(ctx, o, []string{"reindex"}, func(m sources.Maintained) { results[m.Table] = m.Err })
	if err == nil || results["public.a"] == nil || results["public.b"] != nil {
		t.Errorf("%v: %v", results, err)
	}
	limit := errors.New("too long")
	o.LockTimeout = time.Minute
	// The transaction ends at about the moment at which the work is stopped: the
	// server may heed that in any of the work's steps.
	for early := -4; early <= 12; early++ {
		short, cancel := context.WithTimeoutCause(ctx, 300*time.Millisecond, limit)
		finished := make(chan error)
		go func() { finished <- Maintain(short, o, []string{"reindex"}, func(sources.Maintained) {}) }()
		time.Sleep(300*time.Millisecond - time.Duration(early)*2*time.Millisecond)
		if err := execute(ctx, conn, "COMMIT"); err != nil { // a drop would wait for it too
			t.Error(err)
		}
		if err := <-finished; err != nil && !errors.Is(err, limit) {
			t.Error(err)
		}
		cancel()
		if n := one[string](t, look, "SELECT coalesce(string_agg(relname, $$,$$), $$$$) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE NOT indisvalid OR relname ~ '_cc(new|old)'"); n != "" {
			t.Errorf("%d ms early: %s is left", early*2, n)
		}
		if err := execute(ctx, conn, "BEGIN; INSERT INTO a SELECT max(id) + 1 FROM a"); err != nil {
			t.Fatal(err)
		}
	}
	if n := one[int](t, look, "SELECT count(*)::int FROM pg_stat_activity WHERE query ~ '^REINDEX' AND state = 'active'"); n != 0 {
		t.Error("it is still at work")
	}
}

func TestATableOfAnotherIsAnError(t *testing.T) {
	ctx := context.Background()
	conn := careDatabase(t, "others", "CREATE TABLE a (id int); CREATE ROLE helper LOGIN")
	t.Cleanup(func() { _ = execute(ctx, conn, "DROP ROLE helper") })
	address := strings.Replace(live.URL("others"), "user=postgres", "user=helper", 1)
	err := Maintain(ctx, Options{URL: address}, []string{"vacuum"}, func(sources.Maintained) {})
	if !errors.Is(err, errOwner) {
		t.Errorf("%s: %v", address, err)
	}
}
