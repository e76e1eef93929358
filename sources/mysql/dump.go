package mysql

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"chartkeep/sources"
	"chartkeep/sources/entries"
)

// A dump is one reading of a source, from Entries to End.
type dump struct {
	*Source
	ctx    context.Context
	cancel context.CancelFunc

	server      server
	hold        *hold
	description []byte
	users       []byte
	definitions [][]byte   // of each database
	readings    []*reading // of the tables, in the order of the entries

	snapshots, locks, plain pool
	failure                 error // of begin
	started, ended          time.Time

	mu         sync.Mutex // over the readings, and
	lockedLeft int        // how many locked tables are to be read yet
}

func newDump(ctx context.Context, s *Source) *dump {
	d := &dump{Source: s, started: time.Now()}
	d.ctx, d.cancel = context.WithCancel(ctx)
	return d
}

// How often a moment is begun anew, and how long the pause between is at most.
const (
	tries    = 20
	pauseMin = 20 * time.Millisecond
	pauseMax = 2 * time.Second
)

// begin takes the moment.
func (d *dump) begin() error {
	pause := pauseMin
	for try := 1; ; try++ {
		err := d.try()
		if err == nil {
			d.plan()
			return nil
		}
		d.hold.close()
		again := errors.Is(err, errMoved) || errors.Is(err, errStuck) || errorIs(err, lockWait, deadlock, noSuchTable, changedDefinition)
		if !again || d.ctx.Err() != nil {
			return err
		}
		if try == tries {
			return fmt.Errorf("given up after %d tries: %w", tries, err)
		}
		d.o.Log(fmt.Sprintf("begun anew: %v", err))
		select {
		case <-time.After(pause):
		case <-d.ctx.Done():
			return d.ctx.Err()
		}
		pause = min(2*pause, pauseMax)
	}
}

// try takes the moment once: the definitions as well, since they are not
// versioned. Those of tables cannot change while the moment is held; the rest
// must be the same before and after.
func (d *dump) try() error {
	d.hold = &hold{login: d.login}
	h := d.hold
	first, err := h.connect(d.ctx, readingSession(d.o.LockTimeout))
	if err != nil {
		return err
	}
	if d.server, err = first.meet(d.ctx); err != nil {
		return err
	}
	h.server = d.server
	program, err := findDump(d.ctx, d.o.Programs, d.server)
	if err != nil {
		return err
	}
	m := methodOf(d.server)
	if d.method != nil {
		m = *d.method
	}
	if err := h.take(d.ctx, first, d.o, d.names, m); err != nil {
		return err
	}
	if err := d.dumpStatements(program); err != nil {
		return err
	}
	return h.block.end(d.ctx)
}

// dumpStatements fills in all that is not rows.
func (d *dump) dumpStatements(program string) (err error) {
	h := d.hold
	err = h.watched(d.ctx, d.o.LockTimeout, func(ctx context.Context) error { return d.dumpDefinitions(ctx, program) })
	if err != nil {
		return cmp.Or(h.sameCode(d.ctx), err) // what was gone when the program came for it is no failure
	}
	if d.users, err = dumpUsers(d.ctx, h.plain, d.server); err != nil {
		return err
	}
	if d.description, err = h.desc.encode(); err != nil {
		return err
	}
	return h.sameCode(d.ctx)
}

func (d *dump) dumpDefinitions(ctx context.Context, program string) error {
	f := definer{program, d.login, d.server}
	d.definitions = nil
	for i := range d.hold.desc.Databases {
		name := d.hold.desc.Databases[i].Name
		b, err := f.dump(ctx, name, d.hold.desc.namesOf(name))
		if err != nil {
			return err
		}
		d.definitions = append(d.definitions, b)
	}
	return nil
}

// plan lists what is to be read, once the moment is held.
func (d *dump) plan() {
	d.snapshots, d.locks = newPool(d.hold.snapshots), newPool(d.hold.locks)
	d.plain = newPool([]*session{d.hold.plain})
	note := func(_ *reading, f func()) {
		d.mu.Lock()
		defer d.mu.Unlock()
		f()
	}
	for b, t := range d.hold.desc.tables() {
		if t.File == "" {
			continue
		}
		d.readings = append(d.readings, &reading{database: b, table: t, note: note})
		if t.locked() {
			d.lockedLeft++
		}
	}
}

