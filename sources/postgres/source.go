package postgres

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"strings"
	"sync"
	"time"

	"chartkeep/sources"
	"chartkeep/sources/entries"
)

// Options say what is read. The zero value of all but Name and URL means the
// default.
type Options struct {
	Name      string                 // of the source: the folder its entries lie in
	URL       string                 // postgres://user@host/database, or host=… dbname=…
	Password  func() ([]byte, error) // nil: URL, service file, .pgpass, environment
	Databases []string               // none: the one that URL names
	All       bool                   // all databases of the server but templates

	Workers     int           // connections that read rows; 0: 2 to 4, as there are processors
	LockTimeout time.Duration // how long a table's lock is waited for; 0: 10 s
	Programs    string        // folder of pg_dump and pg_dumpall; empty: they are sought
	Log         func(string)  // told what is worth knowing and no error; nil: nobody
}

// A Source is a source of a server's databases. It implements sources.Moment.
type Source struct {
	o       Options
	address address

	mu  sync.Mutex
	now *dump // between Entries and End
}

// New returns a source. It connects to nothing yet.
func New(o Options) (*Source, error) {
	if o.Name == "" || strings.ContainsAny(o.Name, "/\x00") {
		return nil, fmt.Errorf("%q is not the name of a source", o.Name)
	}
	a, err := newAddress(o.URL, o.Password)
	if err != nil {
		return nil, err
	}
	if o.Workers <= 0 {
		o.Workers = min(4, max(2, runtime.GOMAXPROCS(0)))
	}
	if o.LockTimeout <= 0 {
		o.LockTimeout = defaultLockTimeout
	}
	if o.Log == nil {
		o.Log = func(string) {}
	}
	return &Source{o: o, address: a}, nil
}

const defaultLockTimeout = 10 * time.Second

// errTwice says that a source was begun again before its end.
var errTwice = errors.New("the databases are being read already")

// Entries begins the moment of every database and yields what the package
// comment shows. The contents read from ctx's connections: they are of use until
// End, or until ctx ends.
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
	d := newDump(ctx, s.address, s.o)
	s.now = d
	d.failure = d.begin()
	return d, d.failure
}

// End commits and closes all connections, and judges: every file was read to
// its end, each database's connection lived until now, so that its locks held,
// and no rows are missing.
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
