package index

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4"
	"github.com/zeebo/blake3"
)

var (
	errClosed   = errors.New("index is closed")
	errMissing  = errors.New("value is missing")
	errInMemory = errors.New("the index is in memory")
)

// A key names a value on the shelf: its kind in the first byte, then two numbers of 32 and 24 bits.
type key uint64

// Kinds of values, and what the two numbers of their keys say.
const (
	rootKind    = 'r' // only one
	segmentKind = 's' // number of the segment, number of the piece
	partKind    = 'd' // number of the part
	pageKind    = 'b' // generation, number of the page
)

var rootKey = newKey(rootKind, 0, 0)

func newKey(kind byte, a uint32, b int) key {
	return key(kind)<<56 | key(a)<<24 | key(b)
}

func (k key) String() string {
	return fmt.Sprintf("%c %d %d", byte(k>>56), uint32(k>>24), k&(1<<24-1))
}

func (k key) bytes() []byte { return binary.BigEndian.AppendUint64(nil, uint64(k)) }

func parseKey(b []byte) (k key, ok bool) {
	if len(b) != 8 {
		return 0, false
	}
	return key(binary.BigEndian.Uint64(b)), true
}

// A record is a value on its way to the shelf. It can be read again only with the tag it was put there with, so
// that a value which a crash brought back under a key that was used anew is never taken for the new one.
type record struct {
	key   key
	tag   []byte
	value []byte
}

// A shelf holds values under keys: in Badger, each sealed with AES-256-GCM, or in memory.
//
// Badger's own encryption is not used. It is counter mode, which hides but does not authenticate, and it brings
// caches of decrypted blocks; values that are sealed before Badger sees them are read straight from its mapped
// files. Its keys stay clear: they are numbers.
//
// When Badger cannot write (its disk is full, say), the shelf turns away from it: what comes from then on is kept
// in memory, and on disk the state before stays as it was.
type shelf struct {
	dir  string // of Badger's files; empty when everything is in memory
	aead cipher.AEAD
	room func(dir string) (uint64, error)

	recent *recent     // pages
	parts  *recent     // as many as a run of look-ups and some that cross it need
	worn   atomic.Bool // a value on disk was damaged

	mu     sync.RWMutex // held exclusively to open and close Badger, and to change the fields below
	db     *badger.DB
	down   error          // why db is nil
	memory map[key][]byte // nil while Badger takes everything
	fault  error          // why it no longer does

	mapped
}

// newMemoryShelf returns a shelf that keeps everything in memory.
func newMemoryShelf() *shelf {
	return &shelf{memory: make(map[key][]byte), recent: newRecent(0), parts: newRecent(0), down: errMissing}
}

