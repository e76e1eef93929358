package drill

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"chartkeep/sources"
	"chartkeep/sources/postgres"
)

// postgresEngine drills PostgreSQL's databases.
type postgresEngine struct {
	place
	desc   *postgres.Description
	major  int // of the server they were saved from
	server *postgres.Server
}

func newPostgres(at place) (engine, error) {
	f, err := at.saved.Open(context.Background(), postgres.DescriptionFile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	d, err := postgres.ReadDescription(f)
	if err != nil {
		return nil, err
	}
	number, _, _ := strings.Cut(d.Server, ".")
	major, err := strconv.Atoi(number)
	if err != nil {
		return nil, fmt.Errorf("server version %q is not known", d.Server)
	}
	return &postgresEngine{place: at, desc: d, major: major}, nil
}

func (e *postgresEngine) databases() (names []string) {
	for _, d := range e.desc.Databases {
		names = append(names, string(d.Name))
	}
	return names
}

// start prefers a server of the saved one's version to the newest.
func (e *postgresEngine) start(ctx context.Context) (func() error, error) {
	o := postgres.ScratchOptions{Dir: e.dir, Programs: e.programs, Major: e.major}
	s, err := postgres.Scratch(ctx, o)
	if errors.Is(err, postgres.ErrPrograms) {
		o.Major = 0
		s, err = postgres.Scratch(ctx, o)
	}
	if err != nil {
		return nil, err
	}
	if s.Major < e.major {
		return nil, errors.Join(fmt.Errorf("it was saved from PostgreSQL %s, and the newest here is %d", e.desc.Server, s.Major), s.Stop())
	}
	e.server = s
	return s.Stop, nil
}

func (e *postgresEngine) load(ctx context.Context, database string) (loaded, error) {
	o := postgres.RestoreOptions{
		Saved: e.saved, Database: database, URL: e.server.URL(database), Create: true, Overwrite: true, Roles: true, NoTablespaces: true,
		Programs: e.programs, Log: e.say,
		Progress: func(p postgres.Progress) { e.step(progressed(p.Step, p.Table, p.Done, p.Total)) },
	}
	if _, counted := e.rec.Facts[sources.TablesOf+database]; counted {
		var err error
		if o.Counts, err = postgres.Counts(e.rec.Facts, database); err != nil {
			return loaded{}, err
		}
	}
	r, err := postgres.Restore(ctx, o)
	return loaded{tables: len(r.Counts), rows: r.Rows, bytes: r.Bytes}, err
}

func progressed(step, table string, done, total int64) string {
	if table != "" {
		step += ": " + table
	}
	if total > 0 {
		step += fmt.Sprintf(", %d %%", done*100/total)
	}
	return step
}

func (e *postgresEngine) reader() (sources.Moment, error) {
	return postgres.New(postgres.Options{
		Name: e.rec.Name, URL: e.server.URL("postgres"), Databases: e.databases(), Programs: e.programs, Log: e.say,
	})
}

// Names of a source's files.
const (
	rolesFile       = "roles.sql"
	definitionsFile = "definitions.dump"
)

func (e *postgresEngine) texts(p string) bool {
	return p == postgres.DescriptionFile || p == rolesFile || path.Base(p) == definitionsFile
}

func (e *postgresEngine) judge(ctx context.Context, p string, saved, again []byte) verdict {
	other := e.server.Major != e.major
	switch {
	case p == postgres.DescriptionFile:
		return verdict{compareDescriptions(saved, again), other}
	case p == rolesFile:
		return verdict{missingLines(saved, again, e.ownRole), other}
	case path.Base(p) == definitionsFile:
		was, err := e.statements(ctx, saved)
		if err != nil {
			return verdict{err.Error(), true}
		}
		is, err := e.statements(ctx, again)
		if err != nil {
			return verdict{err.Error(), true}
		}
		return verdict{compareStatements(was, is), other}
	case e.unordered(p):
		return verdict{} // count compares it
	}
	return verdict{differs: "its bytes differ"}
}

// unordered reports whether a file is of a table whose rows lie in no order, or
// may lie in another part of a table now.
func (e *postgresEngine) unordered(p string) bool {
	for _, d := range e.desc.Databases {
		file, ok := strings.CutPrefix(p, d.Folder+"/tables/")
		if !ok {
			continue
		}
		return slices.ContainsFunc(d.Tables, func(t postgres.Table) bool {
			return t.File == file && (len(t.Key) == 0 || t.Root != nil)
		})
	}
	return false
}

func (e *postgresEngine) count(facts map[string]string) (differs []string, err error) {
	for _, d := range e.desc.Databases {
		name := string(d.Name)
		if _, ok := e.rec.Facts[sources.TablesOf+name]; !ok {
			return differs, errors.New("nothing was counted when it was saved, so tables without a key could not be compared")
		}
		was, err := postgres.Counts(e.rec.Facts, name)
		if err != nil {
			return differs, err
		}
		is, err := postgres.Counts(facts, name)
		if err != nil {
			return differs, err
		}
		differs = append(differs, postgres.Differences(d, was, is)...)
	}
	return differs, nil
}

// ownRole reports whether a line is about what a scratch server has of its own,
// or has not.
func (e *postgresEngine) ownRole(line string) bool {
	return strings.HasPrefix(line, "--") || strings.HasPrefix(line, `\`) || strings.HasPrefix(line, "ALTER ROLE postgres ") ||
		strings.HasPrefix(line, "CREATE TABLESPACE ") || strings.Contains(line, " TABLESPACE ")
}

// compareDescriptions leaves out what is the server's and not the databases'.
func compareDescriptions(saved, again []byte) string {
	var both [2][]byte
	for i, text := range [][]byte{saved, again} {
		d, err := postgres.ReadDescription(bytes.NewReader(text))
		if err != nil {
			return err.Error()
		}
		d.Server, d.Program = "", 0
		for j := range d.Databases {
			d.Databases[j].Collations = ""
		}
		if both[i], err = json.MarshalIndent(d, "", " "); err != nil {
			return err.Error()
		}
	}
	return missingLines(both[0], both[1], nil)
}

// missingLines names the first lines that are in one text and not in another.
func missingLines(saved, again []byte, skip func(string) bool) string {
	there := map[string]int{}
	for line := range strings.Lines(string(again)) {
		there[strings.TrimSpace(line)]++
	}
	var missing []string
	for line := range strings.Lines(string(saved)) {
		line = strings.TrimSpace(line)
		if line == "" || skip != nil && skip(line) {
			continue
		}
		if there[line]--; there[line] < 0 {
			missing = append(missing, line)
		}
	}
	if len(missing) == 0 {
		return ""
	}
	return fmt.Sprintf("%d lines differ, first: %s", len(missing), clipped(secretless(missing[0])))
}

// secretless takes out what follows the word that announces a password's hash.
func secretless(line string) string {
	for _, word := range []string{"PASSWORD", "IDENTIFIED"} {
		if at := strings.Index(line, word); at >= 0 {
			return line[:at] + word + " …"
		}
	}
	return line
}

func clipped(s string) string {
	if len(s) > 120 {
		return strings.ToValidUTF8(s[:120], "") + "…"
	}
	return s
}
