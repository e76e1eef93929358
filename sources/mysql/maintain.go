package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"chartkeep/sources"
)

// maintenance are the statements for the works that there are; LOCAL keeps them
// out of the binary log, since every server looks after itself.
var maintenance = map[string]string{"analyze": "ANALYZE LOCAL TABLE ", "optimize": "OPTIMIZE LOCAL TABLE "}

// Maintains reports whether a work is one of this kind of server.
func Maintains(work string) bool { return maintenance[work] != "" }

// Maintain looks after the tables of databases: analyze counts the values of
// their indexes, optimize writes each table anew, without the room that deleted
// rows leave. OPTIMIZE TABLE keeps writers of a MyISAM table out while it works,
// and needs the room of an InnoDB table once more.
//
// done is told of every table; calls do not overlap. A table that fails costs
// that table, and is in the error. When ctx ends, what the server is doing is
// stopped.
func Maintain(ctx context.Context, o Options, work []string, done func(sources.Maintained)) error {
	l, err := parseURL(o.URL, o.Password)
	if err != nil {
		return err
	}
	names, err := o.names(l)
	if err != nil {
		return err
	}
	if o.LockTimeout <= 0 {
		o.LockTimeout = defaultLockTimeout
	}
	c, err := l.connect(ctx, commonSession(o.LockTimeout))
	if err != nil {
		return err
	}
	defer c.close()
	defer c.stopWith(ctx, l)()
	tables, err := maintained(ctx, c, names)
	if err != nil {
		return fmt.Errorf("list the tables: %w", err)
	}
	var failed []error
	for _, w := range work {
		if !Maintains(w) {
			continue
		}
		for _, t := range tables {
			m := c.maintain(ctx, w, t)
			if ctx.Err() != nil {
				return errors.Join(append(failed, fmt.Errorf("%s %s: %w", w, m.Table, context.Cause(ctx)))...)
			}
			if m.Err != nil {
				failed = append(failed, fmt.Errorf("%s %s: %w", w, m.Table, m.Err))
			}
			done(m)
		}
	}
	return errors.Join(failed...)
}

// maintained are the tables that have rows of their own.
func maintained(ctx context.Context, c *session, names []string) (tables [][2]string, err error) {
	in := "LOWER(TABLE_SCHEMA) NOT IN (" + texts(own) + ")"
	if names != nil {
		in = "TABLE_SCHEMA IN (" + texts(names) + ")"
	}
	query := "SELECT TABLE_SCHEMA, TABLE_NAME, IFNULL(ENGINE,'') FROM information_schema.TABLES WHERE TABLE_TYPE IN ('BASE TABLE','SYSTEM VERSIONED') AND " +
		in + " ORDER BY TABLE_SCHEMA, TABLE_NAME"
	err = c.each(ctx, query, func(v []string) error {
		if v[2] != "" && !elsewhere(v[2]) {
			tables = append(tables, [2]string{v[0], v[1]})
		}
		return nil
	})
	return tables, err
}

// maintain does one work on one table. The server answers with rows: table,
// operation, kind of message, message.
func (c *session) maintain(ctx context.Context, work string, table [2]string) sources.Maintained {
	began := time.Now()
	m := sources.Maintained{Work: work, Table: table[0] + "." + table[1]}
	var said []string
	err := c.each(ctx, maintenance[work]+quote(table[0])+"."+quote(table[1]), func(v []string) error {
		switch {
		case len(v) < 4:
		case strings.EqualFold(v[2], "error"):
			m.Err = errors.New(v[3])
		case v[3] != "OK" && !slices.Contains(said, v[3]):
			said = append(said, v[3])
		}
		return nil
	})
	if err != nil {
		m.Err = err
	}
	m.Words, m.Took = strings.Join(said, "; "), time.Since(began)
	return m
}

// stopTimeout bounds how long a server is asked to stop a statement.
const stopTimeout = 5 * time.Second

// stopWith ends the session at the server when ctx ends: a server does not
// notice by itself that nobody waits for a long statement. The caller calls what
// it returns before the session is closed.
func (c *session) stopWith(ctx context.Context, l login) func() {
	id, err := c.row(ctx, "SELECT CONNECTION_ID()")
	if err != nil {
		return func() {}
	}
	finished := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(finished)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		other, err := l.connect(ctx, nil)
		if err != nil {
			return
		}
		defer other.close()
		_ = other.exec(ctx, "KILL CONNECTION "+id[0]) // it may have ended
	})
	return func() {
		if !stop() {
			<-finished
		}
	}
}
