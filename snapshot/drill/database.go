package drill

import (
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	"chartkeep/snapshot"
	"chartkeep/sources"
	"chartkeep/sources/files"
)

// An engine is one kind of server, as a drill uses it.
type engine interface {
	databases() []string
	// start starts the scratch server. stop has to be called.
	start(ctx context.Context) (stop func() error, err error)
	// load restores a database into it, with roles and users.
	load(ctx context.Context, database string) (loaded, error)
	// reader is the source of all that was loaded.
	reader() (sources.Moment, error)
	// texts reports whether a file is compared by what it says; the path is
	// below the source's folder.
	texts(p string) bool
	// judge says of a file whose bytes differ whether that is a difference.
	judge(ctx context.Context, p string, saved, again []byte) verdict
	// count compares what was counted in the tables.
	count(facts map[string]string) ([]string, error)
	// check looks for faults in a database that was loaded. left says what could
	// not be looked at.
	check(ctx context.Context, database string) (faults []string, left string, err error)
}

// loaded says how much a restore brought back.
type loaded struct {
	tables      int
	rows, bytes int64
	left        []string // what did not come along
}

// database drills a source that is databases.
func (d *drill) database(ctx context.Context, rec snapshot.SourceRecord, s *Source) error {
	if rec.Error != "" {
		return fmt.Errorf("it could not be read when it was saved: %s", rec.Error)
	}
	node, err := snapshot.Lookup(ctx, d.r, &d.s.Root, path.Join("/", rec.Name))
	if err != nil {
		return err
	}
	saved := snapshot.Saved(d.r, node)
	e, err := d.engine(ctx, rec, saved)
	if err != nil {
		return err
	}
	if err := d.room(ctx, saved); err != nil {
		return err
	}
	began := time.Now()
	d.Step(rec.Name + ": starting a scratch server")
	stop, err := e.start(ctx)
	if err != nil {
		return err
	}
	return errors.Join(d.prove(ctx, e, &trial{rec.Name, node, saved, s, began}), stop())
}

// engine is the table of servers.
func (d *drill) engine(ctx context.Context, rec snapshot.SourceRecord, saved sources.Restorable) (engine, error) {
	say := func(text string) { d.Log(rec.Name + ": " + text) }
	step := func(text string) { d.Step(rec.Name + ": " + text) }
	at := place{d.Dir, d.Programs, rec, saved, say, step}
	if rec.Kind == kindPostgres {
		return newPostgres(at)
	}
	return newMySQL(ctx, at)
}

// A place is what an engine has to know of a drill.
type place struct {
	dir, programs string
	rec           snapshot.SourceRecord
	saved         sources.Restorable
	say, step     func(string)
}

// A trial is the drill of one source on a server that was started.
type trial struct {
	name  string
	node  *snapshot.Node
	saved sources.Restorable
	s     *Source
	began time.Time
}

// prove restores, reads again and compares.
func (d *drill) prove(ctx context.Context, e engine, t *trial) error {
	var left []string
	for _, name := range e.databases() {
		d.Step(t.name + ": restoring " + name)
		l, err := e.load(ctx, name)
		if err != nil {
			return fmt.Errorf("it did not come back: %w", err)
		}
		t.s.Tables, t.s.Rows, t.s.Bytes = t.s.Tables+l.tables, t.s.Rows+l.rows, t.s.Bytes+l.bytes
		left = append(left, l.left...)
	}
	t.s.Recovery = time.Since(t.began)
	if len(left) > 0 {
		return fmt.Errorf("it did not come back whole: %s", few(left))
	}
	d.Step(t.name + ": reading it again")
	if err := d.compare(ctx, e, t); err != nil {
		return err
	}
	return d.checkAll(ctx, e, t)
}

func (d *drill) checkAll(ctx context.Context, e engine, t *trial) error {
	var faults []string
	for _, name := range e.databases() {
		d.Step(t.name + ": checking " + name)
		found, left, err := e.check(ctx, name)
		if err != nil {
			return fmt.Errorf("the check of what came back: %w", err)
		}
		faults = append(faults, found...)
		if left != "" {
			d.Log(t.name + ": " + left)
		}
	}
	if len(faults) > 0 {
		return &difference{faults}
	}
	return nil
}

// base is what a server without data takes, in bytes.
const base = 256 << 20

// room checks that there is space for a database: its indexes and its log come
// to its data.
func (d *drill) room(ctx context.Context, saved sources.Restorable) error {
	all, err := saved.Files(ctx)
	if err != nil {
		return err
	}
	var need uint64 = base
	for _, f := range all {
		need += uint64(f.Size) * 5 / 2
	}
	t, err := files.OpenTarget(d.Dir, files.TargetOptions{})
	if err != nil {
		return err
	}
	defer t.Close()
	free, _, err := t.Space()
	if err == nil && free < need {
		return fmt.Errorf("there is too little space in %s: %d MiB are free, and it may take %d", d.Dir, free>>20, need>>20)
	}
	return nil // where nobody knows the space, trying tells
}
