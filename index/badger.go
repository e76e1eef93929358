package index

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
)

const (
	// Values above this go to the value log and are never copied again by compactions. All in the tree, ten
	// million chunks took 1.2 GB of memory to write and 120 µs to read one part of; in the log 15 MB and 17 µs.
	treeValue = 1 << 10

	memTable = 2 << 20 // the tree holds little more than keys
	logFile  = 8 << 20 // the last log file is read through at every start

	// sparseRoom is what Badger's mapped files may still fill in. Writing to a mapping without room on disk
	// kills the process, so it has to be there before.
	sparseRoom = 64 << 20
)

func openBadger(dir string) (db *badger.DB, err error) {
	err = guarded(func() error {
		db, err = badger.Open(badgerOptions(dir))
		return err
	})
	return db, err
}

func badgerOptions(dir string) badger.Options {
	return badger.DefaultOptions(dir).
		WithLogger(nil).
		WithBypassLockGuard(true). // the cache's own lock also covers its removal
		WithDetectConflicts(false).
		WithMetricsEnabled(false).
		WithCompression(options.None). // what is sealed does not shrink
		WithBlockCacheSize(0).
		WithIndexCacheSize(0).
		WithMemTableSize(memTable).
		WithBaseTableSize(memTable).
		WithNumMemtables(2).
		WithNumCompactors(2).
		WithCompactL0OnClose(true). // only compaction counts the garbage in log files
		WithValueThreshold(treeValue).
		WithValueLogFileSize(logFile)
}

// guarded makes errors of what Badger's mapped files can do to a caller: a page that the disk does not give, or does
// not take, is a fault, and a bad length a panic. In Badger's own goroutines both end the process, and what was left
// open is verified by the next one.
func guarded(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	return fn()
}

// errFull is the error of a disk without the room that Badger may need at any moment.
var errFull = errors.New("disk of index cache is nearly full")

// takes returns why Badger should write no records now: a disk that is full, or that died. Badger writes to mappings
// in goroutines of its own, where a disk's error ends the process.
func (s *shelf) takes(records []record) error {
	return errors.Join(s.checkRoom(records), tryDisk(s.dir, false))
}

// checkRoom returns errFull unless there is room for the records, too.
func (s *shelf) checkRoom(records []record) error {
	need := uint64(sparseRoom)
	for _, r := range records {
		need += uint64(len(r.value))
	}
	free, err := s.room(s.dir)
	if err != nil {
		return fmt.Errorf("room for index cache: %w", err)
	}
	if free < need {
		return fmt.Errorf("%w: %d bytes free in %s, %d needed", errFull, free, s.dir, need)
	}
	return nil
}

// relief gives back what mapped files take. Where the system knows no other way, or Badger has much to clean, it is
// closed and opened. While s.mu is held exclusively, Badger does not touch its log files.
func (s *shelf) relief() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.db == nil || !s.relieve(func() error { return unmap(s.dir) }) || s.checkRoom(nil) != nil {
		return nil
	}
	err := s.shut()
	if err == nil {
		s.db, err = openBadger(s.dir)
	}
	if err != nil {
		s.db, s.down = nil, s.damage(err)
		return s.down
	}
	s.clean()
	_ = unmap(s.dir)
	return nil
}

// clean has Badger rewrite log files that are mostly garbage, of which it learns only when it is closed. One call
// does a bounded number of them, so that no command is held up for long.
func (s *shelf) clean() {
	for range 8 {
		if s.memory != nil || s.db.RunValueLogGC(0.5) != nil {
			return
		}
	}
}

// keys calls fn with every key in Badger.
func (s *shelf) keys(fn func(key)) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.db == nil {
		return s.down
	}
	return guarded(func() error {
		return s.db.View(func(txn *badger.Txn) error {
			o := badger.DefaultIteratorOptions
			o.PrefetchValues = false
			it := txn.NewIterator(o)
			defer it.Close()
			for it.Rewind(); it.Valid(); it.Next() {
				if k, ok := parseKey(it.Item().Key()); ok {
					fn(k)
				}
			}
			return nil
		})
	})
}

// close gives Badger up. Afterwards everything fails. It reports whether the files were closed; without room for what
// that writes they are left as they are. The error says why they were not, or why Badger took no more values before.
func (s *shelf) close() (closed bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err = s.fault
	if s.db != nil {
		full := s.checkRoom(nil)
		if full == nil {
			closed, full = true, s.closeBadger()
		}
		err = errors.Join(err, full)
	}
	s.db, s.memory, s.down = nil, nil, errClosed
	return closed, err
}

func (s *shelf) closeBadger() error {
	if !s.worn.Load() {
		s.clean()
	}
	if err := s.shut(); err != nil {
		return s.damage(err)
	}
	return nil
}

// closePatience is how long Badger may take to write what it still holds.
const closePatience = time.Minute

var errStuck = errors.New("the disk does not take what was to be written")

// shut closes Badger, which tries for ever to write what a failing disk does not take: where a trial fails it is left
// alone, and where it takes too long it is no longer waited for. It ends with the process then, and the files count as
// left open.
func (s *shelf) shut() error {
	if err := tryDisk(s.dir, true); err != nil {
		return err
	}
	done := make(chan error, 1)
	db := s.db
	go func() { done <- db.Close() }()
	select {
	case err := <-done:
		return err
	case <-time.After(closePatience):
		return errStuck
	}
}

// tryDisk writes a little beside Badger's folder. Without durable it asks the file system alone, which knows of a disk
// that failed before.
func tryDisk(dir string, durable bool) error {
	name := dir + ".trial"
	defer os.Remove(name)
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write([]byte("trial"))
	if durable {
		err = errors.Join(err, f.Sync())
	}
	return errors.Join(err, f.Close())
}
