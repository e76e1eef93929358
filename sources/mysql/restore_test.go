package mysql

import (
	"context"
	"os"
	"strings"
	"testing"
)

// trapsOn makes the database traps on the server.
func trapsOn(t *testing.T, s *Server) {
	t.Helper()
	b, err := os.ReadFile("testdata/traps.sql")
	if err != nil {
		t.Fatal(err)
	}
	client(t, s, string(b))
	t.Cleanup(func() { _, _ = tryClient(s, "DROP DATABASE IF EXISTS traps") })
}

func mustRestore(t *testing.T, o RestoreOptions) Report {
	t.Helper()
	o.Log = func(m string) { t.Log(m) }
	report, err := Restore(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// TestEveryTrapComesBack holds the vendor's own dumps of both servers against
// each other: what the second has is what the first has, byte for byte.
func TestEveryTrapComesBack(t *testing.T) {
	trapsOn(t, shared)
	want := vendorDump(t, shared, "traps")
	saved, facts := mustTake(t, sourceOf(t, shared, "traps"))
	other := start(t)
	for _, inserts := range []bool{false, true} { // the second time over what is there
		mustRestore(t, RestoreOptions{Saved: saved, URL: other.URL(""), Create: true, Overwrite: inserts, Inserts: inserts})
		sameText(t, vendorDump(t, other, "traps"), want)
		again, facts2 := mustTake(t, sourceOf(t, other, "traps"))
		for path, b := range saved {
			if strings.HasPrefix(path, "traps/") {
				sameText(t, string(again[path]), string(b))
			}
		}
		sameText(t, facts2["tables of traps"], facts["tables of traps"])
		left := client(t, other, "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE 'chartkeep%'")
		if left != "" {
			t.Errorf("left on the server: %s", left)
		}
	}
}
