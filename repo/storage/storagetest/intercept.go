package storagetest

import (
	"context"
	"io"
	"iter"
	"time"

	"chartkeep/repo/storage"
)

// Op is an operation of a store.
type Op string

// The operations. Read is ReadAt on an open file.
const (
	Put     Op = "put"
	Open    Op = "open"
	Read    Op = "read"
	List    Op = "list"
	Remove  Op = "remove"
	Replace Op = "replace"
	Lock    Op = "lock"
	Space   Op = "space"
	Clean   Op = "clean"
)

// interceptor stands before a store and hands every call to around, which makes
// it by calling do. The bytes are those that are written or asked for.
type interceptor struct {
	inner  storage.Store
	around func(ctx context.Context, op Op, name string, bytes int, do func() error) error
	read   func(f storage.File, name string, p []byte, off int64) (int, error) // f.ReadAt, or worse
}

func (s *interceptor) Put(ctx context.Context, name string, parts ...[]byte) error {
	return s.around(ctx, Put, name, length(parts), func() error { return s.inner.Put(ctx, name, parts...) })
}

func (s *interceptor) Replace(ctx context.Context, name string, parts ...[]byte) error {
	return s.around(ctx, Replace, name, length(parts), func() error { return storage.Replace(ctx, s.inner, name, parts...) })
}

func (s *interceptor) Remove(ctx context.Context, name string) error {
	return s.around(ctx, Remove, name, 0, func() error { return s.inner.Remove(ctx, name) })
}

func (s *interceptor) Open(ctx context.Context, name string) (f storage.File, err error) {
	err = s.around(ctx, Open, name, 0, func() error {
		f, err = s.inner.Open(ctx, name)
		return err
	})
	if err != nil {
		if f != nil {
			f.Close()
		}
		return nil, err
	}
	return &interceptedFile{File: f, store: s, name: name}, nil
}

// List intercepts the listing as one call that comes before its first file.
func (s *interceptor) List(ctx context.Context, dir string) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		if err := s.around(ctx, List, dir, 0, func() error { return nil }); err != nil {
			yield(storage.Info{Name: dir}, err)
			return
		}
		s.inner.List(ctx, dir)(yield)
	}
}

// Names intercepts it as a listing.
func (s *interceptor) Names(ctx context.Context, dir string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := s.around(ctx, List, dir, 0, func() error { return nil }); err != nil {
			yield(dir, err)
			return
		}
		storage.Names(ctx, s.inner, dir)(yield)
	}
}

func (s *interceptor) Lock(ctx context.Context, mode storage.LockMode, wait time.Duration) (held io.Closer, err error) {
	err = s.around(ctx, Lock, mode.String(), 0, func() error {
		held, err = storage.Lock(ctx, s.inner, mode, wait)
		return err
	})
	return held, err
}

func (s *interceptor) LockRun(ctx context.Context, wait time.Duration) (io.Closer, error) {
	return storage.LockRun(ctx, s.inner, wait)
}

func (s *interceptor) Uncache(ctx context.Context, name string) error {
	return storage.Uncache(ctx, s.inner, name)
}

func (s *interceptor) Space(ctx context.Context) (free, total uint64, err error) {
	err = s.around(ctx, Space, "", 0, func() error {
		free, total, err = storage.FreeSpace(ctx, s.inner)
		return err
	})
	return free, total, err
}

func (s *interceptor) CleanTemp(ctx context.Context, olderThan time.Duration) (removed int, err error) {
	err = s.around(ctx, Clean, "", 0, func() error {
		removed, err = storage.CleanTemp(ctx, s.inner, olderThan)
		return err
	})
	return removed, err
}

func (s *interceptor) LivingRuns(ctx context.Context) (int, error) {
	return storage.LivingRuns(ctx, s.inner)
}

func (s *interceptor) DeadRuns(ctx context.Context) (int, error) {
	return storage.DeadRuns(ctx, s.inner)
}

func (s *interceptor) Close() error { return storage.Close(s.inner) }

// interceptedFile is an open file whose reads are intercepted.
type interceptedFile struct {
	storage.File
	store *interceptor
	name  string
}

func (f *interceptedFile) ReadAt(p []byte, off int64) (n int, err error) {
	err = f.store.around(context.Background(), Read, f.name, len(p), func() error {
		n, err = f.store.read(f.File, f.name, p, off)
		return err
	})
	return n, err
}

// plainRead is the read of a store that spoils nothing.
func plainRead(f storage.File, _ string, p []byte, off int64) (int, error) { return f.ReadAt(p, off) }

func length(parts [][]byte) int {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	return n
}
