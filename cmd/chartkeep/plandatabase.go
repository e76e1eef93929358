package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"chartkeep/cmd/internal/config"
	"chartkeep/snapshot"
	"chartkeep/sources"
	"chartkeep/sources/mysql"
	"chartkeep/sources/postgres"
)

// databaseKinds are the servers that can be read, by the scheme of a database's
// address.
var databaseKinds = map[string]string{"postgres": "postgres", "postgresql": "postgres", "mysql": "mysql", "mariadb": "mysql"}

// databaseKind is the kind of server that an address names; empty: it is no
// database's.
func databaseKind(address string) string {
	scheme, _, ok := strings.Cut(address, "://")
	if !ok {
		return ""
	}
	return databaseKinds[strings.ToLower(scheme)]
}

// addDatabase adds a source's database.
func (p *program) addDatabase(t *task, s config.Source, password func() ([]byte, error)) error {
	d := *s.Database
	source, err := p.openDatabase(s.Name, d, password)
	if err != nil {
		return fmt.Errorf("source %s: %w", s.Name, err)
	}
	t.addApart(s.Name, databaseKind(d.URL), path.Join("/", s.Name), &bounded{Source: source, limit: d.TimeLimit})
	return nil
}

// openDatabase is the table of databases.
func (p *program) openDatabase(name string, d config.Database, password func() ([]byte, error)) (sources.Moment, error) {
	say := func(text string) { p.Remark("%s: %s", name, text) }
	switch databaseKind(d.URL) {
	case "postgres":
		return postgres.New(postgres.Options{
			Name: name, URL: d.URL, Password: password, Databases: d.Databases, All: allDatabases(d), Workers: d.Readers, Log: say,
		})
	case "mysql":
		return mysql.New(mysql.Options{
			Name: name, URL: mysqlURL(d.URL), Password: password, Databases: d.Databases, All: allDatabases(d), Workers: d.Readers, Log: say,
		})
	}
	return nil, failed("Write it as postgres://user@host/name or mysql://user@host/name.", "%q is no database's address", d.URL)
}

// mysqlURL gives both of a family's schemes the same name.
func mysqlURL(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	return "mysql://" + rest
}

// allDatabases reports whether an address names a server and no database of it.
func allDatabases(d config.Database) bool {
	u, err := url.Parse(d.URL)
	return err == nil && len(d.Databases) == 0 && strings.Trim(u.Path, "/") == "" && !u.Query().Has("dbname")
}

// databasePassword is what was given for databases in a file or in the
// environment; nil leaves it to the server's own customs.
func (p *program) databasePassword(file string) func() ([]byte, error) {
	o := *p
	o.side, o.secrets, o.passwordFile = databaseSide, p.others[databaseSide], file
	if file == "" && o.secrets == (secrets{}) {
		return nil
	}
	return func() ([]byte, error) {
		password, _, err := o.password(context.Background(), "")
		return password, err
	}
}

// addDatabases takes the databases' addresses out of what is to be backed up and
// adds them to the task. It returns the paths.
func (p *program) addDatabases(t *task, given []string) (paths []string, err error) {
	for _, g := range given {
		if databaseKind(g) == "" {
			paths = append(paths, g)
			continue
		}
		name := databaseName(t, g)
		s := config.Source{Name: name, Database: &config.Database{URL: g}}
		if err := p.addDatabase(t, s, p.databasePassword(p.databaseFile)); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

// unfitNames are the runs of bytes that a source's name cannot have.
var unfitNames = regexp.MustCompile(`[^a-z0-9_]+`)

// databaseName is what a database's source is called in a snapshot: nearly as on
// its server. Below it stands the name as it is.
func databaseName(t *task, address string) string {
	base := databaseKind(address)
	if u, err := url.Parse(address); err == nil {
		if name := strings.Trim(unfitNames.ReplaceAllString(strings.ToLower(u.Path), "-"), "-_"); name != "" {
			base = name
		}
	}
	name := base
	for n := 2; slices.Contains(t.paths, path.Join("/", name)); n++ {
		name = fmt.Sprintf("%s-%d", base, n)
	}
	return name
}

// lostTables are the tables of a source that held rows when it was last read
// and are empty or gone.
func (b *backupRun) lostTables(now *snapshot.SourceRecord) (lost []string) {
	if b.parent == nil {
		return nil
	}
	for _, r := range b.parent.Sources {
		if r.Name != now.Name || r.Kind != now.Kind || r.Error != "" {
			continue
		}
		texts, err := sources.Lost(r.Facts, now.Facts)
		if err != nil {
			return nil // an older form of the facts says nothing
		}
		for _, text := range texts {
			b.Warn("%s: %s", now.Name, text)
			lost = append(lost, "source "+now.Name+": "+text)
		}
	}
	return lost
}

// allLost is an error when nothing of what was to be saved could be read: there
// is nothing to make a snapshot of.
func (t *task) allLost() error {
	if _, none := t.source.(bareRoot); !none || len(t.order) == 0 {
		return nil
	}
	var errs []error
	for _, r := range t.order {
		if r.Error == "" {
			return nil
		}
		errs = append(errs, fmt.Errorf("%s: %s", r.Name, r.Error))
	}
	return fmt.Errorf("nothing was saved: %w", errors.Join(errs...))
}

// End implements sources.Moment.
func (b *bounded) End(ctx context.Context) (facts map[string]string, err error) {
	if m, ok := b.Source.(sources.Moment); ok {
		facts, err = m.End(ctx)
	}
	if b.stop != nil {
		b.stop()
	}
	return facts, err
}
