package main

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/shirou/gopsutil/v4/disk"
	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/ui"
	"chartkeep/repo"
	"chartkeep/snapshot"
	"chartkeep/sources"
)

func (p *program) restoreDBCommand() *cli.Command {
	return &cli.Command{
		Name:      "restore-db",
		Usage:     "bring a database back into a server",
		ArgsUsage: "SNAPSHOT[:SOURCE]",
		Description: `Brings a database back, straight from the repository: into a new one that gets
its name when all of it is there, so that it comes whole or not at all. SOURCE
is the source's name, where a snapshot has several. What stands in the database
already is touched only with --overwrite, and then everything in it goes back to
the time of the snapshot: entries, settings and passwords made since are gone.

   chartkeep restore-db latest --to postgres://postgres@localhost/practice --create
   chartkeep restore-db latest:opendental --to mysql://root@localhost/opendental --overwrite
   chartkeep restore-db latest~3 --to mysql://root@localhost/opendental --table patient

Single tables come into a place beside the others, restored unless --into says
otherwise, where they can be looked at and copied from.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "to", Usage: "the database's address, `URL`: postgres://user@host/name, mysql://user@host/name"},
			databaseSide.passwordFlag(),
			&cli.BoolFlag{Name: "create", Usage: "make the database if it is not there"},
			&cli.BoolFlag{Name: "overwrite", Usage: "replace what the database holds"},
			&cli.StringSliceFlag{Name: "table", Usage: "only this `TABLE`, beside the others"},
			&cli.StringFlag{Name: "into", Usage: "schema (PostgreSQL) or database (MySQL) for single tables: `NAME`"},
			&cli.StringFlag{Name: "database", Usage: "which of a source's databases, `NAME`, where it has several"},
			&cli.BoolFlag{Name: "schema-only", Usage: "definitions without rows"},
			&cli.BoolFlag{Name: "data-only", Usage: "rows, for tables that are there and empty"},
			&cli.BoolFlag{Name: "roles", Usage: "make the roles and users that are missing, first"},
			&cli.BoolFlag{Name: "no-owner", Usage: "PostgreSQL: everything belongs to whom the address names"},
			&cli.BoolFlag{Name: "ignore-space", Usage: "do not ask whether the server's drive has room"},
			dryRunFlag("change nothing, but say what would be done"),
		},
		Action: p.restoreDB,
	}
}

// restoreDBRun is one run of the command.
type restoreDBRun struct {
	*program
	c       *cli.Context
	r       *repo.Repository
	s       *snapshot.Snapshot
	record  snapshot.SourceRecord
	saved   sources.Restorable
	started time.Time

	step        atomic.Pointer[string]
	done, total atomic.Int64
}

func (p *program) restoreDB(c *cli.Context) error {
	if c.NArg() != 1 || c.String("to") == "" {
		return usage(c, "a snapshot and --to URL are wanted")
	}
	if databaseKind(c.String("to")) == "" {
		return usage(c, "--to: write postgres://user@host/name or mysql://user@host/name")
	}
	d := &restoreDBRun{program: p, c: c, started: time.Now()}
	return p.reading(c.Context, func(r *repo.Repository) error {
		d.r = r
		if err := d.find(c.Context, c.Args().First()); err != nil {
			return err
		}
		return d.run(c.Context)
	})
}

// find finds the source that is meant.
func (d *restoreDBRun) find(ctx context.Context, arg string) error {
	name, source, _ := strings.Cut(arg, ":")
	all, err := d.snapshots(ctx, d.r, filter{})
	if err != nil {
		return err
	}
	if d.s, err = snapshot.Resolve(all, name); err != nil {
		return err
	}
	if d.record, err = databaseOf(d.s, strings.TrimPrefix(source, "/"), databaseKind(d.c.String("to"))); err != nil {
		return err
	}
	node, err := snapshot.Lookup(ctx, d.r, &d.s.Root, path.Join("/", d.record.Name))
	if err != nil {
		return err
	}
	d.saved = snapshot.Saved(d.r, node)
	return nil
}

// databaseOf chooses a snapshot's source by name, or the only one of a kind of
// server.
func databaseOf(s *snapshot.Snapshot, name, kind string) (snapshot.SourceRecord, error) {
	var names []string
	var found []snapshot.SourceRecord
	for _, r := range s.Sources {
		if !slices.Contains(serverKinds, r.Kind) {
			continue
		}
		names = append(names, r.Name)
		if r.Name == name || name == "" && (kind == "" || r.Kind == kind) {
			found = append(found, r)
		}
	}
	switch {
	case len(names) == 0:
		return snapshot.SourceRecord{}, failed("To see what it holds: chartkeep ls "+s.ID.Short(), "snapshot %s holds no database", s.ID.Short())
	case len(found) == 0:
		return snapshot.SourceRecord{}, failed("It holds: "+strings.Join(names, ", "), "snapshot %s holds no such database", s.ID.Short())
	case len(found) > 1:
		return snapshot.SourceRecord{}, failed("Name one of them: "+s.ID.Short()+":"+names[0], "snapshot %s holds several databases: %s", s.ID.Short(), strings.Join(names, ", "))
	case found[0].Error != "":
		return found[0], failed("Choose another snapshot: chartkeep snapshots", "the database %s could not be read when snapshot %s was made: %s", found[0].Name, s.ID.Short(), found[0].Error)
	case kind != "" && found[0].Kind != kind:
		return found[0], failed("Name a server of its own kind with --to.", "%s was read from a %s server", found[0].Name, found[0].Kind)
	}
	return found[0], nil
}

// serverKinds are the kinds of sources that are databases.
var serverKinds = []string{"mysql", "postgres"}

// run looks first, says what will happen, and does it.
func (d *restoreDBRun) run(ctx context.Context) error {
	t := d.table()
	found, err := t.look(ctx)
	if err != nil {
		return d.explain(err)
	}
	if err := d.weigh(ctx, found); err != nil {
		return err
	}
	d.announce(found)
	if d.c.Bool("dry-run") {
		d.Print("dry run: nothing was changed")
		return nil
	}
	var done databaseDone
	err = d.During(d.state, func() error {
		done, err = t.restore(ctx)
		return err
	})
	if err != nil {
		return d.explain(err)
	}
	d.report(done)
	return nil
}

func (d *restoreDBRun) state() ui.State {
	s := ui.State{Bytes: d.done.Load(), TotalBytes: d.total.Load()}
	if step := d.step.Load(); step != nil {
		s.Current = *step
	}
	return s
}

// weigh checks the space, where the server's drive is one of this computer.
func (d *restoreDBRun) weigh(ctx context.Context, f databaseFound) error {
	if d.c.Bool("ignore-space") || d.c.Bool("schema-only") || len(d.c.StringSlice("table")) > 0 || f.folder == "" {
		return nil
	}
	u, err := disk.UsageWithContext(ctx, f.folder)
	if need := f.incoming * 5 / 2; err == nil && u.Free < uint64(need) {
		return failed("Free space there, or, if you know better: --ignore-space",
			"the server's drive has %s free, and rows of %s with their indexes may take %s", ui.Size(int64(u.Free)), ui.Size(f.incoming), ui.Size(need))
	}
	return nil
}

// announce says what will go back in time.
func (d *restoreDBRun) announce(f databaseFound) {
	d.Remark("restoring %s of %s (%s, rows of %s) to %s on %s", d.record.Name, ui.Time(d.s.Time), cmp.Or(f.savedServer, d.record.Facts["server"]), ui.Size(f.incoming), f.database, f.server)
	if f.exists && f.tables > 0 && d.c.Bool("overwrite") && len(d.c.StringSlice("table")) == 0 {
		d.Warn("%s holds %s (%s): all of it is replaced by what it was %s; what was entered or changed since, settings and passwords too, is gone",
			f.database, ui.Counted(f.tables, "table"), ui.Size(f.size), ui.Time(d.s.Time))
	}
}

// restoredDB is the end of a restore, for programs.
type restoredDB struct {
	Type     string  `json:"message_type"`
	Snapshot string  `json:"snapshot_id"`
	Source   string  `json:"source"`
	Database string  `json:"database"`
	Tables   int     `json:"tables_restored"`
	Rows     int64   `json:"rows_restored"`
	Bytes    int64   `json:"bytes_restored"`
	Seconds  float64 `json:"seconds_elapsed"`
}

func (d *restoreDBRun) report(done databaseDone) {
	took := time.Since(d.started)
	d.Object(restoredDB{"summary", string(d.s.ID), d.record.Name, done.database, done.tables, done.rows, done.bytes, took.Seconds()})
	for _, l := range done.left {
		d.Warn("left out: %s", l)
	}
	if d.c.Bool("schema-only") {
		d.Say("restored to %s: definitions without rows, in %s", done.database, ui.Duration(took))
		return
	}
	d.Say("restored to %s: %s, %s, %s, in %s", d.place(done.database), ui.Counted(done.tables, "table"), ui.Counted(done.rows, "row"), ui.Size(done.bytes), ui.Duration(took))
	d.Say("compared: every table holds the rows that were saved")
}

// place is where it came: single tables lie beside the others.
func (d *restoreDBRun) place(database string) string {
	switch {
	case len(d.c.StringSlice("table")) == 0:
		return database
	case d.record.Kind == "postgres":
		return fmt.Sprintf("schema %s of database %s", cmp.Or(d.c.String("into"), "restored"), database)
	}
	return "database " + database
}

// explain adds to an error what to do about it.
func (d *restoreDBRun) explain(err error) error {
	return databaseFailed(fmt.Errorf("restore %s: %w", d.record.Name, err))
}
