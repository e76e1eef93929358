package postgres

import (
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// properties gives a database what belongs to it and is not inside it.
func (r *restore) properties(ctx context.Context, conn *pgx.Conn, name string) error {
	d := r.server
	at := "DATABASE " + quote(name)
	sql := []string{fmt.Sprintf("ALTER %s CONNECTION LIMIT %d", at, d.Connections)}
	if d.Comment != nil {
		sql = append(sql, "COMMENT ON "+at+" IS "+literal(string(*d.Comment)))
	}
	for _, s := range d.Settings {
		if s.Role == "" || !r.NoOwner {
			sql = append(sql, settingStatements(quote(name), s)...)
		}
	}
	if !r.NoOwner {
		sql = append(sql, "ALTER "+at+" OWNER TO "+quote(string(d.Owner)))
		sql = append(sql, grantStatements(at, d.Owner, d.Grants)...)
	}
	for _, s := range sql {
		if err := execute(ctx, conn, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

// listSettings have values that are lists of quoted names (GUC_LIST_QUOTE in the
// server's source); as one string constant they would be one name.
var listSettings = []string{"local_preload_libraries", "search_path", "session_preload_libraries", "shared_preload_libraries", "temp_tablespaces", "unix_socket_directories"}

func settingStatements(database string, s Setting) []string {
	at := "ALTER DATABASE " + database
	if s.Role != "" {
		at = "ALTER ROLE " + quote(string(s.Role)) + " IN DATABASE " + database
	}
	if slices.Contains(listSettings, strings.ToLower(s.Name)) {
		return []string{
			fmt.Sprintf("SELECT pg_catalog.set_config(%s, %s, false)", literal(s.Name), literal(string(s.Value))),
			at + " SET " + quote(s.Name) + " FROM CURRENT",
			"SELECT pg_catalog.set_config('search_path', '', false)",
		}
	}
	return []string{at + " SET " + quote(s.Name) + " TO " + literal(string(s.Value))}
}

// grantStatements give an object's rights: those that it has at first are taken
// away, and the saved ones given by whom they came from. No list at all is what
// an object has at first.
func grantStatements(object string, owner Name, grants []Grant) []string {
	if grants == nil {
		return nil
	}
	sql := []string{"REVOKE ALL ON " + object + " FROM PUBLIC", "REVOKE ALL ON " + object + " FROM " + quote(string(owner))}
	for _, g := range grants {
		to := "PUBLIC"
		if g.Grantee != "" {
			to = quote(string(g.Grantee))
		}
		grant := "GRANT " + g.Privilege + " ON " + object + " TO " + to
		if g.Grantable {
			grant += " WITH GRANT OPTION"
		}
		if g.Grantor != owner {
			grant = "SET SESSION AUTHORIZATION " + quote(string(g.Grantor)) + "; " + grant + "; RESET SESSION AUTHORIZATION"
		}
		sql = append(sql, grant)
	}
	return sql
}

// A sequenceValue is a line of the sequences' file.
type sequenceValue struct {
	Place
	value, called string
}

// sequences reads the sequences' file.
func sequences(r io.Reader) iter.Seq2[sequenceValue, error] {
	return func(yield func(sequenceValue, error) bool) {
		for fields, err := range lines(r, 4) {
			var v []string
			if err == nil {
				v, err = texts(fields)
			}
			if err != nil {
				yield(sequenceValue{}, fmt.Errorf("%s: %w", sequencesFile, err))
				return
			}
			if !yield(sequenceValue{Place{Name(v[0]), Name(v[1])}, v[2], v[3]}, nil) {
				return
			}
		}
	}
}

// statement sets the sequence.
func (v sequenceValue) statement() string {
	return fmt.Sprintf("SELECT pg_catalog.setval(%s, %s::bigint, %s::boolean)", literal(v.sql()), literal(v.value), literal(v.called))
}

// setSequences sets the sequences to their saved values.
func (r *restore) setSequences(ctx context.Context, conn *pgx.Conn) error {
	f, err := r.Saved.Open(ctx, r.at(sequencesFile))
	if err != nil {
		return err
	}
	defer f.Close()
	for v, err := range sequences(f) {
		if err != nil {
			return err
		}
		if err := execute(ctx, conn, v.statement()); err != nil {
			return fmt.Errorf("sequence %s: %w", v.Place, err)
		}
	}
	return nil
}
