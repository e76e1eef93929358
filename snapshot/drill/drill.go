package drill

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"chartkeep/repo"
	"chartkeep/snapshot"
	"chartkeep/sources/mysql"
	"chartkeep/sources/postgres"
)

// Options tune a drill. The zero value means the defaults.
type Options struct {
	Sources  []string // names of the snapshot's sources; none: all of them
	Dir      string   // scratch folders are made in it; empty: the system's for temporary files
	Programs string   // folder of a server's programs; empty: they are sought

	Sample      int       // files of a source of files; 0: 50
	SampleBytes int64     // how much they may be together, but for the first; 0: 256 MiB
	Now         time.Time // seeds the sample, with the snapshot's ID

	Log  func(string) // told what is worth knowing; nil: nobody
	Step func(string) // told what is being done; nil: nobody. Calls do not overlap
}

// Result is what came of the drill of a source.
type Result string

// The results.
const (
	Proven    Result = "proven"
	Differs   Result = "differs"
	NotProven Result = "not proven"
)

// A Source is what came of a source.
type Source struct {
	Name, Kind string
	Result     Result
	Reason     string // why it is not proven, or what differs; beside a proof: what it leaves out

	Tables   int
	Rows     int64
	Bytes    int64         // of rows, or of the files
	Files    int64         // compared
	Recovery time.Duration // until all of it was there again
	Took     time.Duration // in all
	Started  time.Time
}

// A Report is what came of a drill.
type Report struct {
	Sources []Source
	Whole   bool // these are all that the snapshot has
}

// Result is the gravest of the sources' results. A drill of nothing proves
// nothing.
func (r Report) Result() Result {
	if len(r.Sources) == 0 {
		return NotProven
	}
	gravity := []Result{Proven, NotProven, Differs}
	return slices.MaxFunc(r.Sources, func(a, b Source) int {
		return cmp.Compare(slices.Index(gravity, a.Result), slices.Index(gravity, b.Result))
	}).Result
}

// Recovery is how long it took to have the sources back, one after the other.
func (r Report) Recovery() (all time.Duration) {
	for _, s := range r.Sources {
		all += s.Recovery
	}
	return all
}

// ErrNoSource says that a snapshot has no source of a name.
var ErrNoSource = errors.New("the snapshot has no such source")

// A drill is one in progress.
type drill struct {
	Options
	r *repo.Repository
	s *snapshot.Snapshot
}

// Run drills a snapshot. What came of its sources is in the report; an error
// means that the drill could not be done at all, or that ctx ended.
func Run(ctx context.Context, r *repo.Repository, s *snapshot.Snapshot, o Options) (Report, error) {
	d := &drill{withDefaults(o), r, s}
	chosen, whole, err := d.choose()
	report := Report{Whole: whole}
	for _, rec := range chosen {
		if ctx.Err() != nil {
			break
		}
		report.Sources = append(report.Sources, d.source(ctx, rec))
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return report, err
}

func withDefaults(o Options) Options {
	o.Dir = cmp.Or(o.Dir, os.TempDir())
	o.Sample = cmp.Or(o.Sample, 50)
	o.SampleBytes = cmp.Or(o.SampleBytes, 256<<20)
	if o.Log == nil {
		o.Log = func(string) {}
	}
	if o.Step == nil {
		o.Step = func(string) {}
	}
	return o
}

// Kinds of sources that are databases, as snapshots name them.
const (
	kindPostgres = "postgres"
	kindMySQL    = "mysql"
)

// choose returns the records of the sources that are meant: databases first. A
// snapshot of files alone has no record, and is one source.
func (d *drill) choose() (chosen []snapshot.SourceRecord, whole bool, err error) {
	all := slices.Clone(d.s.Sources)
	if len(all) == 0 {
		all = []snapshot.SourceRecord{{Name: "files", Kind: "files", Paths: d.s.Paths}}
	}
	for _, name := range d.Sources {
		if !slices.ContainsFunc(all, func(r snapshot.SourceRecord) bool { return r.Name == name }) {
			return nil, false, fmt.Errorf("%s: %w", name, ErrNoSource)
		}
	}
	for _, r := range all {
		if len(d.Sources) == 0 || slices.Contains(d.Sources, r.Name) {
			chosen = append(chosen, r)
		}
	}
	database := func(r snapshot.SourceRecord) int {
		if r.Kind == kindPostgres || r.Kind == kindMySQL {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(chosen, func(a, b snapshot.SourceRecord) int { return database(a) - database(b) })
	return chosen, len(chosen) == len(all), nil
}

// source drills one source.
func (d *drill) source(ctx context.Context, rec snapshot.SourceRecord) Source {
	s := Source{Name: rec.Name, Kind: rec.Kind, Started: time.Now()}
	var err error
	switch rec.Kind {
	case kindPostgres, kindMySQL:
		err = d.database(ctx, rec, &s)
	default:
		err = d.files(ctx, rec, &s)
	}
	s.Took = time.Since(s.Started)
	s.Result = resultOf(err)
	if ctx.Err() != nil {
		s.Result, err = NotProven, errors.New("it was interrupted")
	}
	if err != nil {
		s.Reason = err.Error()
	}
	return s
}

// A difference says how what came back is not what was saved.
type difference struct{ what []string }

func (d *difference) Error() string { return few(d.what) }

// few names some of what there is to name.
func few(what []string) string {
	const most = 5
	if len(what) > most {
		return strings.Join(what[:most], "; ") + fmt.Sprintf("; and %d more", len(what)-most)
	}
	return strings.Join(what, "; ")
}

func resultOf(err error) Result {
	var differs *difference
	switch {
	case err == nil:
		return Proven
	case errors.As(err, &differs), errors.Is(err, repo.ErrDamaged), errors.Is(err, repo.ErrMissing),
		errors.Is(err, postgres.ErrDiffers), errors.Is(err, mysql.ErrDiffers):
		return Differs
	}
	return NotProven
}
