package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// move puts the new tables in the place of what is there, in one statement, and
// then makes views and code. RENAME TABLE with several names renames all or
// none. Tables with triggers cannot change their database, and so code goes
// before and comes after.
func (r *restore) move(ctx context.Context, definitions []byte) error {
	r.advance("code", "", 0)
	if err := r.makeTarget(ctx); err != nil {
		return err
	}
	if len(r.Tables) > 0 {
		return r.renameTables(ctx)
	}
	if err := r.putAway(ctx); err != nil {
		return err
	}
	if err := r.alterTarget(ctx); err != nil {
		return err
	}
	if err := r.renameTables(ctx); err != nil {
		return err
	}
	r.onCode(func(ctx context.Context) error { return r.dropCode(ctx, r.target) })
	if err := r.makeCode(ctx, definitions); err != nil {
		return err
	}
	return r.definers(ctx)
}

// alterTarget gives the database the saved one's character set.
func (r *restore) alterTarget(ctx context.Context) error {
	v, err := r.admin.row(ctx, "SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME="+text(r.target))
	if err != nil {
		return err
	}
	r.onError(fmt.Sprintf("ALTER DATABASE %s CHARACTER SET %s COLLATE %s", quote(r.target), v[0], v[1]))
	return r.admin.exec(ctx, r.createDatabase("ALTER", r.target))
}

// makeCode makes stand-ins of views first, since views may refer to each other;
// then what views may call, then views.
func (r *restore) makeCode(ctx context.Context, definitions []byte) error {
	if err := r.replay(ctx, r.target, definitions, standInKind); err != nil {
		return err
	}
	if err := r.replay(ctx, r.target, definitions, codeKind, alterKind, otherKind); err != nil {
		return err
	}
	return r.replay(ctx, r.target, definitions, viewKind)
}

// putAway takes the code of the old database away, and remembers it.
func (r *restore) putAway(ctx context.Context) error {
	code, err := codeOf(ctx, r.admin, r.target)
	if err != nil || len(code) == 0 {
		return err
	}
	program, err := findDump(ctx, r.Programs, r.server)
	if err != nil {
		return fmt.Errorf("to be able to take a failure back: %w", err)
	}
	names, err := r.namesIn(ctx, r.target)
	if err != nil {
		return err
	}
	old, err := definer{program, r.login, r.server}.dump(ctx, r.target, names)
	if err != nil {
		return err
	}
	r.onCode(func(ctx context.Context) error {
		back := restore{RestoreOptions: RestoreOptions{Log: r.Log}, login: r.login, server: r.server, target: r.target, saved: &Database{Name: r.target}}
		return errors.Join(r.dropCode(ctx, r.target), back.makeCode(ctx, old))
	})
	return r.dropCode(ctx, r.target)
}

// codeOf returns the statements that drop what a database holds beside tables.
func codeOf(ctx context.Context, s *session, database string) ([]string, error) {
	var drops []string
	for _, q := range [][3]string{
		{"TRIGGERS", "'TRIGGER'", "TRIGGER"},
		{"VIEWS", "'VIEW'", "TABLE"},
		{"EVENTS", "'EVENT'", "EVENT"},
		{"ROUTINES", "ROUTINE_TYPE", "ROUTINE"},
	} {
		err := s.each(ctx, fmt.Sprintf("SELECT %s, %s_NAME FROM information_schema.%s WHERE %s_SCHEMA=%s", q[1], q[2], q[0], q[2], text(database)), func(v []string) error {
			drops = append(drops, "DROP "+v[0]+" IF EXISTS "+quote(database)+"."+quote(v[1]))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return drops, nil
}

// dropCode drops them. Only Oracle's dialect knows packages; the rest is the
// same in it.
func (r *restore) dropCode(ctx context.Context, database string) error {
	s, err := r.login.connect(ctx, append(commonSession(restoreLock), "SET SESSION sql_mode='"+r.dialect()+"'"))
	if err != nil {
		return err
	}
	defer s.close()
	drops, err := codeOf(ctx, s, database)
	for _, d := range drops {
		if err == nil {
			err = s.exec(ctx, d)
		}
	}
	return err
}

// namesIn lists all that has the name of a table.
func (r *restore) namesIn(ctx context.Context, database string) (names []string, err error) {
	err = r.admin.each(ctx, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA="+text(database), func(v []string) error {
		names = append(names, v[0])
		return nil
	})
	return names, err
}

// tablesOf lists the tables and sequences of a database.
func (r *restore) tablesOf(ctx context.Context, database string) ([]string, error) {
	var names []string
	err := r.admin.each(ctx, "SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA="+text(database), func(v []string) error {
		if slices.Contains(tableTypes, v[1]) {
			names = append(names, v[0])
		}
		return nil
	})
	return names, err
}

// renameTables moves old tables aside and new ones in, at once. Of single tables
// only those of the same name move aside.
func (r *restore) renameTables(ctx context.Context) error {
	fresh, err := r.tablesOf(ctx, r.fresh)
	if err != nil {
		return err
	}
	old, err := r.tablesOf(ctx, r.target)
	if err != nil {
		return err
	}
	if len(r.Tables) > 0 {
		old = slices.DeleteFunc(old, func(n string) bool { return !slices.Contains(fresh, n) })
	}
	if err := r.admin.exec(ctx, r.createDatabase("CREATE", r.aside)); err != nil {
		return err
	}
	r.onError("DROP DATABASE IF EXISTS " + quote(r.aside))
	there := moves(nil, old, r.target, r.aside)
	there = moves(there, fresh, r.fresh, r.target)
	if len(there) == 0 {
		return nil
	}
	if err := r.admin.exec(ctx, "SET SESSION foreign_key_checks=0"); err != nil {
		return err
	}
	if err := r.admin.exec(ctx, "RENAME TABLE "+strings.Join(there, ", ")); err != nil {
		return fmt.Errorf("move the tables: %w", err)
	}
	back := moves(nil, fresh, r.target, r.fresh)
	back = moves(back, old, r.aside, r.target)
	r.onError("RENAME TABLE " + strings.Join(back, ", "))
	return nil
}

func moves(list, names []string, from, to string) []string {
	for _, n := range names {
		list = append(list, quote(from)+"."+quote(n)+" TO "+quote(to)+"."+quote(n))
	}
	return list
}

// clean drops the databases of the time of the restore. What was restored stays
// restored if that fails.
func (r *restore) clean(ctx context.Context) error {
	for _, name := range []string{r.fresh, r.aside} {
		if err := r.admin.exec(ctx, "DROP DATABASE IF EXISTS "+quote(name)); err != nil {
			r.Log(fmt.Sprintf("database %s, of the time of the restore, is left: %v", name, err))
		}
	}
	return nil
}

func (r *restore) dialect() string {
	if r.server.maria {
		return "ORACLE"
	}
	return ""
}
