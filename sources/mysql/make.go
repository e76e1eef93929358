package mysql

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// made finds the name of what a statement makes.
var made = regexp.MustCompile("^(?:/\\*!\\d+ )?CREATE (?:TABLE|SEQUENCE|VIEW) (?:IF NOT EXISTS )?`((?:[^`]|``)+)`")

// nextValue finds the database of a sequence that a column's default names.
var nextValue = regexp.MustCompile("(?i)\\b(nextval|lastval|setval)\\(`((?:[^`]|``)+)`\\.")

// alterDatabase finds the database that a dump changes for a while, to make a
// routine in the character set it was made in.
var alterDatabase = regexp.MustCompile("^ALTER DATABASE `(?:[^`]|``)+`")

// createDatabase is the statement that makes a database like the saved one.
func (r *restore) createDatabase(verb, name string) string {
	s := fmt.Sprintf("%s DATABASE %s CHARACTER SET %s COLLATE %s", verb, quote(name), r.saved.Charset, r.saved.Collation)
	if r.saved.Comment != "" && r.server.maria && r.server.since(10, 5) {
		s += " COMMENT " + text(r.saved.Comment)
	}
	return s
}

// makeTables makes the tables in a database of another name, without rows.
//
// A column's default may be a sequence's next value, and names the sequence's
// database: the one it will lie in. So there is a stand-in for each sequence
// there before the tables are made, and it goes when the tables come.
func (r *restore) makeTables(ctx context.Context, definitions []byte) error {
	r.advance("definitions", "", 0)
	r.names()
	if err := r.admin.exec(ctx, r.createDatabase("CREATE", r.fresh)); err != nil {
		return err
	}
	r.onError("DROP DATABASE IF EXISTS " + quote(r.fresh))
	if nextValue.Match(definitions) {
		if err := r.standIns(ctx); err != nil {
			return err
		}
	}
	if err := r.replay(ctx, r.fresh, definitions, tableKind); err != nil {
		return err
	}
	if len(r.Tables) > 0 {
		return r.dropReferences(ctx)
	}
	return nil
}

// standIns makes the sequences where they are missing.
func (r *restore) standIns(ctx context.Context) error {
	if err := r.makeTarget(ctx); err != nil {
		return err
	}
	for i := range r.saved.Tables {
		t := &r.saved.Tables[i]
		if !t.sequence() {
			continue
		}
		name := quote(r.target) + "." + quote(t.Name)
		v, err := r.admin.row(ctx, "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA="+text(r.target)+" AND TABLE_NAME="+text(t.Name))
		if err != nil {
			return err
		}
		if v[0] != "0" {
			continue
		}
		if err := r.admin.exec(ctx, "CREATE SEQUENCE "+name); err != nil {
			return err
		}
		r.onError("DROP SEQUENCE IF EXISTS " + name)
	}
	return nil
}

// makeTarget makes the database itself if it is missing.
func (r *restore) makeTarget(ctx context.Context) error {
	if r.found.Exists {
		return nil
	}
	if err := r.admin.exec(ctx, r.createDatabase("CREATE", r.target)); err != nil {
		return err
	}
	r.found.Exists = true
	r.onError("DROP DATABASE IF EXISTS " + quote(r.target)) // it did not exist: all in it is ours
	return nil
}

// dropReferences takes away the foreign keys of single tables, which refer to
// tables that are not there.
func (r *restore) dropReferences(ctx context.Context) error {
	var drops []string
	err := r.admin.each(ctx, "SELECT TABLE_NAME, CONSTRAINT_NAME FROM information_schema.TABLE_CONSTRAINTS WHERE CONSTRAINT_TYPE='FOREIGN KEY' AND TABLE_SCHEMA="+text(r.fresh), func(v []string) error {
		drops = append(drops, "ALTER TABLE "+quote(r.fresh)+"."+quote(v[0])+" DROP FOREIGN KEY "+quote(v[1]))
		return nil
	})
	for _, d := range drops {
		if err == nil {
			err = r.admin.exec(ctx, d)
		}
	}
	return err
}

// maker is a session that makes what is in a database.
func (r *restore) maker(ctx context.Context, database string) (*session, error) {
	return r.login.connect(ctx, append(commonSession(restoreLock), "SET NAMES utf8mb4", "SET SESSION foreign_key_checks=0",
		"SET SESSION innodb_strict_mode=0", "SET SESSION sql_require_primary_key=0", "SET SESSION sql_generate_invisible_primary_key=0", "USE "+quote(database)))
}

