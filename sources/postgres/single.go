package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// inside runs fn in one transaction of the target, which has to exist.
func (r *restore) inside(ctx context.Context, fn func(*pgx.Conn) error) error {
	if !r.found.Exists {
		return fmt.Errorf("%w on the server", ErrNoDatabase)
	}
	conn, err := r.address.connect(ctx, r.target)
	if err != nil {
		return err
	}
	defer hangUp(conn)
	if err := execute(ctx, conn, "BEGIN"); err != nil {
		return err
	}
	if err := fn(conn); err != nil {
		return err // the connection's end takes all back
	}
	return execute(ctx, conn, "COMMIT")
}

// tables restores single tables into a schema of their own, with their columns
// and keys and nothing that refers to anything else.
func (r *restore) tables(ctx context.Context) error {
	chosen, err := r.chosen()
	if err != nil {
		return err
	}
	return r.inside(ctx, func(conn *pgx.Conn) error {
		if err := execute(ctx, conn, "CREATE SCHEMA IF NOT EXISTS "+quote(r.Schema)); err != nil {
			return err
		}
		names := map[Name]int{}
		for _, t := range chosen {
			names[t.Name]++
		}
		for _, t := range chosen {
			name := t.Name
			if names[name] > 1 {
				name = Name(t.place().String())
			}
			if err := r.loadApart(ctx, conn, t, Place{Name(r.Schema), name}); err != nil {
				return fmt.Errorf("table %s: %w", t.place(), err)
			}
		}
		return nil
	})
}

// chosen returns the tables that were asked for.
func (r *restore) chosen() (all []*Table, err error) {
	for _, want := range r.Tables {
		found := false
		for i := range r.server.Tables {
			t := &r.server.Tables[i]
			if string(t.Name) == want || t.place().String() == want || t.Root != nil && t.Root.String() == want {
				found = true
				all = append(all, t)
			}
		}
		if !found {
			return nil, fmt.Errorf("table %s was not saved", want)
		}
	}
	return all, nil
}

func (r *restore) loadApart(ctx context.Context, conn *pgx.Conn, t *Table, at Place) error {
	exists := false
	err := conn.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", at.sql()).Scan(&exists)
	if err != nil {
		return err
	}
	if exists && !r.Overwrite {
		return fmt.Errorf("%w: %s", ErrNotEmpty, at)
	}
	if err := execute(ctx, conn, "DROP TABLE IF EXISTS "+at.sql()+"; "+createLike(t, at)); err != nil {
		return err
	}
	if err := r.copyIn(ctx, conn, t, at.sql(), "FREEZE, "); err != nil {
		return err
	}
	if len(t.Key) == 0 {
		return nil
	}
	return execute(ctx, conn, "ALTER TABLE "+at.sql()+" ADD PRIMARY KEY ("+quoteAll(t.Key)+")")
}

// createLike makes a table with a saved one's columns.
func createLike(t *Table, at Place) string {
	columns := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		columns[i] = quote(string(c.Name)) + " " + string(c.Type)
		if c.NotNull {
			columns[i] += " NOT NULL"
		}
	}
	return "CREATE TABLE " + at.sql() + " (" + strings.Join(columns, ", ") + ")"
}

// dataOnly fills the tables of an existing database, all or none. Triggers,
// rules and foreign keys do not act meanwhile: the rows fit each other.
func (r *restore) dataOnly(ctx context.Context) error {
	return r.inside(ctx, func(conn *pgx.Conn) error {
		if err := execute(ctx, conn, "SET LOCAL session_replication_role = replica"); err != nil {
			return fmt.Errorf("rows alone need a superuser, who can hold triggers back: %w", err)
		}
		if err := r.clear(ctx, conn); err != nil {
			return err
		}
		if r.server.Objects {
			r.Log("large objects come back only with the whole database")
		}
		for i := range r.server.Tables {
			t := &r.server.Tables[i]
			if t.Config {
				continue // the extension's own rows are there too
			}
			into := t.place()
			if t.Root != nil {
				into = *t.Root
			}
			if err := r.copyIn(ctx, conn, t, into.sql(), ""); err != nil {
				return fmt.Errorf("table %s: %w", t.place(), err)
			}
		}
		return r.setSequences(ctx, conn)
	})
}

// clear makes sure that the tables are empty.
func (r *restore) clear(ctx context.Context, conn *pgx.Conn) error {
	var names []string
	for i := range r.server.Tables {
		t := &r.server.Tables[i]
		if t.Config {
			continue
		}
		names = append(names, "ONLY "+t.place().sql())
		if r.Overwrite {
			continue
		}
		full := false
		if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM ONLY "+t.place().sql()+")").Scan(&full); err != nil {
			return err
		}
		if full {
			return fmt.Errorf("%w, with rows: %s", ErrNotEmpty, t.place())
		}
	}
	if !r.Overwrite || len(names) == 0 {
		return nil
	}
	return execute(ctx, conn, "TRUNCATE "+strings.Join(names, ", "))
}
