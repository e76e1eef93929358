package mysql

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// A session is one connection. It is the driver's own, without the pool and the
// conversions of database/sql: locks and snapshots belong to a connection, and
// values are wanted as they come. It is not safe for concurrent use.
type session struct {
	conn  sqldriver.Conn
	ended bool
}

// dialect is what the driver's connections can do.
type dialect interface {
	sqldriver.QueryerContext
	sqldriver.ExecerContext
}

// connect opens a session with settings; those that the server does not know or
// does not let this user change are left out.
func (l login) connect(ctx context.Context, settings []string) (*session, error) {
	connector, err := l.connector()
	if err != nil {
		return nil, err
	}
	conn, err := connector.Connect(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect to the MySQL server at %s: %w", l.where(), explain(err))
	}
	s := &session{conn: conn}
	for _, set := range settings {
		if err := s.exec(ctx, set); err != nil && !errorIs(err, unknownVariable, needsPrivilege) {
			s.close()
			return nil, fmt.Errorf("set up the connection to the MySQL server: %s: %w", set, err)
		}
	}
	return s, nil
}

// meet asks the server who it is.
func (s *session) meet(ctx context.Context) (server, error) {
	v, err := s.row(ctx, "SELECT VERSION()")
	if err != nil {
		return server{}, fmt.Errorf("ask the server's version: %w", err)
	}
	return parseVersion(v[0])
}

// exec runs a statement.
func (s *session) exec(ctx context.Context, statement string) error {
	_, err := s.affect(ctx, statement)
	return err
}

// affect runs a statement and returns how many rows it made or changed.
func (s *session) affect(ctx context.Context, statement string) (int64, error) {
	r, err := s.conn.(dialect).ExecContext(ctx, statement, nil)
	if err != nil {
		return 0, explain(err)
	}
	return r.RowsAffected()
}

// query runs a query. The caller reads all rows, or closes the session.
func (s *session) query(ctx context.Context, query string) (sqldriver.Rows, error) {
	rows, err := s.conn.(dialect).QueryContext(ctx, query, nil)
	return rows, explain(err)
}

// each calls do with every row of a query's result as text; NULL is empty. An
// error of do ends the session's use.
func (s *session) each(ctx context.Context, query string, do func(v []string) error) error {
	rows, err := s.query(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	values := make([]sqldriver.Value, len(rows.Columns()))
	texts := make([]string, len(values))
	for {
		err := rows.Next(values)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return explain(err)
		}
		for i, v := range values {
			texts[i] = string(appendValue(nil, v))
		}
		if err := do(texts); err != nil {
			return err
		}
	}
}

// row returns a query's first row.
func (s *session) row(ctx context.Context, query string) ([]string, error) {
	var first []string
	err := s.each(ctx, query, func(v []string) error {
		if first == nil {
			first = append(first, v...)
		}
		return nil
	})
	if err == nil && first == nil {
		err = errNoRow
	}
	return first, err
}

// errNoRow says that a query had no result.
var errNoRow = errors.New("the server has no answer")

// close ends the session and with it all that it holds. It may be called again.
func (s *session) close() {
	if s != nil && !s.ended {
		s.ended = true
		_ = s.conn.Close() // whatever it says, nothing more is expected of it
	}
}

// appendValue appends what the driver made of a value, in the notation of the
// server. The driver has parsed numbers; none of them loses a digit.
func appendValue(b []byte, v sqldriver.Value) []byte {
	switch v := v.(type) {
	case []byte:
		return append(b, v...)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case uint64:
		return strconv.AppendUint(b, v, 10)
	case float64:
		return strconv.AppendFloat(b, v, 'g', -1, 64)
	case float32:
		return strconv.AppendFloat(b, float64(v), 'g', -1, 32)
	case string:
		return append(b, v...)
	}
	return b
}
