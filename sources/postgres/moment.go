package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// A moment is one database as it was at one time: a transaction that holds a
// lock on every table, and its exported snapshot.
type moment struct {
	Database
	definitions []byte
	sequences   []byte
	objects     []uint32 // large objects, in the order of their names

	readings   []*reading // of the tables, sorted by file
	objectList *reading
	seen       *seen // which large objects were read

	snapshot string
	position string
	at       time.Time
	locked   time.Time
	waited   time.Duration // for the locks

	mu   sync.Mutex // over conn
	conn *pgx.Conn
}

// errMoved says that tables came or went while they were being locked.
var errMoved = errors.New("tables came or went while they were being locked")

// How often a moment is begun anew: when tables come or go, when definitions
// change while pg_dump reads them, and when a statement that changes a table
// comes between the two.
const (
	lockTries  = 20
	dumpTries  = 3
	stuckTries = 60
)

// beginMoment takes a moment of a database, with its definitions.
func (d *dump) beginMoment(ctx context.Context, database string) (*moment, error) {
	conn, err := d.address.connect(ctx, database)
	if err != nil {
		return nil, err
	}
	m := &moment{conn: conn}
	failures, stuck := 0, 0
	for {
		err = d.tryMoment(ctx, m, database)
		if err == nil {
			return m, nil
		}
		var failed *ProgramError
		switch {
		case errors.Is(err, errStuck):
			stuck++
		case errors.As(err, &failed), hasCode(err, codeUndefinedTable):
			if failures++; failures < dumpTries {
				d.log(fmt.Sprintf("database %s: begun anew: %v", database, err))
			}
		default:
			failures = dumpTries
		}
		if ctx.Err() != nil || failures == dumpTries || stuck == stuckTries || again(ctx, conn) != nil {
			abort(conn)
			return nil, err
		}
	}
}

// again gives all locks back, and lets those who waited for them go first.
func again(ctx context.Context, conn *pgx.Conn) error {
	if err := execute(ctx, conn, "ROLLBACK"); err != nil {
		return err
	}
	select {
	case <-time.After(time.Duration(10+rand.IntN(90)) * time.Millisecond):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d *dump) tryMoment(ctx context.Context, m *moment, database string) (err error) {
	if err = d.lock(ctx, m); err != nil {
		return err
	}
	tables := m.Tables
	if m.Database, err = describe(ctx, m.conn, d.version); err != nil {
		return err
	}
	m.Tables = tables
	if m.objects, err = listObjects(ctx, m.conn); err != nil {
		return err
	}
	m.Objects = len(m.objects) > 0
	m.seen = &seen{done: make([]bool, len(m.objects))}
	if m.definitions, err = d.dumpDefinitions(ctx, m, database); err != nil {
		return err
	}
	if m.sequences, err = d.readSequences(ctx, m); err != nil {
		return err
	}
	m.plan()
	return nil
}

// plan lists what is to be read.
func (m *moment) plan() {
	m.readings = nil
	for i := range m.Tables {
		m.readings = append(m.readings, &reading{table: &m.Tables[i]})
	}
	m.objectList = &reading{}
}

// lock locks all tables and exports a snapshot in which they are the same.
//
// The locks come first: a table that is truncated or rewritten after a
// snapshot was taken and before the table is locked looks empty in it.
func (d *dump) lock(ctx context.Context, m *moment) error {
	for range lockTries {
		err := d.tryLock(ctx, m)
		if err == nil || !errors.Is(err, errMoved) {
			return err
		}
		if err := again(ctx, m.conn); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w, %d times", errMoved, lockTries)
}

func (d *dump) tryLock(ctx context.Context, m *moment) error {
	before, err := listTables(ctx, m.conn)
	if err != nil {
		return err
	}
	began := time.Now()
	err = execute(ctx, m.conn, fmt.Sprintf("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL lock_timeout = %d", d.lockTimeout/time.Millisecond))
	if err != nil {
		return err
	}
	m.locked = time.Now()
	if err := lockTables(ctx, m.conn, before); err != nil {
		return d.lockFailed(ctx, m.conn, before, err)
	}
	m.waited = time.Since(began)
	err = m.conn.QueryRow(ctx, `SELECT pg_export_snapshot(), now(),
		coalesce(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END::text, '')`).Scan(&m.snapshot, &m.at, &m.position)
	if err != nil {
		return fmt.Errorf("export a snapshot: %w", err)
	}
	now, err := listTables(ctx, m.conn)
	if err != nil {
		return err
	}
	if !slices.EqualFunc(before, now, func(a, b listed) bool { return a.oid == b.oid && a.place() == b.place() }) {
		return errMoved
	}
	m.Tables = withRows(now)
	return nil
}

// withRows returns the tables that hold rows, sorted by file.
func withRows(all []listed) []Table {
	var tables []Table
	for _, l := range all {
		if !l.partitioned {
			tables = append(tables, l.Table)
		}
	}
	slices.SortFunc(tables, func(a, b Table) int { return strings.Compare(a.File, b.File) })
	return tables
}

// lockTables locks tables against everything that changes their structure, or
// empties them at once. Reading and writing go on.
func lockTables(ctx context.Context, conn *pgx.Conn, tables []listed) error {
	for part := range slices.Chunk(tables, 500) {
		names := make([]string, len(part))
		for i := range part {
			names[i] = "ONLY " + part[i].place().sql()
		}
		if err := execute(ctx, conn, "LOCK TABLE "+strings.Join(names, ", ")+" IN ACCESS SHARE MODE"); err != nil {
			return err
		}
	}
	return nil
}

// end commits, which fails when the locks were lost on the way, and closes the
// connection. With judge it says what was not read.
func (m *moment) end(ctx context.Context, judge bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var errs []error
	if judge {
		errs = append(errs, m.missing())
	}
	if err := execute(ctx, m.conn, "COMMIT"); err != nil {
		errs = append(errs, fmt.Errorf("database %s: its moment did not last until all was read: %w", m.Name, err))
		abort(m.conn)
	}
	hangUp(m.conn)
	return errors.Join(errs...)
}

// missing says what was not read to its end.
func (m *moment) missing() error {
	var missing []string
	for _, r := range m.readings {
		if !r.complete() {
			missing = append(missing, r.table.place().String())
		}
	}
	if m.Objects && !m.objectList.complete() {
		missing = append(missing, objectsFile)
	}
	if n := m.seen.missing(); n > 0 {
		missing = append(missing, fmt.Sprintf("%d large objects", n))
	}
	if len(missing) == 0 {
		return nil
	}
	const shown = 5
	n := len(missing)
	if n > shown {
		missing = append(missing[:shown], fmt.Sprintf("and %d more", n-shown))
	}
	return fmt.Errorf("database %s: not read to the end: %s", m.Name, strings.Join(missing, ", "))
}
