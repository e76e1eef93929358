package postgres

import (
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// foreign is where testdata/install-needs unpacks other programs' packages.
const foreign = "/var/cache/chartkeep-tests"

// foreignDatabases are databases that were made for other purposes than to be
// saved, with the statements that their packages make them from.
var foreignDatabases = map[string][]string{
	"zabbix": {
		"zabbix-server-pgsql/usr/share/zabbix-server-pgsql/schema.sql.gz",
		"zabbix-server-pgsql/usr/share/zabbix-server-pgsql/images.sql.gz",
	},
	"icinga":    {"icinga2-ido-pgsql/usr/share/icinga2-ido-pgsql/schema/pgsql.sql"},
	"bacula":    {"bacula-director-pgsql/usr/share/dbconfig-common/data/bacula-director-pgsql/install/pgsql"},
	"roundcube": {"roundcube-core/usr/share/dbconfig-common/data/roundcube/install/pgsql"},
}

// statementsOf is what a package makes its database from.
func statementsOf(t *testing.T, files []string) io.Reader {
	t.Helper()
	var all []io.Reader
	for _, name := range files {
		f, err := os.Open(filepath.Join(foreign, name))
		if err != nil {
			t.Fatalf("testdata/install-needs fetches this package: %v", err)
		}
		t.Cleanup(func() { f.Close() })
		r := io.Reader(f)
		if strings.HasSuffix(name, ".gz") {
			if r, err = gzip.NewReader(f); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, r, strings.NewReader(";\n"))
	}
	return io.MultiReader(all...)
}

func TestDatabasesOfOtherProgramsComeBack(t *testing.T) {
	other := fresh(t)
	for name, files := range foreignDatabases {
		t.Run(name, func(t *testing.T) {
			db := database(t, "")
			load := exec.CommandContext(t.Context(), filepath.Join(programsDir(t), "psql"), "-Xq", "-v", "ON_ERROR_STOP=1", "--single-transaction", live.URL(db))
			load.Stdin = statementsOf(t, files)
			if said, err := load.CombinedOutput(); err != nil {
				t.Fatalf("%v: %.500s", err, said)
			}
			all, facts := copyOf(t, source(t, nil, db))
			counts, err := Counts(facts, db)
			if err != nil {
				t.Fatal(err)
			}
			report, err := Restore(t.Context(), RestoreOptions{Saved: all, URL: other.URL(name), Create: true, Counts: counts})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d tables, %d rows, %d bytes", len(counts), report.Rows, report.Bytes)
			wantSame(t, "the database", sortedLines(vendorDump(t, other, name)), sortedLines(vendorDump(t, live, db)))
			again, _ := copyOf(t, source(t, nil, db))
			wantEqual(t, again, all)
		})
	}
}
