package main

import (
	"context"
	"errors"
	"strings"

	"chartkeep/sources"
	"chartkeep/sources/mysql"
	"chartkeep/sources/postgres"
)

// A databaseRestore brings a saved database back into one kind of server.
type databaseRestore interface {
	// look says what a restore would find, and changes nothing.
	look(ctx context.Context) (databaseFound, error)
	restore(ctx context.Context) (databaseDone, error)
}

// databaseFound is what there is before a restore.
type databaseFound struct {
	server, savedServer, database string

	exists   bool
	tables   int
	size     int64  // of what is there, bytes
	folder   string // of the server's data; empty when it does not say
	incoming int64  // bytes of rows
}

// databaseDone is what a restore did.
type databaseDone struct {
	database    string
	tables      int
	rows, bytes int64
	left        []string // what could not come along
}

// table is the restore of the kind of server that the source was read from.
func (d *restoreDBRun) table() databaseRestore {
	password := d.databasePassword(d.c.String(databaseSide.flag("password-file")))
	say := func(text string) { d.Remark("%s", text) }
	if d.record.Kind == "postgres" {
		return postgresRestore{d.record.Facts, postgres.RestoreOptions{
			Saved: d.saved, Database: d.c.String("database"), URL: d.c.String("to"), Password: password,
			Create: d.c.Bool("create"), Overwrite: d.c.Bool("overwrite"), SchemaOnly: d.c.Bool("schema-only"), DataOnly: d.c.Bool("data-only"),
			Tables: d.c.StringSlice("table"), Schema: d.c.String("into"), Roles: d.c.Bool("roles"), NoOwner: d.c.Bool("no-owner"), Log: say,
			Progress: func(p postgres.Progress) { d.progressed(p.Step, p.Table, p.Done, p.Total) },
		}}
	}
	return mysqlRestore{d.record.Facts, mysql.RestoreOptions{
		Saved: d.saved, Database: d.c.String("database"), URL: mysqlURL(d.c.String("to")), Password: password,
		Create: d.c.Bool("create"), Overwrite: d.c.Bool("overwrite"), SchemaOnly: d.c.Bool("schema-only"), DataOnly: d.c.Bool("data-only"),
		Tables: d.c.StringSlice("table"), Scratch: d.c.String("into"), Users: d.c.Bool("roles"), Log: say,
		Progress: func(p mysql.Progress) { d.progressed(p.Step, p.Table, p.Done, p.Total) },
	}}
}

func (d *restoreDBRun) progressed(step, table string, done, total int64) {
	text := step
	if table != "" {
		text += ": " + table
	}
	d.step.Store(&text)
	d.done.Store(done)
	d.total.Store(total)
}

type postgresRestore struct {
	facts map[string]string
	o     postgres.RestoreOptions
}

func (p postgresRestore) look(ctx context.Context) (databaseFound, error) {
	t, err := postgres.Look(ctx, p.o)
	return databaseFound{
		server: "PostgreSQL " + t.Server, savedServer: t.SavedServer, database: t.Database, exists: t.Exists, tables: t.Tables,
		size: t.Bytes, folder: t.Folder, incoming: t.Incoming,
	}, err
}

func (p postgresRestore) restore(ctx context.Context) (databaseDone, error) {
	if name, known := counted(p.facts, p.o.Database); known {
		var err error
		if p.o.Counts, err = postgres.Counts(p.facts, name); err != nil {
			return databaseDone{}, err
		}
	}
	r, err := postgres.Restore(ctx, p.o)
	return databaseDone{database: r.Database, tables: len(r.Counts), rows: r.Rows, bytes: r.Bytes}, err
}

type mysqlRestore struct {
	facts map[string]string
	o     mysql.RestoreOptions
}

func (m mysqlRestore) look(ctx context.Context) (databaseFound, error) {
	t, err := mysql.Look(ctx, m.o)
	return databaseFound{
		server: t.Server, savedServer: t.SavedServer, database: t.Database, exists: t.Exists, tables: t.Tables,
		size: t.Bytes, folder: t.Folder, incoming: t.Incoming,
	}, err
}

func (m mysqlRestore) restore(ctx context.Context) (databaseDone, error) {
	if name, known := counted(m.facts, m.o.Database); known {
		var err error
		if m.o.Counts, err = sources.Counts(m.facts, name); err != nil {
			return databaseDone{}, err
		}
	}
	r, err := mysql.Restore(ctx, m.o)
	return databaseDone{database: r.Database, tables: len(r.Counts), rows: r.Rows, bytes: r.Bytes, left: r.Left}, err
}

// databaseHints say what to do about what a database refuses.
var databaseHints = []struct {
	is   error
	hint string
}{
	{postgres.ErrNotEmpty, "To replace what it holds: --overwrite; to bring single tables beside it: --table"},
	{mysql.ErrNotEmpty, "To replace what it holds: --overwrite; to bring single tables beside it: --table"},
	{postgres.ErrNoDatabase, "To make it: --create"},
	{mysql.ErrNoDatabase, "To make it: --create"},
	{postgres.ErrInUse, "Close the programs that use it, and run it again."},
	{postgres.ErrExtensions, "Install them on the server, and run it again."},
	{postgres.ErrPrograms, "Install PostgreSQL's client programs of the server's version or a newer one."},
	{mysql.ErrPrograms, "Install the server's client programs (mariadb-client, mysql-client)."},
	{postgres.ErrLockTable, "Raise it in postgresql.conf, and restart the server at a quiet time."},
}

func databaseFailed(err error) error {
	for _, h := range databaseHints {
		if errors.Is(err, h.is) {
			return &failure{exitFailed, err, h.hint}
		}
	}
	return err
}

// counted is the name of a saved database, the source's only one where none is
// given, and whether the facts count its tables.
func counted(facts map[string]string, database string) (name string, known bool) {
	if database == "" {
		database = onlyDatabase(facts)
	}
	_, known = facts[sources.TablesOf+database]
	return database, known
}

// onlyDatabase is the one whose tables the facts count.
func onlyDatabase(facts map[string]string) (name string) {
	for key := range facts {
		if of, ok := strings.CutPrefix(key, sources.TablesOf); ok {
			if name != "" {
				return ""
			}
			name = of
		}
	}
	return name
}
