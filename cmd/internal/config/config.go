// Package config reads the configuration file: the practice, what is saved
// (sources), when and where to (plans, destinations), how long it is kept, how
// it is checked, and who is told.
//
//	practice      how days are counted: time zone, open days, fiscal year
//	source        files, the output of a command, or a database with its files
//	plan          sources that are saved together, in one snapshot, at set times
//	destination   a repository: on a drive that comes and goes, at a path, or remote
//	retention     which snapshots stay; a plan or a destination may have its own
//
// Reading is strict. An unknown key, a value that cannot be, a name that refers
// to nothing, and what contradicts itself is a Problem with its file, line and
// key, and all problems are reported together:
//
//	chartkeep.toml:12: plan.nightly.att: unknown key; did you mean at?
//	chartkeep.toml:31: plan.nightly.to[3]: there is no destination blue
//
// A configuration holds no secrets. Passwords are references (see package
// secret) that are resolved when they are needed. The addresses of chat
// services, which may hold tokens, are references or stand in a file that
// nobody else may read.
//
//	c, err := config.Load("/etc/chartkeep/chartkeep.toml")
//	if err != nil {
//		return err
//	}
//	for _, plan := range c.Plans {
//		sources, keep := c.SourcesOf(plan), c.RetentionOf(plan, c.Destinations[plan.To[0]])
//		...
//	}
package config

import (
	"time"

	"chartkeep/cmd/internal/schedule"
	"chartkeep/gc"
)

// A Config is a whole configuration, with the defaults filled in.
type Config struct {
	Path         string // of the file
	Practice     Practice
	Sources      map[string]Source
	Plans        []Plan // in the order of the file
	Destinations map[string]Destination
	Retention    Retention
	Check        Check
	Prune        Prune
	Notify       Notify
	Log          Log

	exposed []Problem // values that nobody else may read
}

// A Practice is how days are counted.
type Practice struct {
	Name             string
	Zone             *time.Location // never nil
	OpenDays         []time.Weekday
	Holidays         string // a country or region, see gc.Holidays; empty: none
	ExtraClosed      []gc.Date
	DayEndsAt        time.Duration // what is saved before it belongs to the day before
	FiscalYearStarts gc.MonthDay
}

// A Source is what a plan saves: any of files, a command's output, a database.
type Source struct {
	Name        string
	Line        int    // where it stands in the file
	Preset      string // a practice system that fills in what is not said; empty: none
	Config      string // the practice system's own file of settings; empty: where it usually is
	Paths       []string
	Attachments []string // folders of files that belong to the database
	Rules       FileRules
	Command     *Command  // nil: none
	Database    *Database // nil: none
	CrossChecks []CrossCheck
}

// A CrossCheck says which rows of the source's database name files, and where
// those lie.
type CrossCheck struct {
	Database     string // of the source's; empty: the only one that has the table
	Table        string
	FileColumn   string
	FolderTable  string   // empty: Table
	FolderColumn string   // empty: the file's column says all
	Join         string   // the column of Table that leads into FolderTable
	FolderJoin   string   // what it is called there
	Layout       string   // file, folder/file, letter/folder/file
	Roots        []string // none: the source's attachments
	Ignore       []string // patterns of files that need no row
	IgnoreCase   bool
	Optional     bool // a database without the table is right as well
}

// FileRules say which of a source's files are left out.
type FileRules struct {
	Exclude           []string
	IExclude          []string // as Exclude, in either case of letters
	ExcludeFile       []string // files with further patterns
	ExcludeIfPresent  []string
	ExcludeLargerThan int64 // bytes; 0: no bound
	ExcludeCaches     bool
	OneFileSystem     bool
}

// A Command is a program whose standard output is saved.
type Command struct {
	Args      []string
	Filename  string // in the snapshot; empty: the source's name
	Dir       string // where it runs; empty: the root
	Env       []Variable
	TimeLimit time.Duration // 0: none
}

// A Variable of a command's environment: its value, or a reference to it.
type Variable struct {
	Name, Value, Ref string
}

