package mysql

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// needed are the privileges without which a server hides something and says
// nothing of it: tables, triggers. The lack of others is an error of its own.
var needed = []string{"SELECT", "TRIGGER"}

// A grant is one line of SHOW GRANTS.
type grant struct {
	revoked    bool // MySQL can take back for one database what was given for all
	privileges []string
	database   string // a pattern of LIKE; "*" means all
	table      string // "*" means all
}

var grantLine = regexp.MustCompile("^(GRANT|REVOKE) (.*) ON (\\*|`(?:[^`]|``)*`)\\.(\\*|`(?:[^`]|``)*`) (?:TO|FROM) ")

// parseGrant reads a line of SHOW GRANTS; false if it gives no rights to
// tables.
func parseGrant(line string) (grant, bool) {
	m := grantLine.FindStringSubmatch(line)
	if m == nil {
		return grant{}, false
	}
	privileges := strings.Split(m[2], ",") // MySQL's newer ones have no blanks between
	for i := range privileges {
		privileges[i] = strings.TrimSpace(privileges[i])
	}
	return grant{m[1] == "REVOKE", privileges, unquote(m[3]), unquote(m[4])}, true
}

func unquote(s string) string {
	if len(s) >= 2 && s[0] == '`' {
		return strings.ReplaceAll(s[1:len(s)-1], "``", "`")
	}
	return s
}

// gives reports whether g gives a privilege on the whole of a table.
func (g grant) gives(privilege, database, table string) bool {
	if g.table != "*" && g.table != table || g.database != "*" && !like(g.database, database) {
		return false
	}
	return slices.Contains(g.privileges, privilege) || g.privileges[0] == "ALL PRIVILEGES"
}

// like reports whether name matches a pattern of LIKE.
func like(pattern, name string) bool {
	var re strings.Builder
	re.WriteString("(?s)^")
	escaped := false
	for _, r := range pattern {
		switch {
		case r == '\\' && !escaped:
			escaped = true
			continue
		case r == '%' && !escaped:
			re.WriteString(".*")
		case r == '_' && !escaped:
			re.WriteString(".")
		default:
			re.WriteString(regexp.QuoteMeta(string(r)))
		}
		escaped = false
	}
	ok, err := regexp.MatchString(re.String()+"$", name)
	return ok && err == nil
}

// checkGrants fails if the user may not see all of a database. The server shows
// a user only what he has a right to, so that a dump without this check could
// lack tables, and nobody would know.
func checkGrants(ctx context.Context, c *session, s server, desc *Description) error {
	var grants []grant
	err := c.each(ctx, "SHOW GRANTS", func(v []string) error {
		if g, ok := parseGrant(v[0]); ok {
			grants = append(grants, g)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("ask for the user's rights: %w", err)
	}
	for _, d := range desc.Databases {
		for _, p := range needed {
			if !given(grants, p, d.Name) {
				return lacks(s, p, quote(d.Name)+".*")
			}
		}
	}
	if !seesRoutines(grants, s) {
		if s.dictionary() {
			return lacks(s, "SHOW_ROUTINE", "*.*")
		}
		return lacks(s, "SELECT", "mysql.*")
	}
	return nil
}

// given reports whether a privilege on all of a database was given and not taken
// back.
func given(grants []grant, privilege, database string) bool {
	given := false
	for _, g := range grants {
		if g.gives(privilege, database, "*") {
			if g.revoked {
				return false
			}
			given = true
		}
	}
	return given
}

// seesRoutines reports whether the server shows all functions and procedures.
func seesRoutines(grants []grant, s server) bool {
	return slices.ContainsFunc(grants, func(g grant) bool {
		if s.dictionary() {
			return g.database == "*" && (g.gives("SELECT", "", "*") || slices.Contains(g.privileges, "SHOW_ROUTINE"))
		}
		return g.gives("SELECT", "mysql", "proc")
	})
}

// lacks says what to do about a right that is missing.
func lacks(s server, privilege, on string) error {
	all := "RELOAD and PROCESS"
	if s.dictionary() {
		all = "RELOAD, PROCESS, BACKUP_ADMIN and SHOW_ROUTINE"
	}
	return fmt.Errorf("the user lacks %s on %s, and without it the server would leave things out and not say so; "+
		"a user for backups needs SELECT, SHOW VIEW, TRIGGER, EVENT, EXECUTE and LOCK TABLES on the databases, SELECT on mysql.*, and %s on *.*", privilege, on, all)
}
