package mysql

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"chartkeep/sources"
)

// loadingSession are the settings of a session that writes rows: bytes are taken
// as they are, zero and impossible dates as well, and nothing is checked that
// held when the rows were saved.
func loadingSession() []string {
	return append(commonSession(restoreLock),
		"SET NAMES binary",
		"SET SESSION sql_mode='NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'",
		"SET SESSION foreign_key_checks=0",
		"SET SESSION unique_checks=0",
		"SET SESSION check_constraint_checks=0",
		"SET SESSION system_versioning_insert_history=1",
		"SET SESSION sql_require_primary_key=0",
		"SET SESSION max_error_count=65535",
	)
}

// restoreLock is how long a restore waits for a lock.
const restoreLock = time.Minute

// loader names the readers of this process for the driver.
var loader atomic.Uint64

// A load is the writing of one table's rows.
type load struct {
	session *session
	server  server
	into    string // the database's name
	table   *Table
	rows    *lineCounter
	packet  int // the server reads a statement that is shorter than this, bytes
}

// errRows says that what the server took is not what it was given.
var errRows = errors.New("the server did not take the rows as they are")

// run writes the rows, by LOAD DATA or by INSERT.
func (l *load) run(ctx context.Context, inserts bool) error {
	var affected int64
	var err error
	if inserts {
		affected, err = l.insert(ctx)
	} else {
		affected, err = l.infile(ctx)
	}
	if err == nil && affected != l.rows.lines {
		err = fmt.Errorf("%w: it has %d of %d", errRows, affected, l.rows.lines)
	}
	return err
}

func (l *load) name() string { return quote(l.into) + "." + quote(l.table.Name) }

// target is the list of columns, and how values are converted.
func (l *load) target() (columns, set string) {
	var list, sets []string
	for i, c := range l.table.Columns {
		if l.asText(c) {
			list = append(list, fmt.Sprintf("@v%d", i))
			sets = append(sets, fmt.Sprintf("%s=CONVERT(@v%d USING utf8mb4)", quote(c.Name), i))
			continue
		}
		list = append(list, quote(c.Name))
	}
	if len(list) == 0 {
		return "(@nothing)", "" // each line is a row of generated columns
	}
	if len(sets) > 0 {
		set = " SET " + strings.Join(sets, ",")
	}
	return "(" + strings.Join(list, ",") + ")", set
}

// asText reports whether a value has to be given as text: these types take bytes
// without a character set for their internal form, or not at all.
func (l *load) asText(c Column) bool {
	switch c.Type {
	case "inet4", "inet6", "uuid":
		return true
	case "json":
		return !l.server.maria // MariaDB's is a LONGTEXT
	}
	return false
}

// infile streams the rows to the server, so many at a time that it keeps little
// of a transaction beside the table: what goes into its binary log waits in its
// folder for temporary files.
func (l *load) infile(ctx context.Context) (total int64, err error) {
	handler := "chartkeep-" + strconv.FormatUint(loader.Add(1), 10)
	in := bufio.NewReaderSize(l.rows, bufferSize)
	driver.RegisterReaderHandler(handler, func() io.Reader { return &someLines{in: in, left: loadAtOnce} })
	defer driver.DeregisterReaderHandler(handler)
	columns, set := l.target()
	statement := "LOAD DATA LOCAL INFILE 'Reader::" + handler + "' INTO TABLE " + l.name() +
		` CHARACTER SET binary FIELDS TERMINATED BY '\t' ESCAPED BY '\\' LINES TERMINATED BY '\n' ` + columns + set
	for {
		if _, err := in.Peek(1); err == io.EOF {
			return total, nil
		} else if err != nil {
			return total, err
		}
		affected, err := l.session.affect(ctx, statement)
		if l.rows.err != nil { // the driver ends the statement in order when its reader fails
			return total, l.rows.err
		}
		if err == nil {
			err = l.warnings(ctx)
		}
		if err != nil {
			return total, err
		}
		total += affected
	}
}

// loadAtOnce is how long the rows of one LOAD DATA are, bytes, and the rest of a line.
var loadAtOnce = 32 << 20

// someLines reads whole lines, at least as many bytes as are left.
type someLines struct {
	in   *bufio.Reader
	left int
	last byte // that was read
}

func (s *someLines) Read(p []byte) (int, error) {
	if s.left <= 0 && s.last == '\n' {
		return 0, io.EOF
	}
	if _, err := s.in.Peek(1); err != nil || len(p) == 0 {
		return 0, err
	}
	ready, _ := s.in.Peek(min(s.in.Buffered(), len(p)))
	if len(ready) > s.left {
		rest := ready[max(s.left-1, 0):] // with the last byte that fits, which may end a line
		if end := bytes.IndexByte(rest, '\n'); end >= 0 {
			ready = ready[:len(ready)-len(rest)+end+1]
		}
	}
	n := copy(p, ready)
	s.left, s.last = s.left-n, p[n-1]
	return s.in.Discard(n)
}

