package postgres

import (
	"context"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// pgbenchHolds is true of pgbench's database at every moment.
const pgbenchHolds = `SELECT (SELECT sum(abalance) FROM pgbench_accounts) = s AND (SELECT sum(tbalance) FROM pgbench_tellers) = s AND (SELECT sum(bbalance) FROM pgbench_branches) = s
	FROM (SELECT coalesce(sum(delta), 0) FROM pgbench_history) h(s)`

// TestPgbenchsBooksBalanceInACopy that was made while pgbench went on.
func TestPgbenchsBooksBalanceInACopy(t *testing.T) {
	db := database(t, "")
	pgbench := filepath.Join(programsDir(t), "pgbench")
	if said, err := exec.CommandContext(t.Context(), pgbench, "--initialize", "--quiet", "--scale=1", live.URL(db)).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	load := exec.CommandContext(ctx, pgbench, "--no-vacuum", "--client=3", "--time=3600", live.URL(db))
	if err := load.Start(); err != nil {
		t.Fatal(err)
	}
	conn := open(t, live, db)
	entered := func() int {
		n, err := strconv.Atoi(ask(t, conn, "SELECT count(*) FROM pgbench_history"))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for entered() < 50 {
		time.Sleep(10 * time.Millisecond)
	}
	var copies []saved
	for range 2 {
		before := entered()
		all, _ := copyOf(t, source(t, nil, db))
		copies = append(copies, all)
		if entered() == before {
			t.Error("pgbench stood still while the copy was made")
		}
	}
	cancel()
	_ = load.Wait() // it was killed
	admin := open(t, live, "postgres")
	t.Cleanup(func() { admin.Exec(context.Background(), "DROP DATABASE IF EXISTS "+db+"_back WITH (FORCE)") })
	for _, all := range copies {
		if _, err := Restore(t.Context(), RestoreOptions{Saved: all, Database: db, URL: live.URL(db + "_back"), Create: true, Overwrite: true}); err != nil {
			t.Fatal(err)
		}
		back := open(t, live, db+"_back")
		wantTrue(t, back, pgbenchHolds)
		wantTrue(t, back, "SELECT count(*) >= 50 FROM pgbench_history")
		back.Close(t.Context())
	}
}
