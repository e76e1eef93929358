package postgres

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5"
)

// makeRoles makes the roles that the server lacks. Those that it has stay as
// they are, with their passwords.
func (r *restore) makeRoles(ctx context.Context, conn *pgx.Conn) error {
	f, err := r.Saved.Open(ctx, rolesFile)
	if err != nil {
		return err
	}
	defer f.Close()
	sql, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	made := map[string]bool{}
	for _, s := range statements(string(sql)) {
		if err := r.makeRole(ctx, conn, s, made); err != nil {
			return fmt.Errorf("roles: %w", err)
		}
	}
	return nil
}

// makeRole runs one of pg_dumpall's statements if it is about a role that was
// made here.
func (r *restore) makeRole(ctx context.Context, conn *pgx.Conn, sql string, made map[string]bool) error {
	if role, ok := named(sql, "CREATE ROLE "); ok {
		err := execute(ctx, conn, sql)
		if hasCode(err, codeDuplicateObject) {
			return nil
		}
		made[role] = err == nil
		return err
	}
	for _, about := range []string{"ALTER ROLE ", "COMMENT ON ROLE "} {
		if role, ok := named(sql, about); ok {
			if made[role] {
				return execute(ctx, conn, sql)
			}
			return nil
		}
	}
	if _, ok := named(sql, "GRANT "); ok {
		_, rest, _ := strings.Cut(sql, " TO ")
		if member, _ := named(rest, ""); made[member] {
			return execute(ctx, conn, sql)
		}
		return nil
	}
	if strings.HasPrefix(sql, "CREATE TABLESPACE ") {
		r.Log("not made, because its folder is the server's: " + sql)
	}
	return nil // SET, and what is about tablespaces
}

// named returns the name that follows prefix in a statement.
func named(sql, prefix string) (string, bool) {
	rest, ok := strings.CutPrefix(sql, prefix)
	if !ok {
		return "", false
	}
	if !strings.HasPrefix(rest, `"`) {
		end := strings.IndexAny(rest, " ;")
		if end < 0 {
			end = len(rest)
		}
		return rest[:end], true
	}
	var b strings.Builder
	for i := 1; i < len(rest); i++ {
		if rest[i] == '"' {
			if i+1 == len(rest) || rest[i+1] != '"' {
				break
			}
			i++
		}
		b.WriteByte(rest[i])
	}
	return b.String(), true
}

// statements cuts pg_dumpall's output into statements: at semicolons outside of
// quotes and comments. Strings have no escapes but ” in standard form, and
// backslashes in E”.
func statements(sql string) (all []string) {
	var b strings.Builder
	for i := 0; i < len(sql); {
		n := 1
		switch {
		case strings.HasPrefix(sql[i:], "--"):
			n = max(1, strings.IndexByte(sql[i:]+"\n", '\n'))
			i += n
			continue
		case sql[i] == '\'' || sql[i] == '"':
			n = quotedLength(sql[i:], sql[i] == '\'' && i > 0 && sql[i-1] == 'E')
		case sql[i] == ';':
			all = append(all, strings.TrimSpace(b.String()))
			b.Reset()
			i++
			continue
		}
		b.WriteString(sql[i : i+n])
		i += n
	}
	return all
}

// quotedLength is the length of what s begins with: something in quotes. A
// doubled quote is two such in a row, which comes to the same.
func quotedLength(s string, escapes bool) int {
	for i := 1; i < len(s); i++ {
		switch {
		case escapes && s[i] == '\\':
			i++
		case s[i] == s[0]:
			return i + 1
		}
	}
	return len(s)
}
