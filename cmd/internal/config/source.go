package config

import (
	"cmp"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"chartkeep/cmd/internal/secret"
)

// presets are the practice systems that are known.
var presets = []string{"opendental", "macpractice", "soapware", "exact"}

func (r *reader) source(name string, t *table) Source {
	r.checkName(t, name)
	s := Source{Name: name, Line: r.line(t.place)}
	choice(t, "preset", &s.Preset, presets...)
	t.absolute("paths", &s.Paths)
	t.absolute("attachments", &s.Attachments)
	r.fileRules(t, &s.Rules)
	s.Command = r.command(t, name)
	s.Database = r.database(t, s.Preset)
	r.presetConfig(t, &s)
	r.crossChecks(t, &s)
	if !t.hasAny("paths", "attachments", "command", "database", "preset") {
		r.problem(t.place, "saves nothing: it has no paths, attachments, command, database or preset")
	}
	if s.Command != nil && (s.Database != nil || s.Preset != "") {
		r.problem(t.at("command"), "a source has a command or a database, not both; make two sources")
	}
	return s
}

// Empty reports whether nothing is said that could be saved. A preset may still
// fill it.
func (s Source) Empty() bool {
	return len(s.Paths)+len(s.Attachments) == 0 && s.Command == nil && s.Database == nil
}

// Folders are all of the source's paths.
func (s Source) Folders() []string { return slices.Concat(s.Paths, s.Attachments) }

// Streams reports whether the source, as far as is said, has what is no files,
// and so a place of its own at the top of the snapshot, under its name.
func (s Source) Streams() bool { return s.Command != nil || s.Database != nil || s.Preset != "" }

// Top is the name that what is no files has at the top of the snapshot.
func (s Source) Top() string {
	if s.Command != nil {
		return cmp.Or(s.Command.Filename, s.Name)
	}
	return s.Name
}

// Part is what a plan saves of s.
func (s Source) Part(what What) Source {
	switch what {
	case Databases:
		s.Paths, s.Attachments = nil, nil
	case Attachments:
		s.Command, s.Database = nil, nil
	}
	return s
}

func (r *reader) fileRules(t *table, f *FileRules) {
	t.list("exclude", &f.Exclude)
	t.list("iexclude", &f.IExclude)
	t.absolute("exclude_file", &f.ExcludeFile)
	t.list("exclude_if_present", &f.ExcludeIfPresent)
	t.size("exclude_larger_than", &f.ExcludeLargerThan)
	t.yes("exclude_caches", &f.ExcludeCaches)
	t.yes("one_file_system", &f.OneFileSystem)
}

// command reads a command and what belongs to it.
func (r *reader) command(t *table, name string) *Command {
	c := Command{Filename: name}
	has := r.arguments(t, "command", &c.Args)
	if t.text("filename", &c.Filename) && (c.Filename == "" || c.Filename == "." || c.Filename == ".." || strings.ContainsAny(c.Filename, `/\`)) {
		r.problem(t.at("filename"), "want a plain name without folders")
	}
	t.path("dir", &c.Dir)
	c.Env = r.environment(t)
	if has {
		t.span("time_limit", &c.TimeLimit)
		return &c
	}
	for _, key := range []string{"filename", "dir", "env"} {
		if t.values[key] != nil {
			r.problem(t.at(key), "belongs to a command, and there is none")
		}
	}
	return nil
}

// arguments reads a program and its arguments. One text is no command: whether a
// shell would take it apart is not to be guessed.
func (r *reader) arguments(t *table, key string, to *[]string) bool {
	value, ok := t.take(key)
	if !ok {
		return false
	}
	return r.argumentsOf(t.at(key), value, to)
}

func (r *reader) argumentsOf(place string, value any, to *[]string) bool {
	elements, ok := value.([]any)
	if !ok {
		r.problem(place, `want the program and its arguments as a list, such as ["systemctl", "stop", "x"]`)
		return false
	}
	for i, e := range elements {
		if text, ok := r.textOf(at(place, i), e); ok {
			*to = append(*to, text)
		}
	}
	if len(elements) == 0 || len(*to) > 0 && (*to)[0] == "" {
		r.problem(place, "names no program")
		return false
	}
	return len(*to) == len(elements)
}

// secretName matches variables whose values do not belong into a file.
var secretName = regexp.MustCompile(`(?i)pass|pwd|secret|token|key|credential`)

// environment reads a table of variables: values, or references to them.
func (r *reader) environment(t *table) (env []Variable) {
	e := t.below("env")
	if e == nil {
		return nil
	}
	for name := range e.values {
		var text string
		if !e.text(name, &text) {
			continue
		}
		if name == "" || strings.ContainsAny(name, "=\x00") {
			r.problem(e.at(name), "is no name of a variable")
			continue
		}
		switch {
		case secret.Check(text) == nil:
			env = append(env, Variable{Name: name, Ref: text})
		case secretName.MatchString(name):
			r.problem(e.at(name), "looks like a secret; write a reference to it: keyring:NAME, file:PATH or env:NAME")
		default:
			env = append(env, Variable{Name: name, Value: text})
		}
	}
	slices.SortFunc(env, func(a, b Variable) int { return cmp.Compare(a.Name, b.Name) })
	return env
}

// schemes are those of databases' addresses.
var schemes = []string{"postgres", "postgresql", "mysql", "mariadb"}

// database reads where tables come from; nil where nothing is said of it.
func (r *reader) database(t *table, preset string) *Database {
	var d Database
	has := parsed(t, "database", parseDatabase, &d.URL)
	t.list("databases", &d.Databases)
	t.reference("password", &d.Password)
	t.list("tables", &d.Tables)
	t.list("exclude_tables", &d.ExcludeTables)
	t.list("exclude_data", &d.ExcludeData)
	t.whole("readers", 1, 64, &d.Readers)
	if has || preset != "" && t.values["command"] == nil {
		t.span("time_limit", &d.TimeLimit)
	}
	if has {
		return &d
	}
	said := false
	for _, key := range []string{"databases", "password", "tables", "exclude_tables", "exclude_data", "readers"} {
		if t.values[key] == nil {
			continue
		}
		said = true
		if preset == "" && t.values["database"] == nil {
			r.problem(t.at(key), "belongs to a database, and there is none")
		}
	}
	if !said || preset == "" {
		return nil
	}
	return &d
}

// parseDatabase checks a database's address. It is not repeated in errors: it may
// hold a password.
func parseDatabase(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || !slices.Contains(schemes, u.Scheme) {
		return "", fmt.Errorf("want an address that begins with %s", strings.Join(schemes[:3], "://, ")+"://")
	}
	_, inside := u.User.Password()
	query := u.Query()
	if inside || query.Has("password") || query.Has("sslpassword") {
		return "", fmt.Errorf("holds a password; write it as password = \"keyring:NAME\", \"file:PATH\" or \"env:NAME\"")
	}
	if strings.Contains(path.Clean(u.Path), "/..") {
		return "", fmt.Errorf("names no database")
	}
	return text, nil
}
