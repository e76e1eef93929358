package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/ui"
	"chartkeep/repo"
	"chartkeep/repo/pack"
	"chartkeep/repo/storage"
	"chartkeep/snapshot"
)

func (p *program) backupCommand() *cli.Command {
	return &cli.Command{
		Name:      "backup",
		Usage:     "save files, folders or a stream as a snapshot",
		ArgsUsage: "PATH|URL...",
		Description: `Saves the paths and databases, or what a command writes, as one snapshot. What an earlier
snapshot holds already is not stored again.

   chartkeep backup /srv/practice
   chartkeep backup /srv/OpenDentImages -e '*.tmp' --exclude-larger-than 2G
   mysqldump --all-databases | chartkeep backup --stdin --stdin-filename all.sql
   chartkeep backup --stdin-from-command --stdin-filename all.sql -- mysqldump --all-databases
   chartkeep backup postgres://backup@localhost/practice
   chartkeep backup mysql://backup@localhost/opendental /srv/OpenDentImages
   chartkeep backup --plan nightly       # all sources of a plan; chartkeep run does what follows, too

A file that cannot be read is named, and all others are saved: exit code 3. A
command that fails fails the backup, and nothing is saved.`,
		Flags:  backupFlags(),
		Action: p.backup,
	}
}

func backupFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "exclude", Aliases: []string{"e"}, Usage: "leave out what matches `PATTERN` (*, ?, **)"},
		&cli.StringSliceFlag{Name: "iexclude", Usage: "the same without regard to case: `PATTERN`"},
		&cli.StringSliceFlag{Name: "exclude-file", Usage: "read patterns from `FILE`, one a line"},
		&cli.StringSliceFlag{Name: "exclude-if-present", Usage: "leave out what is in folders that hold a file `NAME[:HEADER]`"},
		&cli.StringFlag{Name: "exclude-larger-than", Usage: "leave out files larger than `SIZE`"},
		&cli.BoolFlag{Name: "exclude-caches", Usage: "leave out what is in folders with a CACHEDIR.TAG"},
		&cli.BoolFlag{Name: "one-file-system", Aliases: []string{"x"}, Usage: "stay on the file systems of the given paths"},
		&cli.StringSliceFlag{Name: "files-from", Usage: "read more paths from `FILE`, one a line (- for stdin)"},
		&cli.StringFlag{Name: "plan", Usage: "save all sources of the configuration's plan `NAME`"},
		&cli.BoolFlag{Name: "stdin", Usage: "save standard input"},
		&cli.BoolFlag{Name: "stdin-from-command", Usage: "save what the command in the arguments writes"},
		&cli.StringFlag{Name: "stdin-filename", Value: "stdin", Usage: "call the stream `NAME` in the snapshot"},
		&cli.StringSliceFlag{Name: "tag", Usage: "label the snapshot with `TAG`; A,B are two"},
		&cli.StringFlag{Name: "host", Aliases: []string{"H"}, Usage: "record `HOST` instead of this machine's name"},
		&cli.StringFlag{Name: "time", Usage: "record `TIME` instead of now (2006-01-02 15:04:05)"},
		&cli.StringFlag{Name: "parent", Usage: "compare with `SNAPSHOT` instead of the last one of the same host and paths"},
		&cli.BoolFlag{Name: "force", Aliases: []string{"f"}, Usage: "read every file, also those that look unchanged"},
		&cli.BoolFlag{Name: "skip-if-unchanged", Usage: "save no snapshot when nothing has changed since the one before"},
		&cli.BoolFlag{Name: "dry-run", Aliases: []string{"n"}, Usage: "store nothing, but say what would be stored"},
		&cli.IntFlag{Name: "read-concurrency", Usage: "read `N` small files at a time"},
		databaseSide.passwordFlag(),
		compressionFlag(""),
	}
}

// backupSpec says how a backup is made, whatever it reads.
type backupSpec struct {
	host          string    // empty: this machine's name
	dated         time.Time // zero: now
	plan          string
	tags          []string
	parent        string // by name; empty: the last one of the same host, plan and paths
	force         bool
	dry           bool
	skipUnchanged bool
	readers       int
	level         pack.Level
	ofRun         bool // which leaves the record of it all
}

// backupSpecOf reads the flags.
func backupSpecOf(c *cli.Context) (spec backupSpec, err error) {
	spec = backupSpec{
		host: c.String("host"), tags: splitTags(c.StringSlice("tag")...), parent: c.String("parent"), force: c.Bool("force"),
		dry: c.Bool("dry-run"), skipUnchanged: c.Bool("skip-if-unchanged"), readers: c.Int("read-concurrency"),
	}
	if t := c.String("time"); t != "" {
		if spec.dated, err = parseTime(t); err != nil {
			return spec, usage(c, "--time: %w", err)
		}
	}
	if name := c.String("compression"); name != "" {
		if spec.level, err = pack.ParseLevel(name); err != nil {
			return spec, usage(c, "--compression: %w", err)
		}
	}
	return spec, nil
}

