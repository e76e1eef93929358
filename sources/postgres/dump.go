package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"chartkeep/sources"
	"chartkeep/sources/entries"
)

// A dump is one reading of a source, from Entries to End.
type dump struct {
	server
	ctx    context.Context
	cancel context.CancelFunc
	want   Options

	started     time.Time
	ended       time.Time
	moments     []*moment // sorted by folder
	description []byte
	roles       []byte
	secrets     bool // the roles have their passwords
	pool        *pool
	failure     error // of begin
}

// A server is what is known of it before its databases are looked at.
type server struct {
	address     address
	programs    programs
	version     int    // as 150018
	release     string // as 15.18
	lockTimeout time.Duration
	log         func(string)
}

func newDump(ctx context.Context, a address, o Options) *dump {
	d := &dump{want: o, started: time.Now(), pool: newPool(a, o.Workers)}
	d.address, d.lockTimeout, d.log = a, o.LockTimeout, o.Log
	d.ctx, d.cancel = context.WithCancel(ctx)
	return d
}

// begin takes one moment of each database, one right after the other.
func (d *dump) begin() error {
	names, err := d.look()
	if err != nil {
		return err
	}
	if d.programs, err = findPrograms(d.ctx, d.want.Programs, "pg_dump", oldestFrom(d.version/10000)); err != nil {
		return err
	}
	if d.roles, d.secrets, err = d.dumpRoles(d.ctx); err != nil {
		return err
	}
	for _, n := range names {
		m, err := d.beginMoment(d.ctx, n)
		if err != nil {
			return fmt.Errorf("database %s: %w", n, err)
		}
		d.moments = append(d.moments, m)
	}
	slices.SortFunc(d.moments, func(a, b *moment) int { return strings.Compare(a.Folder, b.Folder) })
	return d.describe()
}

// look asks the server for its version, and for the names of the databases that
// are wanted.
func (d *dump) look() ([]string, error) {
	conn, err := d.address.connect(d.ctx, "")
	if err != nil {
		return nil, err
	}
	defer hangUp(conn)
	if err := d.server.ask(d.ctx, conn); err != nil {
		return nil, err
	}
	switch {
	case d.want.All:
		rows, err := conn.Query(d.ctx, "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY datname")
		if err != nil {
			return nil, err
		}
		return pgx.CollectRows(rows, pgx.RowTo[string])
	case len(d.want.Databases) > 0:
		names := slices.Clone(d.want.Databases)
		slices.Sort(names)
		return slices.Compact(names), nil
	}
	return []string{conn.Config().Database}, conn.QueryRow(d.ctx, "SELECT current_database()").Scan(new(string))
}

// oldest is the oldest version of a server that is known to work.
const oldest = 130000

func (s *server) ask(ctx context.Context, conn *pgx.Conn) error {
	err := conn.QueryRow(ctx, "SELECT current_setting('server_version_num')::int, split_part(current_setting('server_version'), ' ', 1)").Scan(&s.version, &s.release)
	if err == nil && s.version < oldest {
		return fmt.Errorf("the server is PostgreSQL %s; 13 is the oldest that can be read", s.release)
	}
	return err
}

func (d *dump) describe() (err error) {
	all := Description{Format: formatVersion, Kind: kind, Server: d.release, Program: d.programs.major}
	for _, m := range d.moments {
		all.Databases = append(all.Databases, m.Database)
	}
	d.description, err = all.encode()
	return err
}

// entries yields everything below the root. Names are sorted in every folder.
func (d *dump) entries(base string, yield func(sources.Entry) bool) {
	if !yield(entries.Folder(base)) {
		return
	}
	steps := map[string]func() bool{
		DescriptionFile: func() bool { return yield(entries.Fixed(base+"/"+DescriptionFile, d.description)) },
		rolesFile:       func() bool { return yield(entries.Fixed(base+"/"+rolesFile, d.roles)) },
	}
	names := []string{DescriptionFile, rolesFile}
	for _, m := range d.moments {
		steps[m.Folder] = func() bool { return d.momentEntries(m, base+"/"+m.Folder, yield) }
		names = append(names, m.Folder)
	}
	slices.Sort(names)
	for _, n := range names {
		if d.ctx.Err() != nil || !steps[n]() {
			return
		}
	}
}

// The names of what is below a database's folder.
const (
	objectsFolder   = "blobs"
	objectsFile     = "blobs.tsv"
	definitionsFile = "definitions.dump"
	sequencesFile   = "sequences.tsv"
	tablesFolder    = "tables"
	rolesFile       = "roles.sql"
)

func (d *dump) momentEntries(m *moment, base string, yield func(sources.Entry) bool) bool {
	return yield(entries.Folder(base)) &&
		d.objectEntries(m, base, yield) &&
		yield(entries.Fixed(base+"/"+definitionsFile, m.definitions)) &&
		yield(entries.Fixed(base+"/"+sequencesFile, m.sequences)) &&
		d.tableEntries(m, base+"/"+tablesFolder, yield)
}

func (d *dump) objectEntries(m *moment, base string, yield func(sources.Entry) bool) bool {
	if !m.Objects {
		return true
	}
	if !yield(entries.Folder(base + "/" + objectsFolder)) {
		return false
	}
	for i, oid := range m.objects {
		open := func() (sources.File, error) { return d.openObject(m, i) }
		if !yield(sources.Entry{Path: fmt.Sprintf("%s/%s/%d", base, objectsFolder, oid), Meta: entries.Meta(), Content: entries.Content(open)}) {
			return false
		}
	}
	open := func() (sources.File, error) { return d.openCopy(m, m.objectList, objectsQuery) }
	return yield(sources.Entry{Path: base + "/" + objectsFile, Meta: entries.Meta(), Content: entries.Stream{Content: open}})
}

func (d *dump) tableEntries(m *moment, base string, yield func(sources.Entry) bool) bool {
	if !yield(entries.Folder(base)) {
		return false
	}
	for _, t := range m.readings {
		open := func() (sources.File, error) { return d.openCopy(m, t, t.table.query(m.Encoding)) }
		if !yield(sources.Entry{Path: base + "/" + t.table.File, Meta: entries.Meta(), Content: entries.Stream{Content: open}}) {
			return false
		}
	}
	return true
}

// end judges, and gives everything back.
func (d *dump) end(ctx context.Context) error {
	errs := []error{d.failure}
	if d.failure == nil {
		errs = append(errs, d.ctx.Err())
	}
	for _, m := range d.moments {
		errs = append(errs, m.end(ctx, d.failure == nil))
	}
	d.cancel()
	d.pool.close()
	d.ended = time.Now()
	return errors.Join(errs...)
}
