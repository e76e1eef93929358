package mysql

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// maria reports whether the tests run on MariaDB.
func maria() bool { return strings.Contains(shared.Version, "MariaDB") }

// vendor returns the first on MariaDB, and the second on MySQL.
func vendor(onMariaDB, onMySQL string) string {
	if maria() {
		return onMariaDB
	}
	return onMySQL
}

var (
	numbers = regexp.MustCompile(`\bseq_1_to_(\d+)`)
	anew    = regexp.MustCompile("CREATE OR REPLACE (USER|ROLE) (\\S+@[^\\s;]+|`[^`]+`@`[^`]+`|\\w+)")
	inMySQL = strings.NewReplacer("ENGINE=Aria", "ENGINE=MEMORY", "mariadb-dump", "mysqldump", "SET DEFAULT ROLE reader FOR", "SET DEFAULT ROLE reader TO")
)

// inWords says in MySQL's words what a test says in MariaDB's.
func inWords(script string) string {
	if maria() {
		return script
	}
	script = numbers.ReplaceAllStringFunc(script, func(found string) string {
		return fmt.Sprintf("JSON_TABLE(CONCAT('[0', REPEAT(',0', %s-1), ']'), '$[*]' COLUMNS (seq FOR ORDINALITY)) AS s", numbers.FindStringSubmatch(found)[1])
	})
	return inMySQL.Replace(anew.ReplaceAllString(script, "DROP $1 IF EXISTS $2; CREATE $1 $2"))
}

// served is the tests' server, as the source sees it.
func served(t *testing.T) server {
	t.Helper()
	s, err := parseVersion(shared.Version)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// charset finds what MySQL says of a column whose collation was named before it
// says it of one that came back from a dump.
var charset = regexp.MustCompile(` CHARACTER SET \w+ COLLATE `)
