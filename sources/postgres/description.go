package postgres

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// DescriptionFile is the name of the description in a source's folder.
const DescriptionFile = "database.json"

// formatVersion is the version of the layout that the package comment shows.
const formatVersion = 1

// A Description says what was saved of a server. It has nothing in it that
// changes while the databases' structure does not.
type Description struct {
	Format    int        `json:"format"`  // version of the layout: 1
	Kind      string     `json:"kind"`    // "postgresql"
	Server    string     `json:"server"`  // version, as 15.18
	Program   int        `json:"pg_dump"` // major version of the program that wrote the definitions
	Databases []Database `json:"databases"`
}

// A Database is what a database is beside what pg_dump's archive says of it.
type Database struct {
	Name       Name   `json:"name"`
	Folder     string `json:"folder"` // where it lies, below the source's
	Owner      Name   `json:"owner"`
	Encoding   string `json:"encoding"`
	Collate    string `json:"collate"`
	CType      string `json:"ctype"`
	Provider   string `json:"locale_provider,omitempty"` // libc, icu or builtin
	Locale     string `json:"locale,omitempty"`          // of icu and builtin
	Rules      string `json:"icu_rules,omitempty"`
	Collations string `json:"collation_version,omitempty"` // of the system's library, now

	Comment     *Name     `json:"comment,omitempty"`
	Connections int       `json:"connection_limit"` // -1: any number
	Grants      []Grant   `json:"grants,omitempty"` // nil: what a new database has
	Settings    []Setting `json:"settings,omitempty"`

	Extensions []Extension `json:"extensions,omitempty"`
	Tables     []Table     `json:"tables,omitempty"`
	Objects    bool        `json:"large_objects,omitempty"` // it holds some
}

// A Grant is one item of an access control list.
type Grant struct {
	Grantor   Name   `json:"grantor"`
	Grantee   Name   `json:"grantee,omitempty"` // empty: everybody
	Privilege string `json:"privilege"`
	Grantable bool   `json:"grantable,omitempty"`
}

// A Setting is one that a database has, perhaps for one role.
type Setting struct {
	Role  Name   `json:"role,omitempty"`
	Name  string `json:"name"`
	Value Name   `json:"value"`
}

// An Extension is one that a database has installed.
type Extension struct {
	Name    Name   `json:"name"`
	Version string `json:"version"`
}

// A Table is one whose rows are saved.
type Table struct {
	Schema  Name     `json:"schema"`
	Name    Name     `json:"name"`
	File    string   `json:"file"` // in the database's folder tables
	Columns []Column `json:"columns,omitempty"`
	Key     []Name   `json:"key,omitempty"`  // the rows are in its order; none: in no order that stays
	Root    *Place   `json:"root,omitempty"` // partitions that have to be loaded through another table
	Config  bool     `json:"extension,omitempty"`

	oid       uint32
	condition string // of the rows, for an extension's table: "WHERE …"
}

// A Column is one that is saved: generated ones are not.
type Column struct {
	Name    Name `json:"name"`
	Type    Name `json:"type"`
	NotNull bool `json:"not_null,omitempty"`
}

// A Place names a table.
type Place struct {
	Schema Name `json:"schema"`
	Name   Name `json:"name"`
}

// place is the table's name.
func (t *Table) place() Place { return Place{t.Schema, t.Name} }

// String is the name as a person reads it.
func (p Place) String() string { return string(p.Schema) + "." + string(p.Name) }

// sql is the name as the server reads it.
func (p Place) sql() string { return quote(string(p.Schema)) + "." + quote(string(p.Name)) }

func (t *Table) columnNames() []Name {
	names := make([]Name, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return names
}

// encode returns the description's file.
func (d *Description) encode() ([]byte, error) {
	b, err := json.MarshalIndent(d, "", "\t")
	return append(b, '\n'), err
}

// ErrFormat says that what is to be restored was saved by a newer program, or
// is no PostgreSQL server's.
var ErrFormat = errors.New("not a PostgreSQL backup that this version can read")

// largestDescription bounds what is read of a description, bytes.
const largestDescription = 1 << 30

// ReadDescription reads a description's file.
func ReadDescription(r io.Reader) (*Description, error) {
	var d Description
	if err := json.NewDecoder(io.LimitReader(r, largestDescription)).Decode(&d); err != nil {
		return nil, fmt.Errorf("%s: %w", DescriptionFile, err)
	}
	if d.Kind != kind || d.Format != formatVersion {
		return nil, fmt.Errorf("%s: %w (kind %q, format %d)", DescriptionFile, ErrFormat, d.Kind, d.Format)
	}
	return &d, nil
}

const kind = "postgresql"
