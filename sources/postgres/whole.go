package postgres

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
)

// whole restores a database into a new one, and gives that the name at the end.
func (r *restore) whole(ctx context.Context) error {
	conn, err := r.maintenance(ctx)
	if err != nil {
		return err
	}
	defer hangUp(conn)
	if err := r.awaitLeave(ctx, conn); err != nil {
		return err
	}
	if err := r.mayReplace(); err != nil {
		return err
	}
	if r.Roles {
		if err := r.makeRoles(ctx, conn); err != nil {
			return err
		}
	}
	scratch := "chartkeep_restore_" + random()
	if err := execute(ctx, conn, r.createStatement(scratch)); err != nil {
		return err
	}
	if err := r.fill(ctx, scratch); err != nil {
		return errors.Join(err, r.drop(scratch))
	}
	if err := r.properties(ctx, conn, scratch); err != nil {
		return errors.Join(err, r.drop(scratch))
	}
	return r.rename(ctx, conn, scratch)
}

func random() string {
	b := make([]byte, 5)
	_, _ = rand.Read(b) // it never fails
	return hex.EncodeToString(b)
}

// createStatement makes a database like the saved one, but for what it is
// filled with.
func (r *restore) createStatement(name string) string {
	d := r.server
	sql := "CREATE DATABASE " + quote(name) + " TEMPLATE template0 ENCODING " + literal(d.Encoding) +
		" LC_COLLATE " + literal(d.Collate) + " LC_CTYPE " + literal(d.CType)
	if r.found.version < 150000 || d.Provider == "" {
		return sql
	}
	sql += " LOCALE_PROVIDER " + d.Provider
	switch d.Provider {
	case "icu":
		sql += " ICU_LOCALE " + literal(d.Locale)
	case "builtin":
		sql += " BUILTIN_LOCALE " + literal(d.Locale)
	}
	if d.Rules != "" {
		sql += " ICU_RULES " + literal(d.Rules)
	}
	return sql
}

// drop removes a database that was not finished, also when ctx has ended.
func (r *restore) drop(name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := r.maintenance(ctx)
	if err == nil {
		defer hangUp(conn)
		err = execute(ctx, conn, "DROP DATABASE "+quote(name)+" WITH (FORCE)")
	}
	if err != nil {
		return fmt.Errorf("the unfinished database %s is left: %w", name, err)
	}
	return nil
}

// fill loads everything: first what rows need, then rows, then what needs rows.
// Constraints, indexes, triggers and rules are of the last, so nothing fires,
// and the order of the tables does not matter.
func (r *restore) fill(ctx context.Context, name string) error {
	began := time.Now()
	dir, err := os.MkdirTemp("", "chartkeep-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	a := archive{restore: r, dir: dir, database: name}
	if err := a.fetch(ctx); err != nil {
		return err
	}
	r.tell(func(p *Progress) { p.Step, p.Total = "definitions", r.total() })
	if err := a.run(ctx, "--section=pre-data"); err != nil {
		return err
	}
	if !r.SchemaOnly {
		if err := r.load(ctx, name); err != nil {
			return err
		}
	}
	r.report.Loaded = time.Since(began)
	r.step("indexes")
	if err := a.finish(ctx); err != nil || r.SchemaOnly {
		return err
	}
	r.step("statistics")
	conn, err := r.address.connect(ctx, name)
	if err != nil {
		return err
	}
	defer hangUp(conn)
	return execute(ctx, conn, "ANALYZE")
}

// rename puts the finished database in the place of the one that was there.
func (r *restore) rename(ctx context.Context, conn *pgx.Conn, scratch string) error {
	to := quote(r.target)
	if !r.found.Exists {
		return r.unnamed(scratch, execute(ctx, conn, "ALTER DATABASE "+quote(scratch)+" RENAME TO "+to))
	}
	old := quote("chartkeep_replaced_" + random())
	if err := execute(ctx, conn, "ALTER DATABASE "+to+" RENAME TO "+old); err != nil {
		return r.unnamed(scratch, err)
	}
	if err := execute(ctx, conn, "ALTER DATABASE "+quote(scratch)+" RENAME TO "+to); err != nil {
		ctx := context.WithoutCancel(ctx)
		return r.unnamed(scratch, errors.Join(err, execute(ctx, conn, "ALTER DATABASE "+old+" RENAME TO "+to)))
	}
	if err := execute(context.WithoutCancel(ctx), conn, "DROP DATABASE "+old+" WITH (FORCE)"); err != nil {
		return fmt.Errorf("it was restored; what it replaced is left as %s: %w", old, err)
	}
	return nil
}

// unnamed says where a restored database is that could not get its name: it is
// whole, and took long to make.
func (r *restore) unnamed(scratch string, err error) error {
	if err == nil {
		return nil
	}
	if hasCode(err, codeObjectInUse) {
		err = fmt.Errorf("%w: %w", ErrInUse, err)
	}
	return fmt.Errorf("it was restored as %s, whole, and could not be renamed: %w", scratch, err)
}