// backupRun is one backup.
type backupRun struct {
	*program
	backupSpec
	r        *repo.Repository
	task     task
	started  time.Time
	before   []*snapshot.Snapshot // all there are
	parent   *snapshot.Snapshot   // nil: none
	previous *snapshot.Snapshot   // of the same host, whatever its paths
	progress snapshot.Progress
	changed  bool // something in the given paths is not as the parent has it
	written  repo.Written
	doubts   []string // about what databases held
}

func (p *program) backup(c *cli.Context) error {
	spec, err := backupSpecOf(c)
	if err != nil {
		return err
	}
	b := &backupRun{program: p, backupSpec: spec, started: time.Now()}
	if c.String("plan") != "" {
		return b.ofPlan(c)
	}
	if b.task, err = p.backupTask(c); err != nil {
		return err
	}
	return b.now(c.Context)
}

// ofPlan saves all sources of a plan, in the repository that was named, or at
// the plan's first destination that is there.
func (b *backupRun) ofPlan(c *cli.Context) error {
	if c.NArg() > 0 || c.Bool("stdin") || c.Bool("stdin-from-command") {
		return usage(c, "a plan says what is saved; nothing else can be named")
	}
	conf, err := b.config()
	if err != nil {
		return err
	}
	plan, ok := conf.Plan(c.String("plan"))
	if !ok {
		return failed("To see the plans: chartkeep config show", "%s has no plan %s", conf.Path, c.String("plan"))
	}
	if b.location == "" {
		if b.program, err = b.firstSite(c.Context, conf, plan); err != nil {
			return err
		}
	}
	b.plan, b.tags = plan.Name, append(b.tags, plan.Tags...)
	if b.host == "" {
		b.host = hostName(conf)
	}
	if b.level == 0 {
		if b.level, err = planLevel(plan); err != nil {
			return err
		}
	}
	if b.task, err = b.planTask(c.Context, conf, plan); err != nil {
		return err
	}
	return b.now(c.Context)
}

// now opens the repository and runs.
func (b *backupRun) now(ctx context.Context) error {
	defer b.task.begin()()
	return b.with(ctx, storage.Shared, func(r *repo.Repository) error {
		b.r = r
		s, err := b.run(ctx)
		if s == nil && !b.dry {
			b.enter(ctx, r, nil, b.record(), err)
		}
		return err
	})
}

// run saves and says what came of it. A snapshot beside an error was saved, but
// not all that belongs in it.
func (b *backupRun) run(ctx context.Context) (*snapshot.Snapshot, error) {
	s, err := b.manifest()
	if err != nil {
		return nil, err
	}
	if err := b.findParent(ctx, s); err != nil {
		return nil, err
	}
	b.announce()
	if err := b.save(ctx, s); err != nil {
		return nil, err
	}
	if s.ID != "" {
		b.keepReserve(ctx, b.r)
	}
	b.report(s)
	if n := s.Summary.Errors; n > 0 {
		return s, &failure{exitIncomplete, fmt.Errorf("%s could not be read; everything else was saved", ui.Counted(n, "item")), "They are named above."}
	}
	return s, nil
}

// manifest begins the snapshot with what is known before the run.
func (b *backupRun) manifest() (*snapshot.Snapshot, error) {
	s := &snapshot.Snapshot{
		Time: b.started, Host: b.host, User: snapshot.CurrentUser(), Plan: b.plan,
		Tags: b.tags, Paths: b.task.paths, Version: versionName(),
	}
	var err error
	if s.Host == "" {
		if s.Host, err = os.Hostname(); err != nil {
			return nil, failed("Name it with --host.", "find this machine's name: %w", err)
		}
	}
	if !b.dated.IsZero() {
		s.Time, s.Dated = b.dated, true
	}
	return s, nil
}

// parseTime reads a local time, or one with its zone (RFC 3339).
func parseTime(s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	for _, form := range []string{time.DateTime, "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(form, s, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time; write it like 2026-01-31 19:30:00, or as RFC 3339", s)
}

// findParent chooses the snapshot to compare with. A key that may not read has
// none: it reads and hashes everything, and stores what is new all the same.
func (b *backupRun) findParent(ctx context.Context, s *snapshot.Snapshot) (err error) {
	if !b.r.CanRead() {
		return nil
	}
	if b.before, err = b.snapshots(ctx, b.r, filter{}); err != nil {
		return err
	}
	b.previous = snapshot.Last(b.before, s.Host)
	if b.backupSpec.parent != "" {
		b.parent, err = snapshot.Resolve(b.before, b.backupSpec.parent)
		return err
	}
	b.parent = snapshot.Newest(b.before, s.SameSource)
	return nil
}

