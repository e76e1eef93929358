package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Codes of errors that are told apart: appendix A of PostgreSQL's manual.
const (
	codeLockNotAvailable   = "55P03"
	codeUndefinedTable     = "42P01"
	codeUndefinedSchema    = "3F000"
	codeOutOfMemory        = "53200"
	codeDuplicateObject    = "42710"
	codeUndefinedDatabase  = "3D000"
	codeObjectInUse        = "55006"
	codeInsufficientRights = "42501"
	codeAdminShutdown      = "57P01"
	codeCrashShutdown      = "57P02"
)

// hasCode reports whether err is a server's error of one of these codes.
func hasCode(err error, codes ...string) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return false
	}
	for _, c := range codes {
		if e.Code == c {
			return true
		}
	}
	return false
}

// session is what values look like as text, and that nothing ends a connection
// that waits. A setting that a server does not know is left out. The bytes of a
// database without an encoding are left as they are: the server would refuse
// those that are no UTF-8.
const session = `SELECT pg_catalog.set_config(s.name, v.value, false) FROM pg_catalog.pg_settings s JOIN (VALUES
	('datestyle', 'ISO'), ('intervalstyle', 'postgres'), ('timezone', 'UTC'), ('extra_float_digits', '3'),
	('bytea_output', 'hex'), ('lc_monetary', 'C'), ('xmloption', 'content'), ('quote_all_identifiers', 'off'),
	('client_encoding', CASE pg_catalog.getdatabaseencoding() WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END),
	('search_path', ''), ('row_security', 'off'), ('synchronize_seqscans', 'off'), ('array_nulls', 'on'),
	('standard_conforming_strings', 'on'), ('default_transaction_read_only', 'off'), ('jit', 'off'),
	('max_parallel_workers_per_gather', '0'), ('statement_timeout', '0'), ('lock_timeout', '0'), ('transaction_timeout', '0'),
	('idle_in_transaction_session_timeout', '0'), ('idle_session_timeout', '0')
) v(name, value) ON pg_catalog.lower(s.name) OPERATOR(pg_catalog.=) v.name`

// connect opens a connection to a database of the server.
func (a address) connect(ctx context.Context, database string) (*pgx.Conn, error) {
	c, err := pgx.ParseConfig(a.of(database))
	if err != nil {
		return nil, err
	}
	if a.password != nil {
		c.Password = string(a.password)
	}
	c.DefaultQueryExecMode = pgx.QueryExecModeExec // nothing prepared: poolers stand between
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = "chartkeep"
	}
	c.RuntimeParams["client_encoding"] = "UTF8"
	conn, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return nil, refused(c, err)
	}
	if _, err := conn.Exec(ctx, session); err != nil {
		hangUp(conn)
		return nil, fmt.Errorf("database %s: %w", c.Database, err)
	}
	return conn, nil
}

// A connectError says in one line why no connection came about.
type connectError struct {
	text string
	err  error
}

func (e *connectError) Error() string { return e.text }
func (e *connectError) Unwrap() error { return e.err }

// refused shortens the driver's account of every attempt, one a line: each that
// failed in its own way is said once, and a server without TLS, which is tried
// without it next, not at all.
func refused(c *pgx.ConnConfig, err error) error {
	var said []string
	_, attempts, _ := strings.Cut(err.Error(), "`:") // behind the user and the database
	for line := range strings.Lines(attempts) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasSuffix(line, "server refused TLS connection") && !slices.Contains(said, line) {
			said = append(said, line)
		}
	}
	if len(said) == 0 {
		return err
	}
	place := "the server"
	if c.Database != "" {
		place = "database " + c.Database
	}
	return &connectError{fmt.Sprintf("connect to %s as %s: %s", place, c.User, strings.Join(said, "; ")), err}
}

// goodbye bounds how long a server is given to take note of a connection's end.
const goodbye = 5 * time.Second

// hangUp ends a connection, whatever it is doing, and what the server does for
// it.
func hangUp(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	_ = conn.Close(ctx)
}

// abort cancels what the server does for a connection, and ends it.
func abort(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	_ = conn.PgConn().CancelRequest(ctx)
	_ = conn.PgConn().Conn().Close() // a server that cannot write ends too
	hangUp(conn)
}

// ended waits until the process that served a connection, and was told to stop,
// is no more: what it committed until then can be seen after that.
func ended(ctx context.Context, conn *pgx.Conn, process uint32) error {
	for {
		var there bool
		err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1::int)", process).Scan(&there)
		if err != nil || !there {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// execute runs statements of no result, in one message.
func execute(ctx context.Context, conn *pgx.Conn, sql string) error {
	return conn.PgConn().Exec(ctx, sql).Close()
}

// quote makes an identifier of a name.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// literal makes a string constant of a text; standard_conforming_strings is on.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

func quoteAll(names []Name) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = quote(string(n))
	}
	return strings.Join(quoted, ", ")
}
