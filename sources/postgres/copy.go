package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"chartkeep/sources"
	"chartkeep/sources/entries"
)

// query is the statement that reads a table's rows, in the bytes of the
// database's encoding: conversion could fail, or lose.
func (t *Table) query(encoding string) string {
	order := ""
	if len(t.Key) > 0 {
		order = " ORDER BY " + quoteAll(t.Key)
	}
	return fmt.Sprintf("COPY (SELECT %s FROM ONLY %s %s%s) TO STDOUT (ENCODING %s)",
		quoteAll(t.columnNames()), t.place().sql(), t.condition, order, literal(encoding))
}

// A copyFile is the output of a COPY, read as it comes: one message is one row.
type copyFile struct {
	dump   *dump
	moment *moment
	what   *reading

	worker *worker // nil: the moment's own connection is used
	conn   *pgx.Conn
	watch  func() bool

	buf   []byte
	ahead []byte // what of buf was not read
	count Count
	end   error // what Read returned at last
}

// openCopy starts a COPY.
func (d *dump) openCopy(m *moment, what *reading, sql string) (sources.File, error) {
	f := &copyFile{dump: d, moment: m, what: what}
	err := f.connect()
	if err == nil {
		front := f.conn.PgConn().Frontend()
		front.SendQuery(&pgproto3.Query{String: sql})
		if err = front.Flush(); err != nil {
			f.lose()
		}
	}
	if err != nil {
		return nil, f.explain(err)
	}
	return f, nil
}

// connect finds a connection that can read the table without waiting.
//
// A statement that wants to change the table's structure waits for the moment's
// lock, and whoever asks for a lock after it waits for that statement: a worker
// would wait for the moment, which waits for the worker. The server does not see
// such a deadlock. So workers do not wait; the moment's own connection has its
// lock already and reads the table in their place.
func (f *copyFile) connect() error {
	ctx := f.dump.ctx
	w, err := f.dump.pool.take(ctx, f.moment)
	if err != nil {
		return err
	}
	if f.what.table != nil {
		err = execute(ctx, w.conn, "LOCK TABLE ONLY "+f.what.table.place().sql()+" IN ACCESS SHARE MODE NOWAIT")
	}
	if err == nil {
		f.worker, f.conn = w, w.conn
		f.guard()
		return nil
	}
	if !hasCode(err, codeLockNotAvailable) {
		f.dump.pool.drop(w)
		return err
	}
	if err := w.leave(ctx); err != nil {
		f.dump.pool.drop(w)
		return err
	}
	f.dump.pool.give(w)
	f.dump.log(fmt.Sprintf("table %s: somebody waits to change it until it has been read", f.what.table.place()))
	f.moment.mu.Lock()
	f.conn = f.moment.conn
	f.guard()
	return nil
}

// guard makes reads end when the dump does.
func (f *copyFile) guard() {
	conn := f.conn.PgConn().Conn()
	f.watch = context.AfterFunc(f.dump.ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
}

// readAhead is how much is gathered before it is handed on, bytes.
const readAhead = 64 << 10

func (f *copyFile) Read(p []byte) (int, error) {
	for len(f.ahead) == 0 {
		if f.end != nil {
			return 0, f.end
		}
		f.end = f.fill()
		f.ahead = f.buf
	}
	n := copy(p, f.ahead)
	f.ahead = f.ahead[n:]
	return n, nil
}

// fill gathers rows. At the end it returns io.EOF or what went wrong.
func (f *copyFile) fill() error {
	f.buf = f.buf[:0]
	for len(f.buf) < readAhead {
		message, err := f.conn.PgConn().Frontend().Receive()
		if err != nil {
			f.lose()
			return f.explain(err)
		}
		switch m := message.(type) {
		case *pgproto3.CopyData:
			f.buf = append(f.buf, m.Data...)
			f.count.add(m.Data)
		case *pgproto3.ErrorResponse:
			failure := pgconn.ErrorResponseToPgError(m)
			f.lose()
			return f.explain(failure)
		case *pgproto3.ReadyForQuery:
			return f.finish()
		}
	}
	return nil
}

// finish checks what was read and lets the connection go.
func (f *copyFile) finish() error {
	if !f.watch() {
		f.lose()
		return f.explain(f.dump.ctx.Err())
	}
	err := f.verify()
	if err == nil && f.worker != nil {
		err = f.worker.leave(f.dump.ctx)
	}
	if err != nil {
		f.lose()
		return f.explain(err)
	}
	f.release()
	f.what.finish(f.count)
	return io.EOF
}

// ErrIndex says that an index does not have all of a table's rows.
var ErrIndex = errors.New("an index does not have every row; rebuild the table's indexes (REINDEX TABLE)")

// verify counts the rows once more without an index, if one gave their order:
// an index that has lost rows, as after a change of the system's collations,
// would make them go from the backup in silence.
func (f *copyFile) verify() error {
	t := f.what.table
	if t == nil || len(t.Key) == 0 {
		return nil
	}
	ctx := f.dump.ctx
	const plain = "SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_bitmapscan = off"
	if err := execute(ctx, f.conn, plain); err != nil {
		return err
	}
	var rows int64
	err := f.conn.QueryRow(ctx, fmt.Sprintf("SELECT count(*) FROM ONLY %s %s", t.place().sql(), t.condition)).Scan(&rows)
	if err == nil && rows != f.count.Rows {
		err = fmt.Errorf("%w: %d rows are in the table and %d in the order of %s", ErrIndex, rows, f.count.Rows, quoteAll(t.Key))
	}
	if err == nil && f.worker == nil {
		err = execute(ctx, f.conn, "SET LOCAL enable_indexscan = on; SET LOCAL enable_indexonlyscan = on; SET LOCAL enable_bitmapscan = on")
	}
	return err
}

// release gives the connection back as it is.
func (f *copyFile) release() {
	if f.worker != nil {
		f.dump.pool.give(f.worker)
	} else {
		f.moment.mu.Unlock()
	}
	f.conn = nil
}

// lose ends a connection that is not to be used again.
func (f *copyFile) lose() {
	f.watch()
	if f.worker != nil {
		f.dump.pool.drop(f.worker)
	} else {
		abort(f.conn)
		f.moment.mu.Unlock()
	}
	f.conn = nil
}

func (f *copyFile) explain(err error) error {
	if f.dump.ctx.Err() != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		err = context.Cause(f.dump.ctx)
	}
	// In the middle of a COPY a server mostly says nothing else.
	if errors.Is(err, io.ErrUnexpectedEOF) || hasCode(err, codeAdminShutdown, codeCrashShutdown) {
		err = fmt.Errorf("the connection to the server broke: %w", err)
	}
	if f.what.table == nil {
		return fmt.Errorf("database %s: %w", f.moment.Name, err)
	}
	return fmt.Errorf("database %s, table %s: %w", f.moment.Name, f.what.table.place(), err)
}

// Meta returns the metadata with the number of bytes read so far.
func (f *copyFile) Meta() (sources.Meta, error) {
	m := entries.Meta()
	m.Size = f.count.Bytes - int64(len(f.ahead))
	return m, nil
}

// Close ends a COPY that was not read to its end.
func (f *copyFile) Close() error {
	if f.conn != nil {
		f.end, f.ahead = os.ErrClosed, nil
		f.lose()
	}
	return nil
}
