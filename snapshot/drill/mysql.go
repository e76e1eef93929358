package drill

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	driver "github.com/go-sql-driver/mysql"

	"chartkeep/sources"
	"chartkeep/sources/mysql"
)

// mysqlEngine drills MariaDB's and MySQL's databases.
type mysqlEngine struct {
	place
	desc   *mysql.Description
	server *mysql.Server
}

func newMySQL(ctx context.Context, at place) (engine, error) {
	d, err := mysql.ReadDescription(ctx, at.saved)
	if err != nil {
		return nil, err
	}
	return &mysqlEngine{place: at, desc: d}, nil
}

func (e *mysqlEngine) databases() (names []string) {
	for _, d := range e.desc.Databases {
		names = append(names, d.Name)
	}
	return names
}

// start starts a server of the saved one's family that is not older.
func (e *mysqlEngine) start(ctx context.Context) (func() error, error) {
	s, err := mysql.Scratch(ctx, mysql.ScratchOptions{Dir: e.dir, Programs: e.programs, Like: e.desc.Server})
	if err != nil {
		return nil, err
	}
	e.server = s
	return s.Stop, nil
}

var twoNumbers = regexp.MustCompile(`(\d+)\.(\d+)`)

// release is a version's first two numbers.
func release(version string) []int {
	var a, b int
	_, _ = fmt.Sscanf(twoNumbers.FindString(version), "%d.%d", &a, &b) // zeros where there are none
	return []int{a, b}
}

func (e *mysqlEngine) load(ctx context.Context, database string) (loaded, error) {
	o := mysql.RestoreOptions{
		Saved: e.saved, Database: database, URL: e.server.URL(""), Create: true, Overwrite: true, Users: true, Programs: e.programs, Log: e.say,
		Progress: func(p mysql.Progress) { e.step(progressed(p.Step, p.Table, p.Done, p.Total)) },
	}
	if _, counted := e.rec.Facts[sources.TablesOf+database]; counted {
		var err error
		if o.Counts, err = sources.Counts(e.rec.Facts, database); err != nil {
			return loaded{}, err
		}
	}
	r, err := mysql.Restore(ctx, o)
	return loaded{len(r.Counts), r.Rows, r.Bytes, r.Left}, err
}

func (e *mysqlEngine) reader() (sources.Moment, error) {
	return mysql.New(mysql.Options{Name: e.rec.Name, URL: e.server.URL(""), Databases: e.databases(), Programs: e.programs, Log: e.say})
}

// Names of a source's files.
const (
	usersFile        = "users.sql"
	mysqlDefinitions = "definitions.sql"
)

func (e *mysqlEngine) texts(p string) bool {
	return p == mysql.DescriptionFile || p == usersFile || path.Base(p) == mysqlDefinitions
}

func (e *mysqlEngine) judge(_ context.Context, p string, saved, again []byte) verdict {
	other := !slices.Equal(release(e.desc.Server), release(e.server.Version))
	switch {
	case p == mysql.DescriptionFile:
		return verdict{compareMySQL(saved, again), other}
	case p == usersFile:
		return verdict{missingLines(saved, again, ownUser), other}
	case path.Base(p) == mysqlDefinitions:
		saved, again = namedCharset.ReplaceAll(saved, []byte(" COLLATE ")), namedCharset.ReplaceAll(again, []byte(" COLLATE "))
		text := missingLines(saved, again, nil)
		if text == "" {
			text = missingLines(again, saved, nil)
		}
		return verdict{text, other}
	case e.unordered(p):
		return verdict{} // count compares it
	}
	return verdict{differs: "its bytes differ"}
}

// namedCharset finds what MySQL says of a column whose collation was named, and
// not of one that has its table's: a column made from a dump is of the first
// kind. The collation tells the character set.
var namedCharset = regexp.MustCompile(` CHARACTER SET \w+ COLLATE `)

// unordered reports whether a file is of a table whose rows lie in no order.
func (e *mysqlEngine) unordered(p string) bool {
	for _, d := range e.desc.Databases {
		if file, ok := strings.CutPrefix(p, d.Folder+"/tables/"); ok {
			return slices.ContainsFunc(d.Tables, func(t mysql.Table) bool { return t.File == file && len(t.Key) == 0 })
		}
	}
	return false
}

// compareMySQL leaves out what is the server's and not the databases'.
func compareMySQL(saved, again []byte) string {
	var both [2][]byte
	for i, text := range [][]byte{saved, again} {
		var d mysql.Description
		if err := json.Unmarshal(text, &d); err != nil {
			return err.Error()
		}
		d.Server, d.Charset, d.Collation = "", "", ""
		both[i], _ = json.MarshalIndent(d, "", " ") // it was just read from JSON
	}
	return missingLines(both[0], both[1], nil)
}

// ownUser reports whether a line is about a user that every server has of its
// own.
func ownUser(line string) bool {
	for _, name := range []string{"`root`@", "`mysql`@", "`mariadb.sys`@", "`PUBLIC`"} {
		if strings.Contains(line, name) {
			return true
		}
	}
	return false
}

func (e *mysqlEngine) count(facts map[string]string) (differs []string, err error) {
	for _, name := range e.databases() {
		if _, ok := e.rec.Facts[sources.TablesOf+name]; !ok {
			return differs, errors.New("nothing was counted when it was saved, so tables without a key could not be compared")
		}
		was, err := sources.Counts(e.rec.Facts, name)
		if err != nil {
			return differs, err
		}
		is, err := sources.Counts(facts, name)
		if err != nil {
			return differs, err
		}
		for _, table := range slices.Sorted(maps.Keys(was)) {
			if was[table] != is[table] {
				differs = append(differs, fmt.Sprintf("%s: %s held %d rows and holds %d, or others", name, table, was[table].Rows, is[table].Rows))
			}
		}
	}
	return differs, nil
}

// check runs CHECK TABLE … EXTENDED on every table.
func (e *mysqlEngine) check(ctx context.Context, database string) (faults []string, left string, err error) {
	c := driver.NewConfig()
	c.User, c.Net, c.Addr = "root", "unix", e.server.Socket()
	connector, err := driver.NewConnector(c)
	if err != nil {
		return nil, "", err
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	for _, d := range e.desc.Databases {
		if d.Name != database {
			continue
		}
		for _, t := range d.Tables {
			if t.Type == "SEQUENCE" || t.File == "" {
				continue
			}
			found, err := checkTable(ctx, db, quoted(d.Name)+"."+quoted(t.Name))
			if err != nil {
				return nil, "", err
			}
			faults = append(faults, found...)
		}
	}
	return faults, "", nil
}

func quoted(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func checkTable(ctx context.Context, db *sql.DB, table string) (faults []string, err error) {
	rows, err := db.QueryContext(ctx, "CHECK TABLE "+table+" EXTENDED")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name, operation, kind, text string
		if err := rows.Scan(&name, &operation, &kind, &text); err != nil {
			return nil, err
		}
		if strings.EqualFold(kind, "error") || strings.EqualFold(kind, "status") && text != "OK" && text != "Table is already up to date" {
			faults = append(faults, name+": "+text)
		}
	}
	return faults, rows.Err()
}
