package mysql

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	sqldriver "database/sql/driver"

	driver "github.com/go-sql-driver/mysql"
)

// A server is what answers: a MariaDB or a MySQL of some version.
type server struct {
	version      string // as it says it
	maria        bool
	major, minor int
}

func (s server) String() string {
	if s.maria {
		return "MariaDB " + s.version
	}
	return "MySQL " + s.version
}

// since reports whether the server has at least a version.
func (s server) since(major, minor int) bool {
	return s.major > major || s.major == major && s.minor >= minor
}

// dictionary reports whether the server is a MySQL that keeps all definitions in
// its own dictionary: the tables mysql.proc and mysql.event are gone.
func (s server) dictionary() bool { return !s.maria && s.since(8, 0) }

var versionNumber = regexp.MustCompile(`(\d+)\.(\d+)`)

// parseVersion reads what SELECT VERSION() says.
func parseVersion(version string) (server, error) {
	s := server{version: version, maria: strings.Contains(version, "MariaDB")}
	// Old MariaDB servers put 5.5.5- in front, for programs that know MySQL only.
	m := versionNumber.FindStringSubmatch(strings.TrimPrefix(version, "5.5.5-"))
	if m == nil {
		return s, fmt.Errorf("the server says its version is %q", version)
	}
	s.major, _ = strconv.Atoi(m[1])
	s.minor, _ = strconv.Atoi(m[2])
	return s, nil
}

// Error numbers of the server.
const (
	unknownDatabase   = 1049
	noSuchTable       = 1146
	unknownVariable   = 1193
	lockWait          = 1205
	deadlock          = 1213
	needsPrivilege    = 1227
	noSuchRoutine     = 1305
	invalidView       = 1356
	changedDefinition = 1412
	noTrust           = 1418 // a function that may not be safe for the binary log
	noTablespace      = 3510
)

// errorIs reports whether err is the server's with one of these numbers.
func errorIs(err error, numbers ...uint16) bool {
	var e *driver.MySQLError
	if !errors.As(err, &e) {
		return false
	}
	for _, n := range numbers {
		if e.Number == n {
			return true
		}
	}
	return false
}

// explain says what the driver's own errors mean.
func explain(err error) error {
	switch {
	case errors.Is(err, driver.ErrInvalidConn), errors.Is(err, sqldriver.ErrBadConn):
		return fmt.Errorf("the connection to the server broke: %w", err)
	case errorIs(err, needsPrivilege):
		return fmt.Errorf("the user lacks a privilege: %w", err)
	}
	return err
}

// readingSession are the settings of a session that reads data. Those a server
// does not know are left out.
func readingSession(lock time.Duration) []string {
	return append(commonSession(lock),
		"SET SESSION character_set_results=binary", // bytes as they are stored, whatever the column's character set
		"SET SESSION sql_mode=''",                  // PAD_CHAR_TO_FULL_LENGTH would lengthen CHARs
		"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
		"SET SESSION sql_select_limit=DEFAULT",
		"SET SESSION system_versioning_asof=DEFAULT",
		"SET SESSION information_schema_stats_expiry=0",
	)
}

// commonSession are the settings of every session. Nothing the server's
// administrator limits for its users may end a dump in the middle, and a server
// that waits for us must not hang up.
func commonSession(lock time.Duration) []string {
	return []string{
		"SET SESSION time_zone='+00:00'",
		fmt.Sprintf("SET SESSION lock_wait_timeout=%d", max(1, int(lock.Seconds()+0.5))),
		"SET SESSION wait_timeout=604800",
		"SET SESSION net_read_timeout=86400",
		"SET SESSION net_write_timeout=86400",
		"SET SESSION max_statement_time=0",
		"SET SESSION max_execution_time=0",
		"SET SESSION idle_transaction_timeout=0",
		"SET SESSION idle_readonly_transaction_timeout=0",
	}
}

// quote quotes a name.
func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// text quotes a string for an sql_mode without NO_BACKSLASH_ESCAPES.
func text(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `''`, "\x00", `\0`).Replace(s) + "'"
}

// texts quotes strings for an IN list.
func texts(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = text(s)
	}
	return strings.Join(quoted, ",")
}
