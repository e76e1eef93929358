package mysql

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
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

	URL      string // of the database that is to be made; without a name it gets the saved one's
	Password func() ([]byte, error)

	Create    bool // the database need not exist
	Overwrite bool // what it holds may be replaced

	SchemaOnly bool     // definitions without rows
	DataOnly   bool     // rows for tables that exist and are empty
	Tables     []string // only these, in a database of their own
	Scratch    string   // which; empty: restored

	Users   bool // make the users and roles that are missing, first
	Inserts bool // do not use LOAD DATA LOCAL, even where the server allows it

	Counts   map[string]sources.Count // what each table has to hold, as sources.Counts tells; nil: not compared
	Workers  int                      // 0: 2 to 4, as there are processors
	Programs string                   // folder of mariadb-dump, which Overwrite needs; empty: it is sought
	Log      func(string)
	Progress func(Progress) // calls do not overlap
}

// Progress says how far a restore is.
type Progress struct {
	Step        string // definitions, rows, keys, code
	Table       string // the last one that was worked on
	Done, Total int64  // bytes of rows
}

// A Report says what was restored.
type Report struct {
	Database string                   // its name now
	Counts   map[string]sources.Count // of the tables' rows, by file without its ending
	Left     []string                 // views that refer to what is not on this server, and were left out
	Rows     int64
	Bytes    int64
	Loaded   time.Duration // until the rows were in
	Took     time.Duration
}

// What a restore refuses.
var (
	ErrNoDatabase = errors.New("no such database")
	ErrNotEmpty   = errors.New("there are tables already")
	ErrDiffers    = errors.New("what came back is not what was saved")
	ErrOtherKind  = errors.New("MySQL and MariaDB do not read each other's definitions")
)

// defaultScratch is the database where single tables are restored to.
const defaultScratch = "restored"

// A restore is one in progress.
type restore struct {
	RestoreOptions
	login    login
	server   server
	saved    *Database
	from     *Description
	target   string // the database's name
	found    Target
	sizes    map[string]int64 // of the saved database's files
	tables   []*Table         // to be restored
	inserts  bool
	packet   int // max_allowed_packet of the server, bytes
	admin    *session
	fresh    string         // name of the database in which the new one is made
	aside    string         // name of the one in which the old one is kept meanwhile
	undo     []func() error // how to take back what was done, the last first
	began    time.Time
	mu       sync.Mutex // over the rest
	progress Progress
	report   Report
}

// Restore brings a database back: whole, made under another name and moved to
// its own in one step when all of it is there; or single tables. On an error the
// server is as it was, unless the error says otherwise.
func Restore(ctx context.Context, o RestoreOptions) (Report, error) {
	r, err := newRestore(ctx, o)
	if err != nil {
		return Report{}, err
	}
	defer r.admin.close()
	switch {
	case o.DataOnly:
		err = r.dataOnly(ctx)
	default:
		err = r.whole(ctx)
	}
	if err != nil {
		err = errors.Join(err, r.takeBack())
	}
	r.report.Took = time.Since(r.began)
	if err != nil {
		return r.report, fmt.Errorf("restore database %s: %w", r.target, err)
	}
	return r.report, nil
}

func newRestore(ctx context.Context, o RestoreOptions) (*restore, error) {
	if o.Workers <= 0 {
		o.Workers = min(4, max(2, runtime.GOMAXPROCS(0)))
	}
	if o.Log == nil {
		o.Log = func(string) {}
	}
	r := &restore{RestoreOptions: o, sizes: map[string]int64{}, report: Report{Counts: map[string]sources.Count{}}, began: time.Now()}
	if err := r.choose(ctx); err != nil {
		return nil, err
	}
	var err error
	if r.login, err = parseURL(o.URL, o.Password); err != nil {
		return nil, err
	}
	r.target = cmp.Or(r.login.database, r.saved.Name)
	if len(o.Tables) > 0 {
		r.target = cmp.Or(o.Scratch, defaultScratch)
	}
	r.report.Database = r.target
	r.login.database = ""
	if r.admin, err = r.login.connect(ctx, commonSession(restoreLock)); err != nil {
		return nil, err
	}
	if err := r.look(ctx); err != nil {
		r.admin.close()
		return nil, fmt.Errorf("restore database %s: %w", r.target, err)
	}
	return r, nil
}

// choose finds the database among the saved ones, and its tables.
func (r *restore) choose(ctx context.Context) (err error) {
	if r.from, err = ReadDescription(ctx, r.Saved); err != nil {
		return err
	}
	var names []string
	for i, d := range r.from.Databases {
		if d.Name == r.Database || r.Database == "" && len(r.from.Databases) == 1 {
			r.saved = &r.from.Databases[i]
		}
		names = append(names, d.Name)
	}
	if r.saved == nil {
		return fmt.Errorf("which database? saved are %s", strings.Join(names, ", "))
	}
	files, err := r.Saved.Files(ctx)
	if err != nil {
		return err
	}
	for _, f := range files {
		if rest, ok := strings.CutPrefix(f.Path, r.saved.Folder+"/"); ok {
			r.sizes[rest] = f.Size
		}
	}
	for i := range r.saved.Tables {
		t := &r.saved.Tables[i]
		if len(r.Tables) == 0 || slices.Contains(r.Tables, t.Name) {
			r.tables = append(r.tables, t)
		}
	}
	return r.complete()
}

// complete checks that every file and table that has to be there is.
func (r *restore) complete() error {
	for _, want := range r.Tables {
		if !slices.ContainsFunc(r.tables, func(t *Table) bool { return t.Name == want }) {
			return fmt.Errorf("table %s was not saved", want)
		}
	}
	want := []string{definitionsFile}
	for _, t := range r.tables {
		if t.File != "" {
			want = append(want, tablesFolder+"/"+t.File)
		}
	}
	for _, w := range want {
		if _, ok := r.sizes[w]; !ok {
			return fmt.Errorf("%w: %s is missing", ErrDiffers, path.Join(r.saved.Folder, w))
		}
	}
	return nil
}

// whole makes the database, or single tables, under another name, and moves them.
func (r *restore) whole(ctx context.Context) error {
	if !r.found.Exists && !r.Create && len(r.Tables) == 0 {
		return fmt.Errorf("%w on the server", ErrNoDatabase)
	}
	if err := r.refuse(ctx); err != nil {
		return err
	}
	definitions, err := readAll(ctx, r.Saved, path.Join(r.saved.Folder, definitionsFile))
	if err != nil {
		return err
	}
	if r.Users {
		if err := r.makeUsers(ctx); err != nil {
			return err
		}
	}
	if err := r.makeTables(ctx, definitions); err != nil {
		return err
	}
	if !r.SchemaOnly {
		if err := r.loadTables(ctx, r.fresh); err != nil {
			return err
		}
	}
	r.report.Loaded = time.Since(r.began)
	if err := r.move(ctx, definitions); err != nil {
		return err
	}
	r.undo = nil
	return r.clean(ctx)
}

// names draws the names of the databases for the time of the restore. Whoever
// finds one later knows what it is.
func (r *restore) names() {
	var b [4]byte
	rand.Read(b[:])
	prefix := "chartkeep_" + hex.EncodeToString(b[:])
	r.fresh, r.aside = prefix+"_new", prefix+"_old"
}