// batch is how long an INSERT of several rows gets, bytes, and the last row.
const batch = 1 << 20

// insert writes the rows where the server does not allow LOAD DATA LOCAL. The
// escapes of the file are those of a string in SQL.
func (l *load) insert(ctx context.Context) (total int64, err error) {
	in := bufio.NewReaderSize(l.rows, bufferSize)
	begin := "INSERT INTO " + l.name() + " " + l.insertColumns() + " VALUES "
	var b, row bytes.Buffer
	for {
		line, err := in.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return total, err
		}
		row.Reset()
		if len(line) > 0 {
			l.appendTuple(&row, bytes.TrimSuffix(line, []byte("\n")))
		}
		if b.Len() > 0 && (len(line) == 0 || b.Len() > batch || b.Len()+row.Len()+1 >= l.packet) {
			n, err := l.send(ctx, b.String())
			if total += n; err != nil {
				return total, err
			}
			b.Reset()
		}
		if len(line) == 0 {
			return total, nil
		}
		if b.Len() == 0 {
			b.WriteString(begin)
		} else {
			b.WriteByte(',')
		}
		b.Write(row.Bytes())
	}
}

// send has the server take rows, if it reads as much at once.
func (l *load) send(ctx context.Context, statement string) (int64, error) {
	if len(statement) >= l.packet {
		return 0, fmt.Errorf("a row is %d bytes long as an INSERT, and the server reads %d: while this is restored it needs local_infile=1, or a longer max_allowed_packet", len(statement), l.packet)
	}
	n, err := l.session.affect(ctx, statement)
	if err == nil {
		err = l.warnings(ctx)
	}
	return n, err
}

func (l *load) insertColumns() string {
	names := make([]string, len(l.table.Columns))
	for i, c := range l.table.Columns {
		names[i] = quote(c.Name)
	}
	return "(" + strings.Join(names, ",") + ")"
}

// appendTuple appends a line of the file as a tuple of VALUES.
func (l *load) appendTuple(b *bytes.Buffer, line []byte) {
	b.WriteByte('(')
	for i, c := range l.table.Columns {
		field, rest, _ := bytes.Cut(line, []byte("\t"))
		line = rest
		if i > 0 {
			b.WriteByte(',')
		}
		if string(field) == `\N` {
			b.WriteString("NULL")
			continue
		}
		value := "_binary'" + strings.ReplaceAll(string(field), "'", "''") + "'"
		if l.asText(c) {
			value = "CONVERT(" + value + " USING utf8mb4)"
		}
		b.WriteString(value)
	}
	b.WriteByte(')')
}

// Warnings that mean nothing here.
const (
	// truncated is about a value that a column cannot have. An ENUM or a SET has
	// one all the same: the empty value that stands for an error.
	truncated = 1265
	// mixedEngines is what MySQL says of a session that wrote to a table of each.
	mixedEngines = 6414
)

// warnings fails if the server changed a value. LOAD DATA LOCAL and a lenient
// sql_mode make errors warnings.
func (l *load) warnings(ctx context.Context) error {
	var bad []string
	// Asking first how many there are would make MySQL forget them.
	err := l.session.each(ctx, "SHOW WARNINGS", func(v []string) error {
		if v[0] != "Note" && !l.expected(v[1], v[2]) && len(bad) < 3 {
			bad = append(bad, v[2])
		}
		return nil
	})
	if err == nil && len(bad) > 0 {
		err = fmt.Errorf("%w: %s", errRows, strings.Join(bad, "; "))
	}
	return err
}

// expected reports whether a warning means no value that was changed.
func (l *load) expected(code, message string) bool {
	if code == strconv.Itoa(mixedEngines) {
		return true
	}
	if code != strconv.Itoa(truncated) {
		return false
	}
	for _, c := range l.table.Columns {
		if (c.Type == "enum" || c.Type == "set") && strings.Contains(message, "'"+c.Name+"'") {
			return true
		}
	}
	return false
}

// A lineCounter counts the rows that are read through it.
type lineCounter struct {
	r        io.Reader
	progress func(n int)
	lines    int64
	bytes    int64
	digest   sources.RowDigest
	part     []byte // the beginning of a line whose end was not read yet
	err      error
}

func (c *lineCounter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.bytes += int64(n)
	for rest := p[:n]; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n') + 1
		if end == 0 {
			c.part = append(c.part, rest...)
			break
		}
		line := rest[:end]
		if len(c.part) > 0 {
			line = append(c.part, line...)
			c.part = line[:0]
		}
		c.digest.Add(line)
		c.lines++
		rest = rest[end:]
	}
	if c.progress != nil {
		c.progress(n)
	}
	if err == io.EOF && len(c.part) > 0 {
		err = fmt.Errorf("%w: the last row has no end", ErrDiffers)
	}
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}

func (c *lineCounter) count() sources.Count {
	return sources.Count{Rows: c.lines, Bytes: c.bytes, Digest: c.digest.String()}
}