// A Database is where a source's tables come from.
type Database struct {
	URL           string // without a password; empty: the preset says
	Databases     []string
	Password      string // reference; empty: none
	Tables        []string
	ExcludeTables []string
	ExcludeData   []string // tables of which only the definition is saved
	Readers       int      // tables that are read at the same time; 0: the default
	TimeLimit     time.Duration
}

// What says which parts of its sources a plan saves.
type What string

// The parts of sources. A command's output counts as a database: it is a dump.
const (
	All         What = "all"
	Databases   What = "database"
	Attachments What = "attachments"
)

// A Plan is sources that are saved together at set times.
type Plan struct {
	Name        string
	Line        int // where it stands in the file
	Enabled     bool
	Sources     []string
	What        What
	Times       schedule.Times
	CatchUp     bool
	Compression string // fastest, default, better, best
	Verify      bool   // what was written is read back
	To          []string
	Before      []Hook
	After       []Hook
	OnFailure   []Hook
	Tags        []string
	Retention   *Retention // its own; nil: none
	Maintenance []string   // of its databases: analyze, vacuum, reindex, optimize

	MaintenanceLimit time.Duration // how long that may take
}

// A Hook is a command that is run before or after a plan.
type Hook struct {
	Command   []string
	TimeLimit time.Duration
}

// A Destination is a repository.
type Destination struct {
	Name        string
	Line        int            // where it stands in the file
	Drive       string         // ID of the repository, wherever its drive appears; empty: any
	Repo        string         // path or URL; empty: found by Drive
	Paths       []string       // where a drive is looked for first
	Days        []time.Weekday // on which it is expected; none: on all
	Password    string         // reference; empty: as for other commands
	Credentials string         // reference; of object storage
	Retention   *Retention     // its own; nil: none
}

// A Retention says which snapshots stay.
type Retention struct {
	Policy  gc.Policy // the empty one removes nothing
	BinDays int       // forgotten snapshots can be taken back for so long
}

// A Check says how much of a repository is verified each night.
type Check struct {
	ReadPercent float64       // of what is stored; 0: by WithinDays
	WithinDays  int           // everything is verified within so many days; 0: by ReadPercent
	TimeBudget  time.Duration // 0: no bound
	Drill       Every
}

// A Prune says when and how space is freed.
type Prune struct {
	Every         Every
	MaxUnused     float64 // percent of what is used
	MaxRepackSize int64   // bytes that are rewritten at most; 0: no bound
}

// Every says how often something is due.
type Every string

// How often.
const (
	Never     Every = "never"
	Daily     Every = "daily"
	Weekly    Every = "weekly"
	Monthly   Every = "monthly"
	Quarterly Every = "quarterly"
	Yearly    Every = "yearly"
)

// After is the moment at which something is due again that was done at t; for
// Never it is the zero time.
func (e Every) After(t time.Time) time.Time {
	switch e {
	case Daily:
		return t.AddDate(0, 0, 1)
	case Weekly:
		return t.AddDate(0, 0, 7)
	case Monthly:
		return t.AddDate(0, 1, 0)
	case Quarterly:
		return t.AddDate(0, 3, 0)
	case Yearly:
		return t.AddDate(1, 0, 0)
	}
	return time.Time{}
}

// Notify says who is told of what.
type Notify struct {
	Email        []string
	From         string
	SMTP         string // host:port
	SMTPUser     string
	SMTPPassword string   // reference; empty: none
	SMTPTLS      string   // starttls, tls, none
	URLs         []string // of shoutrrr, or references to them
	Healthcheck  string   // URL, or reference to one; empty: none
	Prometheus   string   // path of a text file; empty: none
	OverdueAfter int      // business days without a run or a drive
	Summary      Every
	SummaryAt    time.Duration // time of day
	Hostname     string        // in messages; empty: the computer's own
}

// Log says where the host's record of runs is.
type Log struct {
	Dir     string // empty: the system's default
	MaxSize int64  // bytes of one file
	Keep    int    // files
}
