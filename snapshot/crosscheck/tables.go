package crosscheck

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"chartkeep/sources"
	"chartkeep/sources/mysql"
	"chartkeep/sources/postgres"
)

// errNoTable says that a database does not have a rule's table.
var errNoTable = errors.New("no such table was saved")

// A table is one whose rows were saved.
type table struct {
	database, schema, name string
	path                   string // of the file, below the source's folder
	columns                []string
	key                    string // first column of the primary key; empty: none
}

// tablesOf lists the tables of a saved source of either kind.
func tablesOf(ctx context.Context, saved sources.Restorable) ([]table, error) {
	f, err := saved.Open(ctx, postgres.DescriptionFile)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", postgres.DescriptionFile, err)
	}
	d, err := postgres.ReadDescription(f)
	f.Close()
	if err == nil {
		return postgresTables(d), nil
	}
	m, err := mysql.ReadDescription(ctx, saved)
	if err != nil {
		return nil, err
	}
	return mysqlTables(m), nil
}

func postgresTables(d *postgres.Description) (all []table) {
	for _, b := range d.Databases {
		for _, t := range b.Tables {
			one := table{database: string(b.Name), schema: string(t.Schema), name: string(t.Name), path: b.Folder + "/tables/" + t.File}
			for _, c := range t.Columns {
				one.columns = append(one.columns, string(c.Name))
			}
			if len(t.Key) > 0 {
				one.key = string(t.Key[0])
			}
			all = append(all, one)
		}
	}
	return all
}

func mysqlTables(d *mysql.Description) (all []table) {
	for _, b := range d.Databases {
		for _, t := range b.Tables {
			if t.File == "" {
				continue
			}
			one := table{database: b.Name, name: t.Name, path: b.Folder + "/tables/" + t.File}
			for _, c := range t.Columns {
				one.columns = append(one.columns, c.Name)
			}
			if len(t.Key) > 0 {
				one.key = t.Key[0]
			}
			all = append(all, one)
		}
	}
	return all
}

// find returns the one table of a name, which may have its schema in front.
func find(all []table, database, name string) (table, error) {
	var found []table
	for _, t := range all {
		whole := t.name
		if t.schema != "" && strings.Contains(name, ".") {
			whole = t.schema + "." + t.name
		}
		if (database == "" || t.database == database) && strings.EqualFold(whole, name) {
			found = append(found, t)
		}
	}
	switch len(found) {
	case 0:
		return table{}, fmt.Errorf("table %s: %w", name, errNoTable)
	case 1:
		return found[0], nil
	}
	return table{}, fmt.Errorf("table %s: several were saved, say which (%s.%s, %s.%s)", name,
		found[0].database, found[0].name, found[1].database, found[1].name)
}

// named is how a row is called, and what it names.
func (t *table) named(key, file string) string {
	if t.key == "" {
		return t.name + ": " + file
	}
	return t.name + " " + key + ": " + file
}

// column is the number of a column.
func (t *table) column(name string) (int, error) {
	i := slices.IndexFunc(t.columns, func(c string) bool { return strings.EqualFold(c, name) })
	if i < 0 {
		return 0, fmt.Errorf("table %s has no column %s", t.name, name)
	}
	return i, nil
}

// read calls do with some columns of every row.
func (t *table) read(ctx context.Context, saved sources.Restorable, columns []string, do func(row) error) error {
	var wanted []int
	for _, name := range columns {
		i, err := t.column(name)
		if err != nil {
			return err
		}
		wanted = append(wanted, i)
	}
	f, err := saved.Open(ctx, t.path)
	if err != nil {
		return fmt.Errorf("table %s: %w", t.name, err)
	}
	defer f.Close()
	if err := eachRow(f, len(t.columns), wanted, do); err != nil {
		return fmt.Errorf("table %s: %w", t.name, err)
	}
	return nil
}