// announce is the line at the start.
func (b *backupRun) announce() {
	compared := "everything is read"
	if b.parent != nil {
		compared = fmt.Sprintf("compared with %s of %s", b.parent.ID.Short(), ui.Time(b.parent.Time))
	}
	b.Remark("backing up %s to %s; %s", b.task.name, b.location, compared)
}

// save stores the tree, and then the manifest.
func (b *backupRun) save(ctx context.Context, s *snapshot.Snapshot) error {
	w, err := b.r.NewWriter(ctx, repo.WriterOptions{Level: b.level, DryRun: b.dry})
	if err != nil {
		return err
	}
	defer w.Abort()
	defer func() { b.written = w.Written() }()
	if err := b.tree(ctx, w, s); err != nil {
		return err
	}
	if b.plan != "" {
		s.Suspicion = append(snapshot.Suspect(s, b.before), b.doubts...)
	}
	if b.unchanged(s) {
		s.Summary.Duration = int64(time.Since(b.started))
		return nil
	}
	if err := w.Flush(); err != nil {
		return err
	}
	s.Summary.DataAdded, s.Summary.DataAddedPacked = w.Added()
	s.Summary.Duration = int64(time.Since(b.started))
	if b.dry {
		return nil
	}
	if err := s.Put(ctx, w); err != nil || b.ofRun {
		return err
	}
	rec := b.record()
	rec.Host, rec.Snapshots, rec.Added, rec.AddedPacked = s.Host, []repo.DocumentID{s.ID}, s.Summary.DataAdded, s.Summary.DataAddedPacked
	if !s.Complete {
		rec.Result = repo.ResultIncomplete
	}
	b.enter(ctx, b.r, w, rec, nil)
	return nil
}

func (b *backupRun) record() repo.Record {
	return repo.Record{Kind: repo.RecordBackup, Time: b.started, Plan: b.plan, Host: b.host}
}

// tree saves what the sources yield and fills in the manifest.
func (b *backupRun) tree(ctx context.Context, w *repo.Writer, s *snapshot.Snapshot) error {
	o := snapshot.SaveOptions{
		Force: b.force, Strict: b.task.strict, Readers: b.readers, Progress: &b.progress, Problem: b.problem, Item: b.item,
	}
	if b.parent != nil {
		o.Parent = &b.parent.Root
		b.progress.TotalFiles.Store(b.parent.Summary.Files)
		b.progress.TotalBytes.Store(b.parent.Summary.Bytes)
		s.Parent = b.parent.ID
	}
	if b.previous != nil {
		s.Previous, s.Sequence = b.previous.ID, b.previous.Sequence+1
	}
	return b.shown(ctx, func() error { return b.saveSources(ctx, w, s, o) })
}

// shown runs work with a display of how far it is. How much there is to read is
// guessed from the parent, or found out meanwhile by a second walk.
func (b *backupRun) shown(ctx context.Context, work func() error) error {
	if b.parent == nil && b.task.survey != nil && b.Shows() {
		ctx, cancel := context.WithCancel(ctx)
		var walk sync.WaitGroup
		walk.Go(func() { b.task.survey(ctx, &b.progress) })
		defer walk.Wait()
		defer cancel()
	}
	return b.During(b.state, work)
}

func (b *backupRun) state() ui.State {
	pr := &b.progress
	s := ui.State{
		Files: pr.Files.Load(), TotalFiles: pr.TotalFiles.Load(), Bytes: pr.Bytes.Load(), TotalBytes: pr.TotalBytes.Load(), Errors: pr.Errors.Load(),
	}
	if current := pr.Current.Load(); current != nil {
		s.Current = *current
	}
	return s
}

// problemObject is an item that could not be read, for programs.
type problemObject struct {
	Type  string `json:"message_type"`
	Item  string `json:"item"`
	Error string `json:"error"`
}

func (b *backupRun) problem(path string, err error) {
	b.task.failed(path, err)
	if b.JSON {
		b.ErrorObject(problemObject{"error", path, oneLine(err)})
		return
	}
	b.Warn("%s: %s", ui.Plain(path), oneLine(err))
}

func (b *backupRun) item(path string, what snapshot.Change, n *snapshot.Node) {
	if what != snapshot.Unmodified && !b.task.above(path) {
		b.changed = true
	}
	b.task.count(path, what, n)
	level := 1
	if what == snapshot.Unmodified {
		level = 2
	}
	b.Detail(level, "%-9s %s", what, ui.Plain(path))
}

// unchanged reports whether the snapshot would say nothing new, and nobody
// wants it then.
func (b *backupRun) unchanged(s *snapshot.Snapshot) bool {
	return b.skipUnchanged && b.parent != nil && !b.changed && s.Summary.Errors == 0
}
