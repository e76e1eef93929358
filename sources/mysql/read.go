package mysql

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"

	"chartkeep/sources"
	"chartkeep/sources/entries"
)

// selection is the query for a table's rows.
func selection(d *Database, t *Table) string {
	columns := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		columns[i] = c.expression()
	}
	if len(columns) == 0 {
		columns = []string{"NULL"} // a table of generated columns only still has rows
	}
	q := "SELECT " + strings.Join(columns, ",") + " FROM " + quote(d.Name) + "." + quote(t.Name)
	if t.History {
		q += " FOR SYSTEM_TIME ALL"
	}
	if len(t.Key) == 0 {
		return q
	}
	keys := make([]string, len(t.Key))
	for i, k := range t.Key {
		keys[i] = quote(k)
	}
	return q + " ORDER BY " + strings.Join(keys, ",")
}

// expression is what is selected for a column. The server sends a FLOAT with six
// digits, and 16777216 would come back as 16777200; as a DOUBLE it is sent with
// all. A YEAR is text, since the driver makes 0 of 0000, which read again is
// 2000.
func (c Column) expression() string {
	switch c.Type {
	case "enum":
		if c.zero != "" {
			return "IF(" + quote(c.Name) + "+0=0,'" + c.zero + "'," + quote(c.Name) + ")"
		}
	case "float", "double":
		return quote(c.Name) + "+0e0"
	case "year":
		return "CONVERT(" + quote(c.Name) + ",CHAR)"
	}
	return quote(c.Name)
}

// escapes are the bytes that LOAD DATA does not take as they are.
var escapes = [256]byte{0: '0', '\t': 't', '\n': 'n', '\\': '\\'}

// appendRow appends a row as LOAD DATA reads it: values between tabs, \N for
// NULL, a newline at the end.
func appendRow(b []byte, values []sqldriver.Value) []byte {
	for i, v := range values {
		if i > 0 {
			b = append(b, '\t')
		}
		switch v := v.(type) {
		case nil:
			b = append(b, `\N`...)
		case []byte:
			b = appendEscaped(b, v)
		default:
			b = appendValue(b, v)
		}
	}
	return append(b, '\n')
}

func appendEscaped(b, v []byte) []byte {
	from := 0
	for i, c := range v {
		if e := escapes[c]; e != 0 {
			b = append(b, v[from:i]...)
			b = append(b, '\\', e)
			from = i + 1
		}
	}
	return append(b, v[from:]...)
}

// bufferSize is how much a table's reader makes at a time, bytes, unless a row
// is longer.
const bufferSize = 256 << 10

// A rowReader is a table's file while it is read.
type rowReader struct {
	ctx     context.Context
	reading *reading
	session *session
	giveUp  func(whole bool) // gives the session back

	rows   sqldriver.Rows
	values []sqldriver.Value
	buffer []byte
	ahead  []byte // what of buffer was not read yet
	digest sources.RowDigest
	bytes  int64
	end    error // what Read returned at last
	closed bool
}

// open begins to read a table with a session that holds the moment.
func (r *reading) open(ctx context.Context, s *session, giveUp func(bool)) (*rowReader, error) {
	rows, err := s.query(ctx, selection(r.database, r.table))
	if err != nil {
		giveUp(false)
		return nil, r.failed(err)
	}
	return &rowReader{ctx: ctx, reading: r, session: s, giveUp: giveUp, rows: rows, values: make([]sqldriver.Value, len(rows.Columns()))}, nil
}

func (r *rowReader) Read(p []byte) (int, error) {
	if len(r.ahead) == 0 && r.end == nil && len(p) > 0 {
		r.fill()
	}
	if len(r.ahead) == 0 {
		return 0, r.end
	}
	n := copy(p, r.ahead)
	r.ahead = r.ahead[n:]
	return n, nil
}

// fill makes the next rows.
func (r *rowReader) fill() {
	b := r.buffer[:0]
	for len(b) < bufferSize {
		if err := r.rows.Next(r.values); err != nil {
			r.finish(err)
			break
		}
		at := len(b)
		b = appendRow(b, r.values)
		r.digest.Add(b[at:])
	}
	r.bytes += int64(len(b))
	r.buffer, r.ahead = b, b
	if cap(b) > 64*bufferSize { // one huge row must not cost its size for all others
		r.buffer = nil
	}
}

// finish notes the end of the rows, good or bad.
func (r *rowReader) finish(err error) {
	if err == io.EOF {
		err = r.rows.Close()
	}
	if err == nil {
		r.end = io.EOF
		return
	}
	if cause := context.Cause(r.ctx); cause != nil {
		err = cause
	}
	r.end = r.reading.failed(explain(err))
}

// Meta returns the file's metadata with what was made so far.
func (r *rowReader) Meta() (sources.Meta, error) {
	m := entries.Meta()
	m.Size = r.bytes - int64(len(r.ahead))
	return m, nil
}

// Close gives the session back. One whose rows were not all read cannot be used
// again.
func (r *rowReader) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	whole := r.end == io.EOF && len(r.ahead) == 0
	if whole {
		r.reading.done(r.digest, r.bytes)
	} else {
		r.session.close()
		if r.end == nil || r.end == io.EOF {
			r.reading.failed(errors.New("it was not read to its end"))
		}
	}
	r.giveUp(whole)
	return nil
}

// A reading is what became of a table's rows.
type reading struct {
	database *Database
	table    *Table
	note     func(*reading, func()) // runs with the source's lock

	opened, whole bool
	err           error // the last
	count         sources.Count
}

// failed notes an error and returns it with the table's name.
func (r *reading) failed(err error) error {
	err = fmt.Errorf("table %s.%s: %w", r.database.Name, r.table.Name, err)
	r.note(r, func() { r.err, r.whole = err, false })
	return err
}

func (r *reading) done(d sources.RowDigest, bytes int64) {
	r.note(r, func() {
		r.whole, r.err = true, nil
		r.count = sources.Count{Rows: d.Rows(), Bytes: bytes, Digest: d.String()}
	})
}
