package config

import (
	"fmt"
	"strings"
)

// layouts are the ways in which folders of files are arranged.
var layouts = []string{"file", "folder/file", "letter/folder/file"}

// presetConfig reads where a practice system's own settings are.
func (r *reader) presetConfig(t *table, s *Source) {
	t.path("config", &s.Config)
	if s.Config != "" && s.Preset != "opendental" {
		r.problem(t.at("config"), "belongs to the preset opendental")
	}
}

// crossChecks reads one rule, or a list of them.
func (r *reader) crossChecks(t *table, s *Source) {
	value, ok := t.take("crosscheck")
	if !ok {
		return
	}
	place := t.at("crosscheck")
	if s.Database == nil && s.Preset == "" {
		r.problem(place, "belongs to a database, and there is none")
		return
	}
	elements, isList := value.([]any)
	if !isList {
		s.CrossChecks = append(s.CrossChecks, r.crossCheck(r.table(place, value)))
	}
	for i, e := range elements {
		s.CrossChecks = append(s.CrossChecks, r.crossCheck(r.table(at(place, i), e)))
	}
}

func (r *reader) crossCheck(t *table) (c CrossCheck) {
	t.text("database", &c.Database)
	t.text("table", &c.Table)
	t.text("file_column", &c.FileColumn)
	t.text("folder_table", &c.FolderTable)
	t.text("folder_column", &c.FolderColumn)
	var join [2]string
	parsed(t, "join", parseJoin, &join)
	c.Join, c.FolderJoin = join[0], join[1]
	c.Layout = layouts[0]
	if c.FolderColumn != "" {
		c.Layout = layouts[1]
	}
	choice(t, "layout", &c.Layout, layouts...)
	t.absolute("root", &c.Roots)
	t.list("ignore", &c.Ignore)
	t.yes("ignore_case", &c.IgnoreCase)
	t.yes("optional", &c.Optional)
	r.wholeCheck(t, c)
	t.done()
	return c
}

// wholeCheck complains of what is missing from a rule.
func (r *reader) wholeCheck(t *table, c CrossCheck) {
	switch {
	case c.Table == "":
		r.problem(t.place, "needs table: whose rows name files")
	case c.FileColumn == "":
		r.problem(t.place, "needs file_column: in which column of %s the files' names are", c.Table)
	case c.FolderTable != "" && (c.FolderColumn == "" || c.Join == ""):
		r.problem(t.place, "folder_table needs folder_column and join: the column by which rows of both tables belong together")
	case c.Layout != layouts[0] && c.FolderColumn == "":
		r.problem(t.at("layout"), "needs folder_column: in which column the folder is")
	}
}

// parseJoin reads "PatNum", or "patient = id" where the tables have different
// names for it.
func parseJoin(text string) (names [2]string, err error) {
	here, there, two := strings.Cut(text, "=")
	names[0], names[1] = strings.TrimSpace(here), strings.TrimSpace(there)
	if !two {
		names[1] = names[0]
	}
	if names[0] == "" || names[1] == "" {
		return names, fmt.Errorf(`want a column that both tables have, or "column = column of folder_table"`)
	}
	return names, nil
}

type crossCheckShown struct {
	Database     string   `toml:"database,omitempty"`
	Table        string   `toml:"table"`
	FileColumn   string   `toml:"file_column"`
	FolderTable  string   `toml:"folder_table,omitempty"`
	FolderColumn string   `toml:"folder_column,omitempty"`
	Join         string   `toml:"join,omitempty"`
	Layout       string   `toml:"layout"`
	Roots        []string `toml:"root,omitempty"`
	Ignore       []string `toml:"ignore,omitempty"`
	IgnoreCase   bool     `toml:"ignore_case,omitempty"`
	Optional     bool     `toml:"optional,omitempty"`
}

func (c CrossCheck) shown() crossCheckShown {
	join := c.Join
	if c.FolderJoin != c.Join {
		join += " = " + c.FolderJoin
	}
	return crossCheckShown{
		c.Database, c.Table, c.FileColumn, c.FolderTable, c.FolderColumn, join, c.Layout, c.Roots, c.Ignore, c.IgnoreCase, c.Optional,
	}
}
