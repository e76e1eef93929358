package mysql

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// own are the databases of the server itself. Users are saved as statements,
// and the rest of the database mysql cannot be taken to another server.
var own = []string{"information_schema", "performance_schema", "mysql", "sys"}

// list reads what is there. names are the databases; nil means all. If all of it
// is wanted, a table that cannot be looked at is an error.
func list(ctx context.Context, c *session, s server, names []string, all bool) (*Description, error) {
	desc := &Description{Format: descriptionFormat, Kind: descriptionKind, Server: s.String(), Databases: []Database{}, names: map[[2]string]bool{}}
	v, err := c.row(ctx, "SELECT @@character_set_server, @@collation_server")
	if err != nil {
		return nil, fmt.Errorf("ask for the character set: %w", err)
	}
	desc.Charset, desc.Collation = v[0], v[1]
	if err := listDatabases(ctx, c, s, desc, names); err != nil {
		return nil, err
	}
	for i := range desc.Databases {
		if err := desc.listTables(ctx, c, &desc.Databases[i], all); err != nil {
			return nil, fmt.Errorf("list the tables of %s: %w", desc.Databases[i].Name, err)
		}
	}
	return desc, nil
}

func listDatabases(ctx context.Context, c *session, s server, desc *Description, names []string) error {
	comment := "''"
	if s.maria && s.since(10, 5) {
		comment = "SCHEMA_COMMENT"
	}
	query := "SELECT SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME, " + comment + " FROM information_schema.SCHEMATA WHERE "
	if names == nil {
		query += "LOWER(SCHEMA_NAME) NOT IN (" + texts(own) + ")"
	} else {
		query += "SCHEMA_NAME IN (" + texts(names) + ")"
	}
	err := c.each(ctx, query, func(v []string) error {
		d := Database{Name: v[0], Folder: fileName(v[0]), Charset: v[1], Collation: v[2], Comment: v[3], Tables: []Table{}}
		desc.Databases = append(desc.Databases, d)
		return nil
	})
	if err != nil {
		return fmt.Errorf("list the databases: %w", err)
	}
	for _, n := range names {
		if !slices.ContainsFunc(desc.Databases, func(d Database) bool { return d.Name == n }) {
			return fmt.Errorf("the server has no database %q, or does not show it to this user", n)
		}
	}
	slices.SortFunc(desc.Databases, func(a, b Database) int { return cmp.Compare(a.Folder, b.Folder) })
	return nil
}

// tableTypes are the types of what has rows: not of views.
var tableTypes = []string{"BASE TABLE", "SYSTEM VERSIONED", "SEQUENCE"}

// listTables fills in d's tables with their columns and keys.
func (desc *Description) listTables(ctx context.Context, c *session, d *Database, all bool) error {
	in := " WHERE TABLE_SCHEMA=" + text(d.Name)
	err := c.each(ctx, "SELECT TABLE_NAME, TABLE_TYPE, IFNULL(ENGINE,''), IFNULL(TABLE_COMMENT,'') FROM information_schema.TABLES"+in, func(v []string) error {
		desc.names[[2]string{d.Name, v[0]}] = true
		if !slices.Contains(tableTypes, v[1]) {
			return nil
		}
		switch { // the server could not open it, and says why in the comment
		case v[2] == "" && (!all || v[3] == ""):
			return nil
		case v[2] == "" && strings.Contains(v[3], "ock wait timeout"):
			return errMoved
		case v[2] == "":
			return fmt.Errorf("the table %s cannot be read: %s", v[0], v[3])
		}
		t := Table{Name: v[0], Type: v[1], Engine: v[2], Columns: []Column{}}
		if !elsewhere(t.Engine) {
			t.File = fileName(t.Name) + extension
		}
		d.Tables = append(d.Tables, t)
		return nil
	})
	if err != nil {
		return err
	}
	byName := map[string]*Table{}
	for i := range d.Tables {
		byName[d.Tables[i].Name] = &d.Tables[i]
	}
	if err := listColumns(ctx, c, in, byName); err != nil {
		return err
	}
	if err := listKeys(ctx, c, in, byName); err != nil {
		return err
	}
	slices.SortFunc(d.Tables, func(a, b Table) int { return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Name, b.Name)) })
	return nil
}

