// Package mem is a store in memory, for tests and for trying things out. It
// keeps the whole contract of storage.Store except that nothing outlives the
// process.
package mem

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"chartkeep/repo/storage"
)

// Store is a store in memory. The zero value is empty and ready for use.
type Store struct {
	// Capacity is how many bytes of content fit in, 0 meaning any number. It is
	// set before the first use.
	Capacity uint64

	mu    sync.RWMutex
	files map[string]content
	used  uint64
	locks locks
	runs  locks // of LockRun
}

// content is one file's bytes, which never change.
type content struct {
	bytes []byte
	mod   time.Time
}

var _ interface {
	storage.Store
	storage.Locker
	storage.RunLocker
	storage.Replacer
	storage.Space
} = (*Store)(nil)

// New returns an empty store.
func New() *Store { return &Store{} }

// Put keeps a copy of the parts under a new name.
func (s *Store) Put(ctx context.Context, name string, parts ...[]byte) error {
	return wrap("put", name, s.put(ctx, name, parts, false))
}

// Replace keeps a copy of the parts under the name.
func (s *Store) Replace(ctx context.Context, name string, parts ...[]byte) error {
	return wrap("replace", name, s.put(ctx, name, parts, true))
}

func (s *Store) put(ctx context.Context, name string, parts [][]byte, over bool) error {
	if err := errors.Join(ctx.Err(), storage.CheckName(name)); err != nil {
		return err
	}
	b := bytes.Join(parts, nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	old, taken := s.files[name]
	if taken && !over {
		return fs.ErrExist
	}
	used := s.used - uint64(len(old.bytes)) + uint64(len(b))
	if s.Capacity > 0 && used > s.Capacity {
		return storage.ErrNoSpace
	}
	if s.files == nil {
		s.files = map[string]content{}
	}
	s.files[name], s.used = content{b, time.Now()}, used
	return nil
}

// Open returns the file that is under the name now.
func (s *Store) Open(ctx context.Context, name string) (storage.File, error) {
	if err := errors.Join(ctx.Err(), storage.CheckName(name)); err != nil {
		return nil, wrap("open", name, err)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, ok := s.files[name]
	if !ok {
		return nil, wrap("open", name, fs.ErrNotExist)
	}
	return file{bytes.NewReader(c.bytes)}, nil
}

// List yields the files that are there when the iteration begins.
func (s *Store) List(ctx context.Context, dir string) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		if err := storage.CheckFolder(dir); err != nil {
			yield(storage.Info{Name: dir}, err)
			return
		}
		for _, info := range s.list(dir) {
			if err := ctx.Err(); err != nil {
				yield(storage.Info{Name: info.Name}, err)
				return
			}
			if !yield(info, nil) {
				return
			}
		}
	}
}

func (s *Store) list(dir string) []storage.Info {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var infos []storage.Info
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		if dir == "" || strings.HasPrefix(name, dir+"/") {
			c := s.files[name]
			infos = append(infos, storage.Info{Name: name, Size: int64(len(c.bytes)), ModTime: c.mod})
		}
	}
	return infos
}

// Remove forgets the file.
func (s *Store) Remove(ctx context.Context, name string) error {
	if err := errors.Join(ctx.Err(), storage.CheckName(name)); err != nil {
		return wrap("remove", name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.files[name]
	if !ok {
		return wrap("remove", name, fs.ErrNotExist)
	}
	delete(s.files, name)
	s.used -= uint64(len(c.bytes))
	return nil
}

// Space returns what is left of the capacity; without one, of an exbibyte.
func (s *Store) Space(context.Context) (free, total uint64, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	total = s.Capacity
	if total == 0 {
		total = 1 << 60
	}
	return total - s.used, total, nil
}

// Lock locks the store within the process.
func (s *Store) Lock(ctx context.Context, mode storage.LockMode, wait time.Duration) (io.Closer, error) {
	return s.locks.await(ctx, mode, wait)
}

// LockRun locks the store for a run within the process.
func (s *Store) LockRun(ctx context.Context, wait time.Duration) (io.Closer, error) {
	return s.runs.await(ctx, storage.Exclusive, wait)
}

func (l *locks) await(ctx context.Context, mode storage.LockMode, wait time.Duration) (io.Closer, error) {
	held, err := storage.AwaitLock(ctx, wait, func() (io.Closer, error) { return l.try(mode) })
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	return held, nil
}

func wrap(operation, name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", operation, name, err)
}

// file is an open file.
type file struct{ *bytes.Reader }

func (file) Close() error { return nil }
