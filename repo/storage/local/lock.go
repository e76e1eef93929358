package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"chartkeep/repo/storage"
)

// Lock locks the whole store, by the operating system, so that no lock outlives
// its holder.
func (s *Store) Lock(ctx context.Context, mode storage.LockMode, wait time.Duration) (io.Closer, error) {
	held, err := s.lock(ctx, "lock", mode, wait)
	if mode == storage.Shared && cannotLock(err) {
		return unneeded{}, nil
	}
	return held, err
}

// LockRun takes the lock of runs, on a file of its own.
func (s *Store) LockRun(ctx context.Context, wait time.Duration) (io.Closer, error) {
	return s.lock(ctx, "runlock", storage.Exclusive, wait)
}

func (s *Store) lock(ctx context.Context, name string, mode storage.LockMode, wait time.Duration) (io.Closer, error) {
	path := s.path(name)
	if gone := s.gone(); gone != nil { // or the lock file would be made in the mount point
		return nil, fmt.Errorf("lock %s: %w", path, storage.Absent(gone))
	}
	held, err := storage.AwaitLock(ctx, wait, func() (io.Closer, error) {
		return s.fsys.TryLock(path, mode)
	})
	if err != nil {
		return nil, s.explain("lock", path, err)
	}
	return held, nil
}

// cannotLock reports that no lock can be had here: the file system has none, or
// this user may not write the lock file. Then a shared lock is granted all the
// same. On a read-only drive nobody can remove anything; and a reader on a
// share that others may clean up under it finds out at once, because every read
// is verified.
func cannotLock(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) || isReadOnly(err)
}

// unneeded stands for a lock that could not be taken and need not be.
type unneeded struct{}

func (unneeded) Close() error { return nil }
