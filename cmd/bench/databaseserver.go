package main

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	driver "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"

	"chartkeep/sources/mysql"
	"chartkeep/sources/postgres"
)

// A dbServer is a server that was started for the measurements, set up as one
// that has to keep what it was given.
type dbServer interface {
	pid() int
	url(database string) string
	socket() string
	connect(database string) (session, error) // empty: no certain one
	load(d dbData) error
	change(d dbData, c change) error
	drop(database string) error
	fingerprint(database string) (string, error)
	ask(query string) (string, error)
	stop() error
}

// dialect is what differs between the kinds.
type dialect struct {
	bytes   string // their type
	rewrite string // statement that writes a table anew
}

// sqlServer is what the kinds share.
type sqlServer struct {
	dialect
	dial func(database string) (session, error)
	copy func(table dbTable, d dbData, from, to int) error
}

// A session is one connection.
type session interface {
	do(statement string) error
	ask(query string) (string, error) // one value
	close()
}

func (s *sqlServer) connect(database string) (session, error) { return s.dial(database) }

// do runs statements in a database.
func (s *sqlServer) do(database string, statements ...string) error {
	c, err := s.dial(database)
	if err != nil {
		return err
	}
	defer c.close()
	for _, st := range statements {
		if err := c.do(st); err != nil {
			return fmt.Errorf("%s: %w", st, err)
		}
	}
	return nil
}

func (s *sqlServer) askIn(database, query string) (string, error) {
	c, err := s.dial(database)
	if err != nil {
		return "", err
	}
	defer c.close()
	return c.ask(query)
}

