package mysql

import (
	"compress/gzip"
	"io"
	"os"
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
		"zabbix-server-mysql/usr/share/zabbix-server-mysql/schema.sql.gz",
		"zabbix-server-mysql/usr/share/zabbix-server-mysql/images.sql.gz",
	},
	"icinga":    {"icinga2-ido-mysql/usr/share/icinga2-ido-mysql/schema/mysql.sql"},
	"bacula":    {"bacula-director-mysql/usr/share/dbconfig-common/data/bacula-director-mysql/install/mysql"},
	"roundcube": {"roundcube-core/usr/share/dbconfig-common/data/roundcube/install/mysql"},
}

// statementsOf is what a package makes its database from.
func statementsOf(t *testing.T, files []string) string {
	t.Helper()
	var all strings.Builder
	for _, name := range files {
		f, err := os.Open(filepath.Join(foreign, name))
		if err != nil {
			t.Fatalf("testdata/install-needs fetches this package: %v", err)
		}
		defer f.Close()
		r := io.Reader(f)
		if strings.HasSuffix(name, ".gz") {
			if r, err = gzip.NewReader(f); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := io.Copy(&all, r); err != nil {
			t.Fatal(err)
		}
		all.WriteString("\n")
	}
	return all.String()
}

func TestDatabasesOfOtherProgramsComeBack(t *testing.T) {
	other := second(t)
	for name, files := range foreignDatabases {
		t.Run(name, func(t *testing.T) {
			db := database(t, shared)
			client(t, shared, "USE "+quote(db)+"; SET autocommit=0;\n"+statementsOf(t, files)+"COMMIT;")
			all, facts := mustTake(t, sourceOf(t, shared, db))
			report := mustRestore(t, RestoreOptions{Saved: all, URL: other.URL(db), Create: true})
			t.Logf("%d tables, %d rows, %d bytes", len(report.Counts), report.Rows, report.Bytes)
			sameText(t, vendorDump(t, other, db), vendorDump(t, shared, db))
			again, facts2 := mustTake(t, sourceOf(t, shared, db))
			for path, b := range all {
				if string(again[path]) != string(b) {
					t.Errorf("%s differs", path)
				}
			}
			sameText(t, facts2["tables of "+db], facts["tables of "+db])
		})
	}
}
