package drill

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// check runs pg_amcheck, or what it would run.
func (e *postgresEngine) check(ctx context.Context, database string) (faults []string, left string, err error) {
	conn, err := pgx.Connect(ctx, e.server.URL(database))
	if err != nil {
		return nil, "", err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	available := false
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'amcheck')").Scan(&available); err != nil {
		return nil, "", err
	}
	if !available {
		return nil, "indexes were not checked: the extension amcheck is not installed here", nil
	}
	if _, err := conn.Exec(ctx, "SET session_replication_role = replica"); err != nil { // event triggers do not fire
		return nil, "", err
	}
	if _, err := conn.Exec(ctx, "CREATE EXTENSION IF NOT EXISTS amcheck"); err != nil {
		return nil, "", err
	}
	if dir, err := e.bin(ctx); err == nil {
		if program, err := exec.LookPath(filepath.Join(dir, "pg_amcheck")); err == nil {
			faults, err = e.amcheck(ctx, program, database)
			return faults, "", err
		}
	}
	faults, err = checkIndexes(ctx, conn)
	return faults, "", err
}

// bin is the folder of the scratch server's programs, as it says itself.
func (e *postgresEngine) bin(ctx context.Context) (dir string, err error) {
	conn, err := pgx.Connect(ctx, e.server.URL("postgres"))
	if err != nil {
		return "", err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	err = conn.QueryRow(ctx, "SELECT setting FROM pg_config WHERE name = 'BINDIR'").Scan(&dir)
	return dir, err
}

// amcheck runs the program. Status 2 means that it found faults, which stand on
// its standard output.
func (e *postgresEngine) amcheck(ctx context.Context, program, database string) ([]string, error) {
	out, err := e.run(ctx, nil, program, "--heapallindexed", "--no-password", e.server.URL(database))
	if err == nil {
		return nil, nil
	}
	if strings.TrimSpace(string(out)) == "" {
		return nil, err
	}
	return []string{clipped(strings.Join(strings.Fields(string(out)), " "))}, nil
}

// checkIndexes is for servers whose version has no pg_amcheck yet.
func checkIndexes(ctx context.Context, conn *pgx.Conn) (faults []string, err error) {
	rows, err := conn.Query(ctx, `SELECT c.oid, c.oid::regclass::text FROM pg_class c JOIN pg_am a ON a.oid = c.relam JOIN pg_index i ON i.indexrelid = c.oid
		WHERE a.amname = 'btree' AND c.relkind = 'i' AND i.indisvalid AND i.indisready AND c.relpersistence <> 't'`)
	if err != nil {
		return nil, err
	}
	type index struct {
		OID  uint32
		Name string
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[index])
	if err != nil {
		return nil, err
	}
	for _, x := range all {
		if _, err := conn.Exec(ctx, "SELECT bt_index_check($1::oid::regclass, true)", x.OID); err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			faults = append(faults, x.Name+": "+err.Error())
		}
	}
	return faults, nil
}

// run runs one of PostgreSQL's programs. It gets nothing from the environment
// that leads to another server.
func (e *postgresEngine) run(ctx context.Context, stdin []byte, program string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "PG") || strings.HasPrefix(v, "CHARTKEEP_") })
	cmd.Env = append(cmd.Env, "LC_ALL=C", "PGOPTIONS=-c session_replication_role=replica")
	cmd.WaitDelay = 5 * time.Second
	var out, said bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &out, &said
	if err := cmd.Run(); err != nil {
		return out.Bytes(), fmt.Errorf("%s: %w: %s", filepath.Base(program), err, clipped(strings.TrimSpace(said.String())))
	}
	return out.Bytes(), nil
}

var heading = regexp.MustCompile(`(?m)^--\n-- (Name: .*)\n--\n`)

// statements are what an archive makes, by the program's heading of each.
func (e *postgresEngine) statements(ctx context.Context, archive []byte) (map[string][]string, error) {
	dir, err := e.bin(ctx)
	if err != nil {
		return nil, err
	}
	text, err := e.run(ctx, archive, filepath.Join(dir, "pg_restore"), "--file=-")
	if err != nil {
		return nil, err
	}
	all := map[string][]string{}
	places := heading.FindAllSubmatchIndex(text, -1)
	for i, p := range places {
		end := len(text)
		if i+1 < len(places) {
			end = places[i+1][0]
		}
		name := string(text[p[2]:p[3]])
		all[name] = append(all[name], body(text[p[1]:end]))
	}
	for _, list := range all {
		slices.Sort(list)
	}
	return all, nil
}

// body is a statement without what surrounds it by chance.
func body(text []byte) string {
	var lines []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		if line == "" || line == "--" || strings.HasPrefix(line, "SET default_") || strings.HasPrefix(line, `\unrestrict`) || line == "-- PostgreSQL database dump complete" {
			continue
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// compareStatements names what is not the same.
func compareStatements(was, is map[string][]string) string {
	var differ []string
	for name, list := range was {
		if !slices.Equal(list, is[name]) {
			differ = append(differ, name)
		}
	}
	for name := range is {
		if was[name] == nil {
			differ = append(differ, name)
		}
	}
	slices.Sort(differ)
	return few(differ)
}
