package local

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strconv"
	"sync"

	"chartkeep/repo/storage"
)

// lockName is the file in a run's temporary folder that the run holds locked.
const lockName = "lock"

// temp makes temporary files in a folder of this run's own. The folder is made
// with the first file, and anew if somebody has taken it away.
type temp struct {
	fsys FS
	dir  string       // the folder of all runs' folders
	gone func() error // whether the store is still there

	mu     sync.Mutex
	run    string    // this run's folder; "" before the first file
	held   io.Closer // its lock; nil where the file system has none
	serial uint64
}

// create makes a temporary file that nobody else has.
func (t *temp) create() (f File, path string, err error) {
	for range 5 {
		path, err = t.next()
		if err == nil {
			f, err = t.fsys.Create(path)
		}
		// Another run's CleanTemp may have come between the making of the
		// folder and its locking.
		vanished := errors.Is(err, fs.ErrNotExist) && t.gone() == nil
		if !vanished && !errors.Is(err, storage.ErrLocked) {
			break
		}
		t.forget(filepath.Dir(path))
	}
	return f, path, err
}

// next returns a path for a new file.
func (t *temp) next() (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.run == "" {
		if err := t.start(); err != nil {
			return "", err
		}
	}
	t.serial++
	return filepath.Join(t.run, strconv.FormatUint(t.serial, 10)), nil
}

// begin makes the run's folder, unless it is there.
func (t *temp) begin() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.run != "" {
		return nil
	}
	return t.start()
}

// start makes the run's folder.
func (t *temp) start() error {
	if gone := t.gone(); gone != nil { // or the folder would be made in the mount point
		return storage.Absent(gone)
	}
	var id [8]byte
	rand.Read(id[:]) // never fails
	run := filepath.Join(t.dir, hex.EncodeToString(id[:]))
	for _, dir := range []string{t.dir, run} {
		if err := t.fsys.Mkdir(dir); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	held, err := t.fsys.TryLock(filepath.Join(run, lockName), storage.Exclusive)
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		t.fsys.Remove(run) // on a full drive, every failing Put would leave one
		return err
	}
	t.run, t.held = run, held
	return nil
}

// own returns this run's folder; "" if it has none.
func (t *temp) own() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.run
}

// forget drops a run folder that is not there any more.
func (t *temp) forget(run string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.run != "" && t.run == run {
		t.release()
	}
}

func (t *temp) release() error {
	var err error
	if t.held != nil {
		err = t.held.Close()
	}
	t.run, t.held = "", nil
	return err
}

// close removes the run's folder.
func (t *temp) close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.run == "" {
		return nil
	}
	run := t.run
	if err := t.release(); err != nil { // first: Windows removes no open file
		return fmt.Errorf("close %s: %w", run, err)
	}
	return removeFolder(t.fsys, run)
}

// removeFolder removes a run's folder that holds no files but its lock. That
// somebody else was faster is no error.
func removeFolder(fsys FS, run string) error {
	for _, path := range []string{filepath.Join(run, lockName), run} {
		if err := fsys.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
