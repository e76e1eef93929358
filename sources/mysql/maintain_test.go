package mysql

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"chartkeep/sources"
)

func TestTablesAreLookedAfter(t *testing.T) {
	client(t, shared, "CREATE DATABASE care; USE care; CREATE TABLE inno (id INT PRIMARY KEY, v INT, KEY (v)) ENGINE=InnoDB;"+
		"CREATE TABLE isam (id INT PRIMARY KEY, v TEXT) ENGINE=MyISAM; CREATE VIEW seen AS SELECT 1;"+
		"INSERT INTO inno SELECT seq, seq FROM seq_1_to_1000; INSERT INTO isam SELECT seq, REPEAT('x', 1000) FROM seq_1_to_2000; DELETE FROM isam WHERE id > 5;")
	size := func() string {
		return client(t, shared, vendor("", "SET SESSION information_schema_stats_expiry=0; ")+"SELECT DATA_LENGTH FROM information_schema.TABLES WHERE TABLE_SCHEMA='care' AND TABLE_NAME='isam'")
	}
	before := size()
	var all []string
	err := Maintain(context.Background(), Options{URL: shared.URL("care")}, []string{"analyze", "vacuum", "optimize"}, func(m sources.Maintained) {
		all = append(all, m.Work+" "+m.Table)
		if m.Err != nil {
			t.Error(m.Err)
		}
	})
	if got := strings.Join(all, ", "); err != nil || got != "analyze care.inno, analyze care.isam, optimize care.inno, optimize care.isam" {
		t.Errorf("%s: %v", got, err)
	}
	if after := size(); after == before {
		t.Errorf("the table still takes %s bytes", after)
	}
}

func TestATableThatIsLockedFailsAlone(t *testing.T) {
	client(t, shared, "CREATE DATABASE busy; USE busy; CREATE TABLE a (id INT) ENGINE=MyISAM; CREATE TABLE b (id INT) ENGINE=MyISAM; INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)")
	ctx := context.Background()
	l, err := parseURL(shared.URL("busy"), nil)
	if err != nil {
		t.Fatal(err)
	}
	other, err := l.connect(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer other.close()
	if err := other.exec(ctx, "LOCK TABLES busy.a WRITE"); err != nil {
		t.Fatal(err)
	}
	results := map[string]error{}
	o := Options{URL: shared.URL("busy"), LockTimeout: time.Second}
	err = Maintain(ctx, o, []string{"optimize"}, func(m sources.Maintained) { results[m.Table] = m.Err })
	if err == nil || results["busy.a"] == nil || results["busy.b"] != nil || !strings.Contains(err.Error(), "busy.a") {
		t.Errorf("%v: %v", results, err)
	}

	// With a limit shorter than the lock's, nothing goes on at the server.
	limit := errors.New("too long")
	short, cancel := context.WithTimeoutCause(ctx, 300*time.Millisecond, limit)
	defer cancel()
	o.LockTimeout = time.Minute
	if err := Maintain(short, o, []string{"optimize"}, func(sources.Maintained) {}); !errors.Is(err, limit) {
		t.Errorf("%v", err)
	}
	if left := client(t, shared, "SELECT INFO FROM information_schema.PROCESSLIST WHERE INFO LIKE 'OPTIMIZE%'"); left != "" {
		t.Errorf("still at work: %s", left)
	}
}

func TestSettingsAreAskedFor(t *testing.T) {
	rows, err := Ask(context.Background(), Options{URL: shared.URL("")}, "SELECT 'DocPath', NULL UNION SELECT 'a', 'b'")
	if err != nil || len(rows) != 2 || rows[0][0] != "DocPath" || rows[0][1] != "" || rows[1][1] != "b" {
		t.Errorf("%q: %v", rows, err)
	}
}
