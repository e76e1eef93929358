package mysql

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"reflect"
	"slices"
	"strings"

	"chartkeep/sources"
)

// A Description says what was saved of a server. It has nothing in it that
// changes while the databases' structure does not.
type Description struct {
	Format    int        `json:"format"` // version of the layout: 1
	Kind      string     `json:"kind"`   // "mysql", also of MariaDB
	Server    string     `json:"server"` // "MariaDB 10.11.19-MariaDB"
	Charset   string     `json:"charset"`
	Collation string     `json:"collation"`
	Databases []Database `json:"databases"` // sorted by Folder

	names map[[2]string]bool // database and name of every table and view
}

// A Database is one of a Description's.
type Database struct {
	Name      string  `json:"name"`
	Folder    string  `json:"folder"`
	Charset   string  `json:"charset"`
	Collation string  `json:"collation"`
	Comment   string  `json:"comment,omitempty"`
	Tables    []Table `json:"tables"` // sorted by File
}

// A Table is a table or sequence. Views are in the definitions only.
type Table struct {
	Name    string   `json:"name"`
	File    string   `json:"file"`              // in the folder tables; empty: it has a definition but no data of its own
	Type    string   `json:"type"`              // as information_schema says: BASE TABLE, SYSTEM VERSIONED, SEQUENCE
	Engine  string   `json:"engine"`            // InnoDB, MyISAM, …
	History bool     `json:"history,omitempty"` // rows of the past are there too
	Columns []Column `json:"columns"`           // the file's, in order
	Key     []string `json:"key,omitempty"`     // the rows are sorted by these columns; none: in no order that stays
}

// A Column is a column whose values are in a table's file.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"` // information_schema's DATA_TYPE: int, varchar, …

	zero string // what zeroOf says
}

// DescriptionFile is the name of the description in a source's folder.
const DescriptionFile = "database.json"

const (
	descriptionFormat = 1
	descriptionKind   = "mysql"
	usersFile         = "users.sql"
	definitionsFile   = "definitions.sql"
	tablesFolder      = "tables"
	extension         = ".tsv"
)

// path is where a table's rows are, relative to the source's folder.
func (d *Database) path(t *Table) string { return d.Folder + "/" + tablesFolder + "/" + t.File }

// sequence reports whether t is a sequence: one row that is its state.
func (t *Table) sequence() bool { return t.Type == "SEQUENCE" }

// transactional reports whether a snapshot of the engine can be read while
// others write. All other engines' tables are locked.
func (t *Table) transactional() bool {
	return strings.EqualFold(t.Engine, "InnoDB") || strings.EqualFold(t.Engine, "ROCKSDB")
}

// elsewhere reports whether the rows are not the table's own: they lie in other
// tables, on other servers, or nowhere. The vendors' dump programs leave them
// out as well.
func elsewhere(engine string) bool {
	switch strings.ToUpper(engine) {
	case "MRG_MYISAM", "MRG_ISAM", "FEDERATED", "CONNECT", "SPIDER", "OQGRAPH", "S3", "BLACKHOLE", "SPHINX", "NDB", "NDBCLUSTER", "PERFORMANCE_SCHEMA":
		return true
	}
	return false
}

// longestFile is how many bytes a file's name may have: file systems take 255,
// and programs add endings.
const longestFile = 240

// fileName is the name of a file for a name. One that would be too long is cut
// and ends in a part of its hash; the description has the whole name.
func fileName(name string) string {
	f := sources.FileName(name)
	if len(f)+len(extension) <= longestFile {
		return f
	}
	sum := sha256.Sum256([]byte(name))
	return strings.ToValidUTF8(f[:longestFile-40], "") + "~" + hex.EncodeToString(sum[:16])
}

// locked reports whether t is locked to be read.
func (t *Table) locked() bool { return t.File != "" && !t.transactional() && !t.sequence() }

// tables ranges over all tables with their databases.
func (c *Description) tables() iter.Seq2[*Database, *Table] {
	return func(yield func(*Database, *Table) bool) {
		for i := range c.Databases {
			d := &c.Databases[i]
			for k := range d.Tables {
				if !yield(d, &d.Tables[k]) {
					return
				}
			}
		}
	}
}

// count returns how many tables are read from snapshots, and how many are
// locked.
func (c *Description) count() (snapshots, locks int) {
	for _, t := range c.tables() {
		switch {
		case t.locked():
			locks++
		case t.File != "" && !t.sequence():
			snapshots++
		}
	}
	return snapshots, locks
}

// namesOf returns the names of a database's tables and views, sorted.
func (c *Description) namesOf(database string) []string {
	var all []string
	for n := range c.names {
		if n[0] == database {
			all = append(all, n[1])
		}
	}
	slices.Sort(all)
	return all
}

// agrees fails if a table of c is not the same in a list made later. Tables
// that came meanwhile do not matter.
func (c *Description) agrees(later *Description) error {
	now := map[[2]string]*Table{}
	for d, t := range later.tables() {
		now[[2]string{d.Name, t.Name}] = t
	}
	for d, t := range c.tables() {
		if other := now[[2]string{d.Name, t.Name}]; other == nil || !reflect.DeepEqual(t, other) {
			return errMoved
		}
	}
	return nil
}

// encode returns the bytes of the description's file.
func (c *Description) encode() ([]byte, error) {
	b, err := json.MarshalIndent(c, "", "\t")
	return append(b, '\n'), err
}

// ReadDescription reads what was saved of a server.
func ReadDescription(ctx context.Context, from sources.Restorable) (*Description, error) {
	b, err := readAll(ctx, from, DescriptionFile)
	if err != nil {
		return nil, err
	}
	c := new(Description)
	if err := json.Unmarshal(b, c); err != nil {
		return nil, fmt.Errorf("read %s: %w", DescriptionFile, err)
	}
	if c.Kind != descriptionKind {
		return nil, fmt.Errorf("%s is not of a MySQL or MariaDB server", DescriptionFile)
	}
	if c.Format != descriptionFormat {
		return nil, fmt.Errorf("%s has format %d, and this program knows %d: a newer one may be needed", DescriptionFile, c.Format, descriptionFormat)
	}
	return c, nil
}

// largestText bounds the files that are read whole, bytes.
const largestText = 1 << 30

func readAll(ctx context.Context, from sources.Restorable, path string) ([]byte, error) {
	r, err := from.Open(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, largestText))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return b, nil
}