// replay runs the statements of some kinds, and those that set variables for
// them.
func (r *restore) replay(ctx context.Context, database string, script []byte, kinds ...kind) error {
	s, err := r.maker(ctx, database)
	if err != nil {
		return err
	}
	defer s.close()
	for st := range statements(script) {
		k := kindOf(st)
		if k != stateKind && !slices.Contains(kinds, k) || k == tableKind && !r.wanted(st) {
			continue
		}
		err := s.exec(ctx, r.rename(st, k))
		if errorIs(err, noTablespace) {
			err = r.makeTablespace(ctx, s, st)
		}
		switch {
		case k == stateKind && errorIs(err, unknownVariable):
			err = nil
		case k == viewKind && errorIs(err, unknownDatabase, noSuchTable, noSuchRoutine, invalidView):
			err = r.leave(ctx, st, err)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", title(st), rights(err))
		}
	}
	return nil
}

// inTablespace finds the tablespace of MySQL that a table is made in.
var inTablespace = regexp.MustCompile("(?m)^\\) /\\*!50100 TABLESPACE (`(?:[^`]|``)+`)")

// makeTablespace makes the tablespace that a table wants, and then the table.
func (r *restore) makeTablespace(ctx context.Context, s *session, statement string) error {
	m := inTablespace.FindStringSubmatch(statement)
	if m == nil {
		return fmt.Errorf("a tablespace is missing: %s", title(statement))
	}
	if err := s.exec(ctx, "CREATE TABLESPACE "+m[1]+" ENGINE=InnoDB"); err != nil {
		return fmt.Errorf("make the tablespace %s: %w", m[1], err)
	}
	r.Log(fmt.Sprintf("the tablespace %s was missing, and was made where the server keeps its data", m[1]))
	r.undo = slices.Insert(r.undo, 0, r.statements("DROP TABLESPACE "+m[1])) // when its tables are gone
	return s.exec(ctx, r.rename(statement, tableKind))
}

// wanted reports whether a statement makes a table that is to come back.
func (r *restore) wanted(statement string) bool {
	if len(r.Tables) == 0 {
		return true
	}
	m := made.FindStringSubmatch(statement)
	return m != nil && slices.Contains(r.Tables, strings.ReplaceAll(m[1], "``", "`"))
}

// rename puts the new database's name for the saved one's, where a dump of one
// database names it.
func (r *restore) rename(statement string, k kind) string {
	switch k {
	case tableKind:
		return nextValue.ReplaceAllStringFunc(statement, func(found string) string {
			m := nextValue.FindStringSubmatch(found)
			if m[2] != strings.ReplaceAll(r.saved.Name, "`", "``") {
				return found
			}
			return m[1] + "(" + quote(r.target) + "."
		})
	case alterKind:
		return quoteTarget(statement, r.target)
	}
	return statement
}

func quoteTarget(statement, name string) string {
	at := alterDatabase.FindStringIndex(statement)
	if at == nil {
		return statement
	}
	return "ALTER DATABASE " + quote(name) + statement[at[1]:]
}

// definers tells of code that runs in the name of users who do not exist.
func (r *restore) definers(ctx context.Context) error {
	accounts, err := listAccounts(ctx, r.admin, r.server)
	if err != nil {
		return nil // the user may not know; nothing is wrong with that
	}
	var q []string
	for _, k := range [][2]string{{"TRIGGERS", "TRIGGER"}, {"VIEWS", "TABLE"}, {"EVENTS", "EVENT"}, {"ROUTINES", "ROUTINE"}} {
		q = append(q, fmt.Sprintf("SELECT DEFINER FROM information_schema.%s WHERE %s_SCHEMA=%s", k[0], k[1], text(r.target)))
	}
	return r.admin.each(ctx, strings.Join(q, " UNION ")+" ORDER BY 1", func(v []string) error {
		if !slices.ContainsFunc(accounts, func(g grantee) bool { return g.user+"@"+g.host == v[0] || g.role && g.user == v[0] }) {
			r.Log(fmt.Sprintf("the user %s does not exist here: what runs in that name fails until it does", v[0]))
		}
		return nil
	})
}

// leave leaves out a view that refers to what is not there.
func (r *restore) leave(ctx context.Context, statement string, why error) error {
	r.report.Left = append(r.report.Left, title(statement))
	r.Log(fmt.Sprintf("%s is left out: %v", title(statement), why))
	return ctx.Err()
}

// conditional finds the signs of conditional comments.
var conditional = regexp.MustCompile(`/\*M?!\d*|\*/`)

// title is a statement's beginning, for messages.
func title(statement string) string {
	line := strings.Join(strings.Fields(conditional.ReplaceAllString(statement, " ")), " ")
	if len(line) > 100 {
		line = strings.ToValidUTF8(line[:100], "") + "…"
	}
	return line
}

// rights says what to do when the user may not make something in another's name.
func rights(err error) error {
	if errorIs(err, noTrust) {
		return fmt.Errorf("%w; the server needs log_bin_trust_function_creators=1 while this is restored", err)
	}
	if errorIs(err, needsPrivilege) {
		return fmt.Errorf("%w; what was made by another user is restored only by one with SET USER (MariaDB), SET_ANY_DEFINER or SET_USER_ID (MySQL), or SUPER", err)
	}
	return err
}
