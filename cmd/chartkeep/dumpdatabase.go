package main

import (
	"context"
	"io"
	"strings"

	"chartkeep/cmd/internal/archive"
	"chartkeep/repo"
	"chartkeep/snapshot"
	"chartkeep/sources"
	"chartkeep/sources/mysql"
	"chartkeep/sources/postgres"
)

// A databaseFormat is what a database as a whole can be written as.
type databaseFormat struct {
	kind  string // of the source
	write func(ctx context.Context, w io.Writer, saved sources.Restorable, database string) error
}

// databaseFormats are pg_dump's custom format, and statements.
var databaseFormats = map[archive.Format]databaseFormat{
	"pg":  {"postgres", postgres.WriteArchive},
	"sql": {"mysql", mysql.WriteScript},
}

// dumpDatabase writes a database, named by its source or by its folder in there.
func (p *program) dumpDatabase(ctx context.Context, r *repo.Repository, at place, f databaseFormat, w io.Writer) error {
	source, folder, _ := strings.Cut(strings.TrimPrefix(at.path, "/"), "/")
	rec, err := databaseOf(at.snapshot, source, "")
	if err != nil {
		return err
	}
	if rec.Kind != f.kind {
		return failed("PostgreSQL's is -a pg, MariaDB's and MySQL's is -a sql.", "%s was read from a %s server", rec.Name, rec.Kind)
	}
	database, err := sources.NameOfFile(folder)
	if err != nil {
		return err
	}
	node, err := snapshot.Lookup(ctx, r, &at.snapshot.Root, "/"+rec.Name)
	if err != nil {
		return err
	}
	return databaseFailed(f.write(ctx, w, snapshot.Saved(r, node), database))
}
