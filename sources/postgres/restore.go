package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"chartkeep/sources"
)

// RestoreOptions say what comes back, and where. Saved and URL have to be given.
type RestoreOptions struct {
	Saved    sources.Restorable
	Database string // which of the saved ones; may be empty when it is one

	URL      string // of the database that is to be made
	Password func() ([]byte, error)

	Create    bool // the database need not exist
	Overwrite bool // what it holds may be replaced

	SchemaOnly bool     // definitions without rows
	DataOnly   bool     // rows for tables that exist
	Tables     []string // "public.patient" or "patient": only these, in a schema of their own
	Schema     string   // which; empty: restored

	Roles         bool // make the roles that are missing, first
	NoOwner       bool // everything belongs to whom URL names, with the usual rights
	NoTablespaces bool // everything lies in the default one

	Counts   map[string]Count // what each table has to hold, as Counts tells; nil: not compared
	Workers  int              // 0: 2 to 4, as there are processors
	Programs string           // folder of pg_restore; empty: it is sought
	Log      func(string)
	Progress func(Progress) // calls do not overlap
}

// Progress says how far a restore is.
type Progress struct {
	Step        string // definitions, rows, large objects, indexes, statistics
	Table       string // the last one that was worked on
	Done, Total int64  // bytes of rows and large objects
}

// A Report says what was restored.
type Report struct {
	Database string           // its name now
	Counts   map[string]Count // of the tables' rows, by file without its ending
	Objects  int              // large objects
	Rows     int64
	Bytes    int64         // of rows and large objects
	Loaded   time.Duration // until the rows were in
	Took     time.Duration
}

// What a restore refuses.
var (
	ErrNoDatabase = errors.New("no such database")
	ErrNotEmpty   = errors.New("there are tables already")
	ErrInUse      = errors.New("the database is in use")
	ErrExtensions = errors.New("the server lacks extensions that the database needs")
	ErrDiffers    = errors.New("what came back is not what was saved")
)

// defaultSchema is where single tables are restored to.
const defaultSchema = "restored"

// A restore is one in progress.
type restore struct {
	RestoreOptions
	address  address
	server   *Database // the saved one
	version  int       // of pg_dump
	target   string    // name of the database
	found    Target
	programs programs
	sizes    map[string]int64

	mu       sync.Mutex // over the rest
	progress Progress
	report   Report
}

// Restore brings a database back: whole into a new one that gets its name at
// the end, or single tables into a schema of an existing one. On an error the
// server is as it was, unless the error says otherwise.
func Restore(ctx context.Context, o RestoreOptions) (Report, error) {
	started := time.Now()
	r, err := newRestore(ctx, o)
	if err != nil {
		return Report{}, err
	}
	switch {
	case len(o.Tables) > 0:
		err = r.tables(ctx)
	case o.DataOnly:
		err = r.dataOnly(ctx)
	default:
		err = r.whole(ctx)
	}
	r.report.Took = time.Since(started)
	if err != nil {
		return r.report, fmt.Errorf("restore database %s: %w", r.target, err)
	}
	return r.report, nil
}

func newRestore(ctx context.Context, o RestoreOptions) (*restore, error) {
	if o.Workers <= 0 {
		o.Workers = min(4, max(2, runtime.GOMAXPROCS(0)))
	}
	if o.Schema == "" {
		o.Schema = defaultSchema
	}
	if o.Log == nil {
		o.Log = func(string) {}
	}
	r := &restore{RestoreOptions: o, sizes: map[string]int64{}, report: Report{Counts: map[string]Count{}}}
	var err error
	if r.address, err = newAddress(o.URL, o.Password); err != nil {
		return nil, err
	}
	if r.target, err = r.address.database(); err != nil {
		return nil, err
	}
	r.report.Database = r.target
	if err := r.choose(ctx); err != nil {
		return nil, err
	}
	if r.found, err = r.look(ctx); err != nil {
		return nil, fmt.Errorf("restore database %s: %w", r.target, err)
	}
	r.programs, err = findPrograms(ctx, o.Programs, "pg_restore", oldestFrom(r.version))
	return r, err
}

// choose finds the database among the saved ones.
func (r *restore) choose(ctx context.Context) error {
	f, err := r.Saved.Open(ctx, DescriptionFile)
	if err != nil {
		return err
	}
	defer f.Close()
	all, err := ReadDescription(f)
	if err != nil {
		return err
	}
	r.version = all.Program
	var names []string
	for i, d := range all.Databases {
		if string(d.Name) == r.Database || r.Database == "" && len(all.Databases) == 1 {
			r.server = &all.Databases[i]
		}
		names = append(names, string(d.Name))
	}
	if r.server == nil {
		return fmt.Errorf("which database? saved are %s", strings.Join(names, ", "))
	}
	files, err := r.Saved.Files(ctx)
	if err != nil {
		return err
	}
	for _, f := range files {
		if rest, ok := strings.CutPrefix(f.Path, r.server.Folder+"/"); ok {
			r.sizes[rest] = f.Size
		}
	}
	return r.complete()
}

// complete checks that every file that has to be there is.
func (r *restore) complete() error {
	want := []string{definitionsFile, sequencesFile}
	if r.server.Objects {
		want = append(want, objectsFile)
	}
	for _, t := range r.server.Tables {
		want = append(want, path.Join(tablesFolder, t.File))
	}
	for _, w := range want {
		if _, ok := r.sizes[w]; !ok {
			return fmt.Errorf("%w: %s is missing", ErrDiffers, path.Join(r.server.Folder, w))
		}
	}
	return nil
}

// at is the path of one of the database's files.
func (r *restore) at(file string) string { return path.Join(r.server.Folder, file) }

// total is how much data there is, bytes.
func (r *restore) total() (sum int64) {
	for file, size := range maps.All(r.sizes) {
		if strings.HasPrefix(file, tablesFolder+"/") || strings.HasPrefix(file, objectsFolder+"/") {
			sum += size
		}
	}
	return sum
}

// tell reports progress.
func (r *restore) tell(change func(*Progress)) {
	if r.Progress == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.progress)
	r.Progress(r.progress)
}

func (r *restore) step(name string) {
	r.tell(func(p *Progress) { p.Step, p.Table = name, "" })
}

// loaded notes what a table held, and compares it with what it should.
func (r *restore) loaded(t *Table, c Count) error {
	key := strings.TrimSuffix(t.File, ".copy")
	r.mu.Lock()
	r.report.Counts[key] = c
	r.report.Rows += c.Rows
	r.report.Bytes += c.Bytes
	r.mu.Unlock()
	if want, ok := r.Counts[key]; r.Counts != nil && (!ok || want != c) {
		return fmt.Errorf("table %s: %w: %d rows with digest %v, saved were %d with %v", t.place(), ErrDiffers, c.Rows, c.Digest, want.Rows, want.Digest)
	}
	return nil
}

// biggestFirst sorts tables so that the last ones to be loaded are short.
func (r *restore) biggestFirst() []*Table {
	var all []*Table
	for i := range r.server.Tables {
		all = append(all, &r.server.Tables[i])
	}
	slices.SortStableFunc(all, func(a, b *Table) int {
		return int(min(1, max(-1, r.sizes[path.Join(tablesFolder, b.File)]-r.sizes[path.Join(tablesFolder, a.File)])))
	})
	return all
}
