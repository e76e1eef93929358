package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// ErrLocked says that a table's lock could not be had in time.
var ErrLocked = errors.New("a table stayed locked")

// ErrLockTable says that the server's lock table is full.
var ErrLockTable = errors.New("the server has no room for so many locks: raise max_locks_per_transaction")

// lockFailed explains why tables could not be locked.
func (d *dump) lockFailed(ctx context.Context, conn *pgx.Conn, tables []listed, err error) error {
	if hasCode(err, codeUndefinedTable, codeUndefinedSchema) {
		return errMoved
	}
	if execute(ctx, conn, "ROLLBACK") != nil {
		return err
	}
	switch {
	case hasCode(err, codeLockNotAvailable):
		return fmt.Errorf("%w for more than %v%s: %w", ErrLocked, d.lockTimeout, holder(ctx, conn, tables), err)
	case hasCode(err, codeInsufficientRights):
		return fmt.Errorf("%w; a user for backups needs to read every table: GRANT pg_read_all_data TO %s (from PostgreSQL 14 on)", err, quote(conn.Config().User))
	case hasCode(err, codeOutOfMemory):
		var now string
		_ = conn.QueryRow(ctx, "SHOW max_locks_per_transaction").Scan(&now)
		return fmt.Errorf("%w (now %s) in the server's configuration, and start it anew; there are %d tables: %w", ErrLockTable, now, len(tables), err)
	}
	return err
}

// holder tells who holds the lock that was waited for, if it still does.
func holder(ctx context.Context, conn *pgx.Conn, tables []listed) string {
	oids := make([]int64, len(tables))
	for i := range tables {
		oids[i] = int64(tables[i].oid)
	}
	var table, user, program string
	var pid int
	err := conn.QueryRow(ctx, `SELECT l.relation::regclass::text, l.pid, coalesce(a.usename, ''), coalesce(a.application_name, '')
		FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
		WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.relation::bigint = ANY($1)
			AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
		ORDER BY l.granted DESC LIMIT 1`, oids).Scan(&table, &pid, &user, &program)
	if err != nil {
		return ""
	}
	return fmt.Sprintf(" (%s is locked by process %d of user %s, %q)", table, pid, user, program)
}
