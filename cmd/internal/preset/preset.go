package preset

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"chartkeep/cmd/internal/config"
)

// Options say where a preset looks.
type Options struct {
	What     config.What            // what is to be saved; empty: all
	Computer string                 // this one's name
	Password func() ([]byte, error) // of the database; nil: as the server is used to
	Places   []string               // of the practice system's own files; nil: the usual ones
}

// Filled is a source with nothing left open.
type Filled struct {
	Source   config.Source
	Password func() ([]byte, error) // of the database, found in the practice system's settings; nil: none was
	Words    []string               // what was found, what is covered, what is not
}

// A system is what is known of a practice system.
type system struct {
	name string
	fill func(ctx context.Context, f *Filled, o Options) error
}

var systems = map[string]system{
	"opendental":  {"Open Dental", fillOpenDental},
	"macpractice": {"MacPractice", fillMacPractice},
	"soapware":    {"SOAPware", fillSOAPware},
	"exact":       {"EXACT", fillExact},
}

// Fill fills in what a source with a preset does not say. A source without one
// comes back as it is.
func Fill(ctx context.Context, s config.Source, o Options) (Filled, error) {
	f := Filled{Source: s}
	if s.Preset == "" {
		return f, nil
	}
	known, ok := systems[s.Preset]
	if !ok {
		return f, fmt.Errorf("source %s: nothing is known of %s", s.Name, s.Preset)
	}
	if o.What == "" {
		o.What = config.All
	}
	if s.Database != nil { // filled in without changing the configuration's own
		d := *s.Database
		f.Source.Database = &d
	}
	f.Source.CrossChecks = slices.Clone(s.CrossChecks)
	if err := known.fill(ctx, &f, o); err != nil {
		return f, fmt.Errorf("source %s (%s): %w", s.Name, known.name, err)
	}
	return f, nil
}

func (f *Filled) say(format string, args ...any) {
	f.Words = append(f.Words, fmt.Sprintf(format, args...))
}

// hasDatabase reports whether the source says which server its tables are on.
func (f *Filled) hasDatabase() bool { return f.Source.Database != nil && f.Source.Database.URL != "" }

// wantsFiles and wantsDatabase report what is to be saved.
func (o Options) wantsFiles() bool    { return o.What != config.Databases }
func (o Options) wantsDatabase() bool { return o.What != config.Attachments }

// said names the database that the source gives, of the kind that the system
// uses.
func (f *Filled) said(kinds ...string) error {
	u, err := url.Parse(f.Source.Database.URL)
	if err != nil || !slices.Contains(kinds, u.Scheme) {
		return fmt.Errorf("its database is one of %s://", kinds[0])
	}
	name := strings.Trim(u.Path, "/")
	if names := f.Source.Database.Databases; len(names) > 0 {
		name = strings.Join(names, ", ")
	}
	if name == "" {
		name = "every one of the server"
	}
	f.say("database: %s at %s", name, cmp.Or(u.Host, "this computer"))
	return nil
}

// everyDatabase fills in the server on this computer, and all databases of it:
// what the system calls its own is not published, and nothing is left out so.
func (f *Filled) everyDatabase(address string) {
	var d config.Database
	if f.Source.Database != nil {
		d = *f.Source.Database
	}
	d.URL = address
	f.Source.Database = &d
	f.say("which server and user it has is not published, so those are taken that are usual: %s; for others write database = \"...\"", address)
}

// fillMacPractice knows the kind of server; its folders have to be said.
func fillMacPractice(_ context.Context, f *Filled, o Options) error {
	if o.wantsDatabase() {
		if !f.hasDatabase() {
			f.everyDatabase("mysql://root@127.0.0.1")
		}
		if err := f.said("mysql", "mariadb"); err != nil {
			return err
		}
	}
	if !o.wantsFiles() {
		return nil
	}
	if len(f.Source.Folders()) == 0 {
		return errors.New(`where its attachments are, is not published; write attachments = ["FOLDER"], or what = "database" in the plan`)
	}
	f.say("covered: the attachments in %s", strings.Join(f.Source.Folders(), ", "))
	f.say("not covered: MacPractice's own backups, and whether these folders are all that it uses")
	return nil
}

// fillSOAPware knows the kind of server, and that attachments are in it.
func fillSOAPware(_ context.Context, f *Filled, o Options) error {
	if !o.wantsDatabase() {
		return errors.New(`its attachments are in the database; write what = "all" in the plan`)
	}
	if !f.hasDatabase() {
		f.everyDatabase("postgres://postgres@127.0.0.1")
	}
	if err := f.said("postgres", "postgresql"); err != nil {
		return err
	}
	f.say("covered: the database with its large objects, where the attachments are")
	f.say("not covered: files outside of the database, such as templates on workstations")
	return nil
}