// listColumns fills in the columns that have values of their own: generated
// ones have none, but the period of a system-versioned table has.
func listColumns(ctx context.Context, c *session, in string, tables map[string]*Table) error {
	for _, t := range tables {
		if t.Type == "SYSTEM VERSIONED" {
			t.History = true
		}
	}
	declared := map[string]bool{} // tables that name the columns of their period
	err := c.each(ctx, "SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE, EXTRA, IFNULL(GENERATION_EXPRESSION,''), COLUMN_TYPE FROM information_schema.COLUMNS"+in+
		" ORDER BY TABLE_NAME, ORDINAL_POSITION", func(v []string) error {
		t, column := tables[v[0]], Column{Name: v[1], Type: v[2], zero: zeroOf(v[2], v[5])}
		switch {
		case t == nil:
		case v[4] == "ROW START" || v[4] == "ROW END":
			declared[t.Name] = true
			t.bound(column, v[4] == "ROW END")
		case v[4] == "" && !strings.Contains(v[3], "VIRTUAL") && !strings.Contains(v[3], "STORED"):
			t.Columns = append(t.Columns, column)
		}
		return nil
	})
	for _, t := range tables {
		if t.History && !declared[t.Name] { // then they exist all the same, and no list shows them
			t.bound(Column{Name: "row_start", Type: "timestamp"}, false)
			t.bound(Column{Name: "row_end", Type: "timestamp"}, true)
		}
	}
	return err
}

// emptyMember finds an empty string among an ENUM's.
var emptyMember = regexp.MustCompile(`[(,]''[,)]`)

// zeroOf returns a number that an ENUM takes for its value number 0, which stands
// for an error and looks like the empty string. It is needed only where the empty
// string is a value of its own.
func zeroOf(dataType, columnType string) string {
	if dataType != "enum" || !emptyMember.MatchString(columnType) {
		return ""
	}
	zero := "0"
	for strings.Contains(columnType, "'"+zero+"'") {
		zero += "0"
	}
	return zero
}

// bound adds a bound of the period of a system-versioned table. One that is a
// transaction's number means nothing on another server: of such a table only
// the present is saved.
func (t *Table) bound(c Column, end bool) {
	switch {
	case c.Type != "timestamp":
		t.History = false
	case end:
		t.Key = append(t.Key, c.Name) // of the versions of a row each ends at another time
		fallthrough
	default:
		t.Columns = append(t.Columns, c)
	}
}

// listKeys fills in what the rows are sorted by: the primary key, or another
// unique key without NULLs.
func listKeys(ctx context.Context, c *session, in string, tables map[string]*Table) error {
	type key struct {
		table, name string
	}
	columns, unusable := map[key][]string{}, map[key]bool{}
	var keys []key
	err := c.each(ctx, "SELECT TABLE_NAME, INDEX_NAME, IFNULL(COLUMN_NAME,''), NULLABLE FROM information_schema.STATISTICS"+in+
		" AND NON_UNIQUE=0 ORDER BY TABLE_NAME, INDEX_NAME<>'PRIMARY', INDEX_NAME, SEQ_IN_INDEX", func(v []string) error {
		k := key{v[0], v[1]}
		if columns[k] == nil {
			keys = append(keys, k)
		}
		columns[k] = append(columns[k], v[2])
		if v[2] == "" || v[3] == "YES" {
			unusable[k] = true
		}
		return nil
	})
	keyed := map[string]bool{}
	for _, k := range keys {
		t := tables[k.table]
		if t == nil || keyed[k.table] || unusable[k] {
			continue
		}
		keyed[k.table] = true
		end := slices.DeleteFunc(t.Key, func(c string) bool { return slices.Contains(columns[k], c) })
		t.Key = append(columns[k], end...)
	}
	for name, t := range tables {
		if !keyed[name] {
			t.Key = nil
		}
	}
	return err
}
