package mysql

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"chartkeep/sources"
	"chartkeep/sources/entries"
)

// A Source is a source of a server's databases. It implements sources.Moment.
type Source struct {
	o      Options
	login  login
	names  []string // of the databases; nil: all
	method *method  // tests: another than the server's best

	mu  sync.Mutex
	now *dump // between Entries and End
}

// New returns a source. It connects to nothing yet.
func New(o Options) (*Source, error) {
	if !plainName.MatchString(o.Name) {
		return nil, fmt.Errorf("%q is not the name of a source", o.Name)
	}
	l, err := parseURL(o.URL, o.Password)
	if err != nil {
		return nil, err
	}
	names, err := o.names(l)
	if err != nil {
		return nil, err
	}
	if o.Workers <= 0 {
		o.Workers = defaultWorkers
	}
	if o.LockTimeout <= 0 {
		o.LockTimeout = defaultLockTimeout
	}
	if o.Log == nil {
		o.Log = func(string) {}
	}
	return &Source{o: o, login: l, names: names}, nil
}

// errTwice says that a source was begun again before its end.
var errTwice = errors.New("the databases are being read already")

// Entries begins the moment and yields what the package comment shows. The
// contents read from ctx's connections: they are of use until End, or until ctx
// ends. Contents may be opened and read at the same time; one that finds no free
// connection waits for another to be closed.
func (s *Source) Entries(ctx context.Context) iter.Seq[sources.Entry] {
	return func(yield func(sources.Entry) bool) {
		d, err := s.begin(ctx)
		root := entries.Folder("/")
		root.Err = err
		if !yield(root) || err != nil {
			return
		}
		d.entries("/"+s.o.Name, yield)
	}
}

func (s *Source) begin(ctx context.Context) (*dump, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now != nil {
		return nil, errTwice
	}
	d := newDump(ctx, s)
	s.now = d
	d.failure = d.begin()
	return d, d.failure
}

// End closes all connections, which ends snapshots and locks, and judges: every
// file was read to its end, and the connections that held the moment lived until
// now.
func (s *Source) End(ctx context.Context) (map[string]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.now
	s.now = nil
	if d == nil {
		return nil, errors.New("the databases were not read")
	}
	err := d.end(ctx)
	return d.facts(), err
}
