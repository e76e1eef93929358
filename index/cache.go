package index

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
	"github.com/zeebo/blake3"
)

// ErrBusy is the error of Open when another process uses the cache.
var ErrBusy = errors.New("index cache is in use")

// A cache is the directory of the local copy, locked:
//
//	lock     held by the process that uses it
//	state    see below
//	badger/  Badger's files
type cache struct {
	dir  string
	key  [32]byte
	lock *flock.Flock
}

// What the file state says. Badger ends the process, in goroutines of its own, over damage it does not expect, so
// it never gets to see files that are not exactly as they were left; and whatever it does not survive while it opens
// them, it does not meet twice.
const (
	stateOpening = "opening" // somebody tries to open it: if nobody does now, he died of it
	stateOpen    = "open"    // somebody has it open: if nobody has now, he was killed, and everything has to be verified
	stateClosed  = "closed " // and the checksum of Badger's files
)

var errState = errors.New("index cache was left in a doubtful state")

func lockCache(dir string, key [32]byte) (*cache, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	c := &cache{dir: dir, key: key, lock: flock.New(filepath.Join(dir, "lock"), flock.SetPermissions(0o600))}
	locked, err := c.lock.TryLock()
	if err == nil && !locked {
		err = ErrBusy
	}
	if err != nil {
		return nil, errors.Join(err, c.lock.Close())
	}
	return c, nil
}

func (c *cache) files() string     { return filepath.Join(c.dir, "badger") }
func (c *cache) stateFile() string { return filepath.Join(c.dir, "state") }

func (c *cache) mark(state string) error {
	temporary := c.stateFile() + ".new" // so that a full disk leaves the old state
	if err := os.WriteFile(temporary, []byte(state), 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, c.stateFile())
}

// inspect reports whether the files are there as they were closed, or not there at all. If not, but they may be whole,
// it returns false.
func (c *cache) inspect() (clean bool, err error) {
	state, err := os.ReadFile(c.stateFile())
	if errors.Is(err, fs.ErrNotExist) {
		_, err = os.Stat(c.files())
		if errors.Is(err, fs.ErrNotExist) {
			return true, nil
		}
	}
	if err != nil {
		return false, err
	}
	if string(state) == stateOpen {
		return false, nil
	}
	sum, err := c.checksum()
	if err != nil {
		return false, err
	}
	if string(state) != stateClosed+sum {
		return false, errState
	}
	return true, nil
}

// checksum returns the checksum of Badger's files, of those in the value log only of their lengths: what is in them
// is sealed, and Badger only follows pointers there.
func (c *cache) checksum() (string, error) {
	var sub [32]byte
	blake3.DeriveKey("chartkeep index cache 1: files", c.key[:], sub[:])
	h, err := blake3.NewKeyed(sub[:])
	if err != nil {
		return "", err
	}
	entries, err := os.ReadDir(c.files()) // sorted
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		if err := addFile(h, filepath.Join(c.files(), e.Name())); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func addFile(h *blake3.Hasher, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close() // only read
	info, err := f.Stat()
	if err != nil {
		return err
	}
	_, _ = h.WriteString(filepath.Base(name) + "\x00")
	_, _ = h.Write(binary.LittleEndian.AppendUint64(nil, uint64(info.Size())))
	if strings.HasSuffix(name, ".vlog") {
		return nil
	}
	_, err = io.Copy(h, f)
	return err
}

// wipe removes the files.
func (c *cache) wipe() error {
	if err := os.RemoveAll(c.files()); err != nil {
		return fmt.Errorf("remove damaged cache: %w", err)
	}
	if err := os.Remove(c.stateFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove damaged cache: %w", err)
	}
	return nil
}

// release gives the directory back: worn files are removed, closed ones sealed, and others are for the next one to verify.
func (c *cache) release(worn, closed bool) error {
	var err error
	switch {
	case worn:
		err = c.wipe()
	case closed:
		err = c.seal()
	}
	return errors.Join(err, c.lock.Unlock())
}

func (c *cache) seal() error {
	sum, err := c.checksum()
	if err != nil {
		return err
	}
	return c.mark(stateClosed + sum)
}