// entries yields everything below the root. Names are sorted in every folder.
func (d *dump) entries(base string, yield func(sources.Entry) bool) {
	if !yield(entries.Folder(base)) {
		return
	}
	steps := map[string]func() bool{
		DescriptionFile: func() bool { return yield(entries.Fixed(base+"/"+DescriptionFile, d.description)) },
		usersFile:       func() bool { return yield(entries.Fixed(base+"/"+usersFile, d.users)) },
	}
	names := []string{DescriptionFile, usersFile}
	for i := range d.hold.desc.Databases {
		b := &d.hold.desc.Databases[i]
		steps[b.Folder] = func() bool { return d.databaseEntries(b, d.definitions[i], base+"/"+b.Folder, yield) }
		names = append(names, b.Folder)
	}
	slices.Sort(names)
	for _, n := range names {
		if d.ctx.Err() != nil || !steps[n]() {
			return
		}
	}
}

func (d *dump) databaseEntries(b *Database, definitions []byte, base string, yield func(sources.Entry) bool) bool {
	if !yield(entries.Folder(base)) || !yield(entries.Fixed(base+"/"+definitionsFile, definitions)) || !yield(entries.Folder(base+"/"+tablesFolder)) {
		return false
	}
	for _, r := range d.readings {
		if r.database != b {
			continue
		}
		open := func() (sources.File, error) { return d.open(r) }
		e := sources.Entry{Path: base + "/" + tablesFolder + "/" + r.table.File, Meta: entries.Meta(), Content: entries.Stream{Content: open}}
		if r.table.locked() {
			e.Content = entries.Urgent{Stream: entries.Stream{Content: open}}
		}
		if !yield(e) {
			return false
		}
	}
	return true
}

// open begins to read a table.
func (d *dump) open(r *reading) (sources.File, error) {
	if err := d.first(r); err != nil {
		return nil, err
	}
	p := d.snapshots
	switch {
	case r.table.sequence():
		p = d.plain // sequences are in no transaction; later is the safe side
	case r.table.locked():
		p = d.locks
	}
	s, err := p.take(d.ctx)
	if err != nil {
		return nil, r.failed(err)
	}
	return r.open(d.ctx, s, func(whole bool) {
		p.give(s)
		if whole && r.table.locked() {
			d.lockedRead()
		}
	})
}

// first fails if the table was opened before. A locked one may be unlocked by
// now, and hold another moment's rows.
func (d *dump) first(r *reading) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.opened {
		return fmt.Errorf("table %s.%s: it can be read only once", r.database.Name, r.table.Name)
	}
	r.opened = true
	return nil
}

// lockedRead unlocks the tables when the last of them was read.
func (d *dump) lockedRead() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lockedLeft--; d.lockedLeft == 0 {
		if err := d.hold.unlock(d.ctx); err != nil {
			d.o.Log(err.Error())
		}
	}
}

// end judges, and gives everything back.
func (d *dump) end(ctx context.Context) error {
	errs := []error{d.failure}
	if d.failure == nil {
		errs = append(errs, d.ctx.Err(), d.missing())
		for _, s := range d.hold.snapshots {
			if err := s.exec(ctx, "COMMIT"); err != nil {
				errs = append(errs, fmt.Errorf("the moment did not last until all was read: %w", err))
				break
			}
		}
	}
	d.cancel()
	d.hold.close()
	d.ended = time.Now()
	return errors.Join(errs...)
}

// missing says which tables were not read whole.
func (d *dump) missing() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	unread := 0
	for _, r := range d.readings {
		switch {
		case r.err != nil:
			errs = append(errs, r.err)
		case !r.whole:
			unread++
		}
	}
	if unread > 0 {
		errs = append(errs, fmt.Errorf("%d of %d tables were not read", unread, len(d.readings)))
	}
	return errors.Join(errs...)
}

// A pool hands out sessions to one reader at a time.
type pool chan *session

func newPool(sessions []*session) pool {
	p := make(pool, len(sessions))
	for _, s := range sessions {
		p <- s
	}
	return p
}

// take waits for a free session.
func (p pool) take(ctx context.Context) (*session, error) {
	select {
	case s := <-p:
		return s, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// give gives it back. One that broke stays: the next reader is told at once.
func (p pool) give(s *session) { p <- s }