// newShelf returns a shelf in dir, which it creates if need be. Badger is still to be opened.
func newShelf(dir string, secret [32]byte, o Options) (*shelf, error) {
	aead, err := newAEAD(secret)
	if err != nil {
		return nil, err
	}
	mappable, parts := o.MemoryLimit/4, o.MemoryLimit/8
	s := &shelf{
		dir: dir, aead: aead, room: o.room,
		recent: newRecent(o.MemoryLimit - mappable - parts),
		parts:  newRecent(parts),
		mapped: mapped{limit: mappable},
		down:   errClosed,
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return s, s.checkRoom(nil)
}

func newAEAD(secret [32]byte) (cipher.AEAD, error) {
	var sub [32]byte
	blake3.DeriveKey("chartkeep index cache 1: values", secret[:], sub[:])
	b, err := aes.NewCipher(sub[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(b)
}

// fetch returns a value, and whether it came from disk. Nobody may change it.
func (s *shelf) fetch(k key, tag []byte) (v []byte, stored bool, err error) {
	s.mu.RLock()
	v, ok := s.memory[k]
	if !ok {
		v, err = s.fetchStored(k, tag)
	}
	s.mu.RUnlock()
	if err == nil && s.crowded() {
		err = s.relief()
	}
	return v, !ok, err
}

// fetchStored reads from Badger.
func (s *shelf) fetchStored(k key, tag []byte) (v []byte, err error) {
	if s.db == nil {
		return nil, s.down
	}
	raw := k.bytes()
	err = guarded(func() error {
		return s.db.View(func(txn *badger.Txn) error {
			item, err := txn.Get(raw)
			if err != nil {
				return err
			}
			return item.Value(func(sealed []byte) error {
				s.touch(sealed)
				v, err = s.aead.Open(nil, nil, sealed, append(raw, tag...))
				return err
			})
		})
	})
	switch {
	case errors.Is(err, badger.ErrDBClosed):
		return nil, errClosed
	case errors.Is(err, badger.ErrKeyNotFound) && k == rootKey:
		return nil, nil
	case err != nil:
		return nil, s.damage(fmt.Errorf("value %v: %w", k, err))
	}
	return v, nil
}

// damage makes an error of what is wrong with the files and remembers that something is.
func (s *shelf) damage(err error) error {
	s.worn.Store(true)
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

// batchBytes is how much is handed to Badger at once.
const batchBytes = 1 << 20

// put stores values. They may be lost in a crash until the next commit.
func (s *shelf) put(records []record) error {
	for len(records) > 0 {
		n, size := 0, 0
		for n < len(records) && (n == 0 || size+len(records[n].value) <= batchBytes) {
			size += len(records[n].value)
			n++
		}
		if err := s.putBatch(records[:n]); err != nil {
			return err
		}
		records = records[n:]
	}
	return nil
}

func (s *shelf) putBatch(records []record) error {
	if err := s.store(records); err != nil {
		return s.remember(records, err)
	}
	if s.crowded() {
		return s.relief()
	}
	return nil
}

// store gives values to Badger.
func (s *shelf) store(records []record) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	switch {
	case s.memory != nil && s.fault == nil:
		return errInMemory
	case s.memory != nil:
		return s.fault
	case s.db == nil:
		return s.down
	}
	if err := s.takes(records); err != nil {
		return err
	}
	return s.write(records)
}

func (s *shelf) write(records []record) error {
	batch := s.db.NewWriteBatch()
	defer batch.Cancel()
	for _, r := range records {
		raw := r.key.bytes()
		sealed := s.aead.Seal(make([]byte, 0, len(r.value)+s.aead.Overhead()), nil, r.value, append(raw, r.tag...))
		s.written(sealed)
		if err := batch.Set(raw, sealed); err != nil {
			return err
		}
	}
	return batch.Flush()
}

// remember keeps values in memory, which Badger did not take for the given reason.
func (s *shelf) remember(records []record, reason error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.memory == nil {
		if s.db == nil {
			return s.down
		}
		s.memory, s.fault = make(map[key][]byte), reason
	}
	for _, r := range records {
		s.memory[r.key] = slices.Clone(r.value)
	}
	return nil
}

// commit makes everything that was put durable, and then the root.
func (s *shelf) commit(root []byte) error {
	if err := s.sync(); err != nil {
		return err
	}
	if err := s.put([]record{{key: rootKey, value: root}}); err != nil {
		return err
	}
	return s.sync()
}

// usable returns why values can be neither read nor written.
func (s *shelf) usable() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.db == nil && s.memory == nil {
		return s.down
	}
	return nil
}

// stored reports whether values go to disk.
func (s *shelf) stored() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.memory == nil
}

func (s *shelf) sync() error {
	err := s.syncStored()
	if err != nil {
		return s.remember(nil, fmt.Errorf("sync index cache: %w", err))
	}
	return nil
}

func (s *shelf) syncStored() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.memory != nil || s.db == nil {
		return nil
	}
	return s.db.Sync()
}

// remove forgets values that the root on disk no longer refers to. It fails in silence: what stays is only waste.
func (s *shelf) remove(keys []key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range keys {
		s.recent.remove(k)
		s.parts.remove(k)
		delete(s.memory, k)
	}
	if s.memory != nil || s.db == nil || s.takes(nil) != nil {
		return
	}
	batch := s.db.NewWriteBatch()
	defer batch.Cancel()
	for _, k := range keys {
		if batch.Delete(k.bytes()) != nil {
			return
		}
	}
	_ = batch.Flush()
}
