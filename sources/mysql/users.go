package mysql

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// systemUsers are the server's own; every server has them.
var systemUsers = []string{"mariadb.sys", "mysql.sys", "mysql.session", "mysql.infoschema"}

// A grantee is a user or a role.
type grantee struct {
	user, host string
	role       bool // of MariaDB, where roles have no host
}

func (a grantee) String() string {
	if a.role {
		return quote(a.user)
	}
	return quote(a.user) + "@" + quote(a.host)
}

// dumpUsers returns statements that make the server's roles and users anew, with
// their passwords' hashes and rights.
func dumpUsers(ctx context.Context, c *session, s server) ([]byte, error) {
	accounts, err := listAccounts(ctx, c, s)
	if err != nil {
		return nil, fmt.Errorf("list the users: %w", err)
	}
	if !s.maria { // a hash of caching_sha2_password is bytes that no text can hold
		if err := c.exec(ctx, "SET SESSION print_identified_with_as_hex=1"); err != nil && !errorIs(err, unknownVariable) {
			return nil, err
		}
	}
	var created, granted, roles strings.Builder
	for _, a := range accounts {
		if a.role {
			fmt.Fprintf(&created, "CREATE ROLE IF NOT EXISTS %s;\n", a)
		} else {
			v, err := c.row(ctx, "SHOW CREATE USER "+a.String())
			if err != nil {
				return nil, fmt.Errorf("user %s: %w", a, err)
			}
			create, role := withoutRole(v[0])
			fmt.Fprintf(&created, "%s;\n", strings.Replace(create, "CREATE USER ", "CREATE USER IF NOT EXISTS ", 1))
			if role != "" {
				fmt.Fprintf(&roles, "SET DEFAULT ROLE %s TO %s;\n", role, a)
			}
		}
		err := c.each(ctx, "SHOW GRANTS FOR "+a.String(), func(v []string) error {
			fmt.Fprintf(&granted, "%s;\n", v[0])
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("rights of %s: %w", a, err)
		}
	}
	return []byte(created.String() + granted.String() + roles.String()), nil
}

// defaultRole is what MySQL says of a user's default roles, which may be users
// that come later, when it says how to make him.
var defaultRole = regexp.MustCompile("^((?:[^`']|`(?:[^`]|``)*`|'(?:[^'\\\\]|\\\\.)*')*?) DEFAULT ROLE ((?:`(?:[^`]|``)*`@`(?:[^`]|``)*`,?)+)")

// withoutRole takes the default roles from the statement that makes a user.
func withoutRole(create string) (rest, roles string) {
	m := defaultRole.FindStringSubmatch(create)
	if m == nil {
		return create, ""
	}
	return m[1] + create[len(m[0]):], m[2]
}

// listAccounts returns the roles, then the users.
func listAccounts(ctx context.Context, c *session, s server) ([]grantee, error) {
	role := "'N'"
	if s.maria {
		role = "is_role"
	}
	var all []grantee
	err := c.each(ctx, "SELECT User, Host, "+role+" FROM mysql.user ORDER BY 3 DESC, 1, 2", func(v []string) error {
		if !slices.Contains(systemUsers, v[0]) && v[0] != "PUBLIC" {
			all = append(all, grantee{user: v[0], host: v[1], role: v[2] == "Y"})
		}
		return nil
	})
	return all, err
}

// ofAccount finds whom a statement of users.sql is about.
var ofAccount = regexp.MustCompile("(?:CREATE (?:USER|ROLE) IF NOT EXISTS| TO| FOR) ([`'](?:[^`']|``)*[`'](?:@[`'](?:[^`']|``)*[`'])?)")

// makeUsers makes the users and roles that the server lacks. Those it has stay
// as they are.
func (r *restore) makeUsers(ctx context.Context) error {
	script, err := readAll(ctx, r.Saved, usersFile)
	if err != nil {
		return err
	}
	there, err := listAccounts(ctx, r.admin, r.server)
	if err != nil {
		return fmt.Errorf("list the users: %w", err)
	}
	has := map[string]bool{}
	for _, g := range there {
		has[g.String()] = true
	}
	for st := range statements(script) {
		m := ofAccount.FindAllStringSubmatch(st, -1)
		if m == nil {
			continue
		}
		name := strings.ReplaceAll(m[len(m)-1][1], "'", "`")
		if has[name] {
			continue
		}
		if err := r.admin.exec(ctx, st); err != nil {
			return fmt.Errorf("make the user %s: %w", name, err)
		}
		if what, ok := strings.CutPrefix(st, "CREATE "); ok {
			what, _, _ = strings.Cut(what, " ")
			r.onError("DROP " + what + " IF EXISTS " + name)
		}
	}
	return nil
}
