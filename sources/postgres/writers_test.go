package postgres

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// busy is a database in which at every moment: the amounts of both tables sum up
// to 100,000; every line of the list is of the edition that the head names, and
// there are five; and every child has its parent.
const busy = `
	CREATE TABLE left_side (id int PRIMARY KEY, amount int);
	CREATE TABLE right_side (id int PRIMARY KEY, amount int);
	INSERT INTO left_side SELECT i, 100 FROM generate_series(1, 500) i;
	INSERT INTO right_side SELECT i, 100 FROM generate_series(1, 500) i;
	CREATE TABLE head (edition int);
	CREATE TABLE list (edition int, n int);
	INSERT INTO head VALUES (0);
	INSERT INTO list SELECT 0, i FROM generate_series(1, 5) i;
	CREATE TABLE parent (id serial PRIMARY KEY);
	CREATE TABLE child (id serial PRIMARY KEY, parent int REFERENCES parent);
	CREATE TABLE shape (a int);
	INSERT INTO shape SELECT generate_series(1, 100)`

// writers change a busy database in all the ways that there are.
var writers = []func(n int) string{
	func(int) string {
		return fmt.Sprintf("BEGIN; UPDATE left_side SET amount = amount - 7 WHERE id = %d; UPDATE right_side SET amount = amount + 7 WHERE id = %d; COMMIT", 1+rand.IntN(500), 1+rand.IntN(500))
	},
	func(n int) string {
		return fmt.Sprintf("BEGIN; TRUNCATE list; UPDATE head SET edition = %d; INSERT INTO list SELECT %d, i FROM generate_series(1, 5) i; COMMIT", n, n)
	},
	func(int) string {
		return "WITH p AS (INSERT INTO parent DEFAULT VALUES RETURNING id) INSERT INTO child (parent) SELECT id FROM p"
	},
	func(n int) string {
		return fmt.Sprintf("CREATE TABLE work_%d (a int); INSERT INTO work_%d VALUES (%d); CREATE VIEW seen_%d AS SELECT * FROM work_%d; DROP TABLE work_%d CASCADE", n, n, n, n, n, n)
	},
	func(n int) string {
		return fmt.Sprintf("ALTER TABLE shape ADD COLUMN c%d int DEFAULT 1; ALTER TABLE shape DROP COLUMN c%d", n, n)
	},
	func(n int) string {
		return "BEGIN; ALTER TABLE left_side RENAME TO moved; CREATE INDEX ON moved (amount); DROP INDEX moved_amount_idx; ALTER TABLE moved RENAME TO left_side; COMMIT"
	},
}

// pauses are how long each waits between. Those that lock whole tables leave
// some time, in which a reading can begin.
var pauses = []time.Duration{time.Millisecond, 300 * time.Millisecond, 2 * time.Millisecond, 50 * time.Millisecond, 400 * time.Millisecond, 350 * time.Millisecond}

// disturb runs the writers until the test's context ends, and returns how often
// each went through.
func disturb(t *testing.T, ctx context.Context, db string) func() []int {
	t.Helper()
	counts := make([]int, len(writers))
	var wg sync.WaitGroup
	for i, w := range writers {
		conn := open(t, live, db)
		wg.Go(func() {
			for n := 1; ctx.Err() == nil; n++ {
				_, err := conn.Exec(context.Background(), w(n))
				if err != nil && !hasCode(err, "40P01") { // deadlocks among themselves
					t.Errorf("writer %d: %v", i, err)
					return
				}
				counts[i]++
				time.Sleep(pauses[i])
			}
		})
	}
	return func() []int { wg.Wait(); return counts }
}

func TestTheCopyIsOfOneMomentHoweverMuchIsWritten(t *testing.T) {
	db := database(t, busy)
	ctx, cancel := context.WithCancel(t.Context())
	wait := disturb(t, ctx, db)
	s := source(t, func(o *Options) { o.LockTimeout = 3 * time.Second }, db)
	const rounds = 6
	var last saved
	for range rounds {
		all, _, err := read(t.Context(), s, 2)
		if err != nil {
			t.Error(err)
			continue
		}
		wantInvariants(t, all, db)
		last = all
	}
	cancel()
	for i, n := range wait() {
		if n < 2 {
			t.Errorf("writer %d went through %d times only", i, n)
		}
	}
	if last == nil {
		t.FailNow()
	}
	if _, err := Restore(t.Context(), RestoreOptions{Saved: last, Database: db, URL: live.URL(db + "_back"), Create: true}); err != nil {
		t.Fatal(err)
	}
	admin := open(t, live, "postgres")
	t.Cleanup(func() { admin.Exec(context.Background(), "DROP DATABASE "+db+"_back WITH (FORCE)") })
	back := open(t, live, db+"_back")
	wantTrue(t, back, "SELECT (SELECT sum(amount) FROM left_side) + (SELECT sum(amount) FROM right_side) = 100000")
	wantTrue(t, back, "SELECT count(*) = 5 AND bool_and(edition = (SELECT edition FROM head)) FROM list")
	wantTrue(t, back, "SELECT coalesce(max(id), 0) < nextval('child_id_seq') FROM child")
	back.Close(t.Context())
}

func wantTrue(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if got := ask(t, conn, sql); got != "true" {
		t.Errorf("%s: %s", sql, got)
	}
}

// wantInvariants checks the rows as they were saved.
func wantInvariants(t *testing.T, all saved, db string) {
	t.Helper()
	rows := func(table string) (rows [][]string) {
		for line := range strings.Lines(string(all[db+"/tables/public."+table+".copy"])) {
			rows = append(rows, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
		}
		return rows
	}
	sum := 0
	for _, r := range append(rows("left_side"), rows("right_side")...) {
		n := 0
		fmt.Sscan(r[1], &n)
		sum += n
	}
	if sum != 100000 {
		t.Errorf("the amounts sum up to %d", sum)
	}
	head, list := rows("head"), rows("list")
	if len(head) != 1 || len(list) != 5 {
		t.Errorf("%d heads and %d lines", len(head), len(list))
	}
	for _, r := range list {
		if r[0] != head[0][0] {
			t.Errorf("a line of edition %s under %s", r[0], head[0][0])
		}
	}
	if n, m := len(rows("parent")), len(rows("child")); n != m {
		t.Errorf("%d parents and %d children", n, m)
	}
	if len(rows("shape")) != 100 {
		t.Errorf("%d shapes", len(rows("shape")))
	}
	d, err := ReadDescription(bytes.NewReader(all[DescriptionFile]))
	if err != nil || len(d.Databases[0].Tables) < 7 {
		t.Errorf("%v: %+v", err, d)
	}
}