func (s *sqlServer) load(d dbData) error {
	if err := s.do("", "CREATE DATABASE "+practice); err != nil {
		return err
	}
	if err := s.do(practice, "CREATE TABLE seat (id int PRIMARY KEY, n int)"); err != nil {
		return err
	}
	for i := range seats {
		if err := s.do(practice, fmt.Sprintf("INSERT INTO seat VALUES (%d, 0)", i)); err != nil {
			return err
		}
	}
	for _, t := range dbTables {
		columns := strings.ReplaceAll(t.columns, "BYTES", s.bytes)
		if err := s.do(practice, "CREATE TABLE "+t.name+" (id int PRIMARY KEY, "+columns+")"); err != nil {
			return err
		}
		if err := s.copy(t, d, 0, d.count(t)); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		for _, column := range t.indexes {
			if err := s.do(practice, fmt.Sprintf("CREATE INDEX %s_%s ON %s (%s)", t.name, column, t.name, column)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *sqlServer) change(d dbData, c change) error {
	if c == anIndex {
		return s.do(practice, "CREATE INDEX procedurelog_code ON procedurelog (code)")
	}
	for _, t := range dbTables {
		switch c {
		case aDay:
			update := fmt.Sprintf("UPDATE %s SET %s WHERE (id %% 100003) * 7919 %% 1000 = 1", t.name, t.changed)
			if err := s.do(practice, update); err != nil {
				return err
			}
			if err := s.copy(t, d, d.count(t), d.count(t)+d.added(t)); err != nil {
				return err
			}
		case rewriting:
			if err := s.do(practice, s.rewrite+" "+t.name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *sqlServer) drop(database string) error { return s.do("", "DROP DATABASE IF EXISTS "+database) }

// fingerprint tells a database from one that came back with other rows.
func (s *sqlServer) fingerprint(database string) (string, error) {
	var all []string
	for _, t := range dbTables {
		v, err := s.askIn(database, fmt.Sprintf("SELECT concat('%s ', count(*), ' ', %s) FROM %s", t.name, t.measure, t.name))
		if err != nil {
			return "", err
		}
		all = append(all, v)
	}
	return strings.Join(all, ", "), nil
}

func (s *sqlServer) ask(query string) (string, error) { return s.askIn("", query) }

type postgresServer struct {
	*sqlServer
	*postgres.Server
}

func (s postgresServer) pid() int                   { return s.PID }
func (s postgresServer) url(database string) string { return s.URL(database) }
func (s postgresServer) socket() string             { return s.Dir }
func (s postgresServer) stop() error                { return s.Stop() }

func startPostgres(work string) (dbServer, error) {
	s, err := postgres.Scratch(context.Background(), postgres.ScratchOptions{Dir: work, Settings: []string{
		"fsync=on", "full_page_writes=on", "synchronous_commit=on", "autovacuum=on", "shared_buffers=256MB", "wal_level=replica",
	}})
	if err != nil {
		return nil, err
	}
	dial := func(database string) (session, error) {
		conn, err := pgx.Connect(context.Background(), s.URL(cmp.Or(database, "postgres")))
		return postgresSession{conn}, err
	}
	return postgresServer{&sqlServer{
		dialect: dialect{bytes: "bytea", rewrite: "VACUUM FULL"}, dial: dial,
		copy: func(t dbTable, d dbData, from, to int) error {
			conn, err := pgx.Connect(context.Background(), s.URL(practice))
			if err != nil {
				return err
			}
			defer conn.Close(context.Background())
			_, err = conn.PgConn().CopyFrom(context.Background(), d.stream(t, from, to, `\\x`), "COPY "+t.name+" FROM STDIN")
			return err
		},
	}, s}, nil
}

type postgresSession struct{ *pgx.Conn }

func (s postgresSession) do(statement string) error {
	_, err := s.Exec(context.Background(), statement)
	return err
}

func (s postgresSession) ask(query string) (v string, err error) {
	return v, s.QueryRow(context.Background(), query).Scan(&v)
}

func (s postgresSession) close() { _ = s.Close(context.Background()) }

type mariadbSession struct{ *sql.DB }

func (s mariadbSession) do(statement string) error {
	_, err := s.Exec(statement)
	return err
}

func (s mariadbSession) ask(query string) (v string, err error) { return v, s.QueryRow(query).Scan(&v) }

func (s mariadbSession) close() { _ = s.Close() }

type mariadbServer struct {
	*sqlServer
	*mysql.Server
}

func (s mariadbServer) pid() int                   { return s.PID }
func (s mariadbServer) url(database string) string { return s.URL(database) }
func (s mariadbServer) socket() string             { return s.Socket() }
func (s mariadbServer) stop() error                { return s.Stop() }

func startMariaDB(work string) (dbServer, error) {
	s, err := mysql.Scratch(context.Background(), mysql.ScratchOptions{Dir: work, Settings: []string{
		"innodb-flush-log-at-trx-commit=1", "innodb-doublewrite=1", "log-bin=log", "server-id=1", "binlog-format=ROW", "innodb-buffer-pool-size=256M",
	}})
	if err != nil {
		return nil, err
	}
	dial := func(database string) (session, error) {
		db, err := sql.Open("mysql", "root@unix("+s.Socket()+")/"+database)
		return mariadbSession{db}, err
	}
	q := &sqlServer{dialect: dialect{bytes: "longblob", rewrite: "OPTIMIZE TABLE"}, dial: dial}
	q.copy = func(t dbTable, d dbData, from, to int) error {
		driver.RegisterReaderHandler("rows", func() io.Reader { return d.stream(t, from, to, "") })
		return q.do(practice, "LOAD DATA LOCAL INFILE 'Reader::rows' INTO TABLE "+t.name+t.target())
	}
	return mariadbServer{q, s}, nil
}

// target is the end of LOAD DATA: digits become bytes.
func (t dbTable) target() string {
	if t.bytes == "" {
		return ""
	}
	names := []string{"id"}
	for _, c := range strings.Split(t.columns, ", ") {
		names = append(names, strings.Fields(c)[0])
	}
	names[len(names)-1] = "@digits"
	return " (" + strings.Join(names, ", ") + ") SET " + t.bytes + " = UNHEX(@digits)"
}

// ticks is how many units of processor time the system counts in a second.
const ticks = 100

// processorTime is what a process and its children have taken, seconds, ended
// ones included; 0 where the system does not tell.
func processorTime(pid int) (seconds float64) {
	all, _ := filepath.Glob("/proc/[0-9]*/stat") // the only error is a bad pattern
	for _, path := range all {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		_, after, _ := strings.Cut(string(b), ") ") // the name before may hold anything
		v := strings.Fields(after)
		if len(v) < 15 || v[1] != strconv.Itoa(pid) && filepath.Dir(path) != fmt.Sprintf("/proc/%d", pid) {
			continue
		}
		for _, i := range []int{11, 12, 13, 14} { // user and system time, and the same of children that ended
			n, _ := strconv.Atoi(v[i])
			seconds += float64(n) / ticks
		}
	}
	return seconds
}
