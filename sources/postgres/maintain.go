package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"chartkeep/sources"
)

// Maintains reports whether a work is one of this kind of server.
func Maintains(work string) bool { return work == "analyze" || work == "vacuum" || work == "reindex" }

// Maintain looks after the tables of databases: analyze counts their values,
// vacuum frees what deleted rows take and counts as well, reindex builds their
// indexes anew, beside the old ones, while reading and writing go on.
//
// done is told of every table; calls do not overlap. A table that fails costs
// that table, and is in the error. When ctx ends, what the server is doing is
// stopped, and an index that was half built is dropped.
func Maintain(ctx context.Context, o Options, work []string, done func(sources.Maintained)) error {
	a, err := newAddress(o.URL, o.Password)
	if err != nil {
		return err
	}
	d := newDump(ctx, a, o)
	defer d.cancel()
	names, err := d.look()
	if err != nil {
		return err
	}
	lock := o.LockTimeout
	if lock <= 0 {
		lock = defaultLockTimeout
	}
	var failed []error
	for _, n := range names {
		k := keeper{address: a, database: n, lock: lock, done: done}
		if err := k.oneDatabase(ctx, work); err != nil {
			if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
				err = cause // it was over before the first table
			}
			failed = append(failed, fmt.Errorf("database %s: %w", n, err))
		}
		if ctx.Err() != nil {
			return errors.Join(failed...)
		}
	}
	return errors.Join(failed...)
}

// A keeper looks after one database.
type keeper struct {
	address  address
	database string
	lock     time.Duration
	done     func(sources.Maintained)
	conn     *pgx.Conn
}

func (k *keeper) oneDatabase(ctx context.Context, work []string) (err error) {
	if k.conn, err = k.connect(ctx); err != nil {
		return err
	}
	defer func() { hangUp(k.conn) }()
	tables, err := k.tables(ctx)
	if err != nil {
		return fmt.Errorf("list tables: %w", err)
	}
	var failed []error
	for _, w := range work {
		for _, t := range tables {
			if !t.takes(w) {
				continue
			}
			m := k.table(ctx, w, t)
			if ctx.Err() != nil {
				return errors.Join(append(failed, fmt.Errorf("%s %s: %w", w, m.Table, context.Cause(ctx)))...)
			}
			if m.Err != nil {
				failed = append(failed, fmt.Errorf("%s %s: %w", w, m.Table, m.Err))
			}
			k.done(m)
		}
	}
	return errors.Join(failed...)
}

// connect opens a connection on which no lock is waited for long.
func (k *keeper) connect(ctx context.Context) (*pgx.Conn, error) {
	conn, err := k.address.connect(ctx, k.database)
	if err != nil {
		return nil, err
	}
	if err := execute(ctx, conn, fmt.Sprintf("SET lock_timeout = %d", k.lock.Milliseconds())); err != nil {
		hangUp(conn)
		return nil, err
	}
	return conn, nil
}

// A kept table is one that may be looked after. A partitioned one has no rows
// of its own: it is only counted, and its parts come by themselves.
type kept struct {
	Place
	partitioned bool
	indexes     bool
	mine        bool // the server passes over tables of others with a mere warning
}

func (t kept) takes(work string) bool {
	switch work {
	case "analyze":
		return true
	case "vacuum":
		return !t.partitioned
	case "reindex":
		return !t.partitioned && t.indexes
	}
	return false
}

func (k *keeper) tables(ctx context.Context) ([]kept, error) {
	rows, err := k.conn.Query(ctx, `SELECT n.nspname, c.relname, c.relkind = 'p', c.relhasindex,
			pg_has_role(c.relowner, 'USAGE') OR EXISTS (SELECT FROM pg_database d WHERE d.datname = current_database() AND pg_has_role(d.datdba, 'USAGE'))
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
		ORDER BY 1, 2`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (t kept, err error) {
		err = row.Scan(&t.Schema, &t.Name, &t.partitioned, &t.indexes, &t.mine)
		return t, err
	})
}

// errOwner says that a table is another's.
var errOwner = errors.New("it belongs to another role, who alone may do that")

// table does one work on one table.
func (k *keeper) table(ctx context.Context, work string, t kept) sources.Maintained {
	began := time.Now()
	m := sources.Maintained{Work: work, Table: t.String()}
	switch {
	case !t.mine:
		m.Err = errOwner
	case work == "analyze":
		m.Err = execute(ctx, k.conn, "ANALYZE "+t.sql())
	case work == "vacuum":
		m.Err = execute(ctx, k.conn, "VACUUM (ANALYZE) "+t.sql())
	case work == "reindex":
		m.Err = k.reindex(ctx, t)
	}
	m.Took = time.Since(began)
	return m
}

// reindex builds a table's indexes anew. What it leaves half built when it fails
// would be kept up to date by every write, and be of use to nobody: it is
// dropped, or, while an old transaction is in the way, the next time.
func (k *keeper) reindex(ctx context.Context, t kept) error {
	err := dropInvalid(ctx, k.conn, t)
	if err == nil {
		err = execute(ctx, k.conn, "REINDEX TABLE CONCURRENTLY "+t.sql())
	}
	if err == nil {
		return nil
	}
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), dropTimeout)
	defer cancel()
	conn, gone := k.connect(after)
	if gone != nil {
		return errors.Join(err, gone)
	}
	defer hangUp(conn)
	if ctx.Err() != nil {
		process := k.conn.PgConn().PID()
		abort(k.conn)
		if gone := ended(after, conn, process); gone != nil {
			return errors.Join(err, gone)
		}
	}
	return errors.Join(err, dropInvalid(after, conn, t))
}

// dropTimeout bounds how long an index that was half built is tried to drop.
const dropTimeout = time.Minute

// dropInvalid drops what REINDEX CONCURRENTLY has left behind. One that is
// still at work holds a lock that a drop waits for; until it heeds that it was
// stopped it may have put the new index in the old one's place, which then is
// the one that is left, so it looks until nothing is.
func dropInvalid(ctx context.Context, conn *pgx.Conn, t kept) error {
	for {
		names, err := invalid(ctx, conn, t)
		if err != nil || len(names) == 0 {
			return err
		}
		for _, name := range names {
			if err := execute(ctx, conn, "DROP INDEX CONCURRENTLY IF EXISTS "+Place{t.Schema, Name(name)}.sql()); err != nil {
				return err
			}
		}
	}
}

// invalid are the indexes of a table that REINDEX CONCURRENTLY leaves behind:
// they are not valid, and have its endings.
func invalid(ctx context.Context, conn *pgx.Conn, t kept) ([]string, error) {
	rows, err := conn.Query(ctx, `SELECT ic.relname::text FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid
			JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE NOT i.indisvalid AND ic.relname ~ '_cc(new|old)\d*$' AND n.nspname = $1 AND c.relname = $2`, string(t.Schema), string(t.Name))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
