package local

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"chartkeep/repo/storage"
)

// surelyDead is the age at which a temporary folder is a leftover even if the
// file system has no locks to prove it: no file takes so long to write.
const surelyDead = 7 * 24 * time.Hour

// CleanTemp removes the temporary folders of runs that are dead: those whose
// lock can be had. A run that makes its folder at this very moment is not locked
// yet, so olderThan should not be zero where other runs may be starting.
func (s *Store) CleanTemp(ctx context.Context, olderThan time.Duration) (removed int, err error) {
	entries, err := s.fsys.ReadDir(s.temp.dir)
	if errors.Is(err, fs.ErrNotExist) && s.gone() == nil {
		return 0, nil
	}
	if err != nil {
		return 0, s.explain("clean", s.temp.dir, err)
	}
	var failed error
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return removed, errors.Join(failed, err)
		}
		if !e.IsDir() { // no run has put a file here
			continue
		}
		n, err := s.cleanRun(filepath.Join(s.temp.dir, e.Name()), olderThan)
		removed += n
		failed = errors.Join(failed, err)
	}
	return removed, s.explain("clean", s.temp.dir, failed)
}

// Trace makes this run's temporary folder.
func (s *Store) Trace(context.Context) error {
	return s.explain("leave a trace in", s.temp.dir, s.temp.begin())
}

// DeadRuns counts the temporary folders of runs that are dead.
func (s *Store) DeadRuns(ctx context.Context) (int, error) {
	dead, _, err := s.runs(ctx)
	return dead, err
}

// LivingRuns counts the temporary folders of other runs that are not dead.
func (s *Store) LivingRuns(ctx context.Context) (int, error) {
	_, living, err := s.runs(ctx)
	return living, err
}

func (s *Store) runs(ctx context.Context) (dead, living int, err error) {
	own := s.temp.own()
	entries, err := s.fsys.ReadDir(s.temp.dir)
	if errors.Is(err, fs.ErrNotExist) && s.gone() == nil {
		return 0, 0, nil
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return dead, living, err
		}
		run := filepath.Join(s.temp.dir, e.Name())
		if !e.IsDir() || run == own {
			continue
		}
		held, failed := s.takeOver(run, 0)
		switch {
		case held != nil:
			dead++
			failed = held.Close()
		case failed == nil:
			living++
		}
		if err == nil {
			err = failed
		}
	}
	return dead, living, s.explain("look at", s.temp.dir, err)
}

// cleanRun removes one run's folder unless the run lives.
func (s *Store) cleanRun(run string, olderThan time.Duration) (removed int, err error) {
	held, err := s.takeOver(run, olderThan)
	if held == nil || err != nil {
		return 0, err
	}
	removed, err = s.removeFiles(run)
	if closed := held.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return removed, err
	}
	if err := removeFolder(s.fsys, run); err != nil && !errors.Is(err, fs.ErrExist) { // not empty: somebody came in
		return removed, err
	}
	return removed, nil
}

// takeOver locks the folder of a dead run; it returns nil for a living or a
// young one.
func (s *Store) takeOver(run string, olderThan time.Duration) (io.Closer, error) {
	info, err := s.fsys.Stat(run)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	age := time.Since(info.ModTime())
	if age < olderThan {
		return nil, nil
	}
	held, err := s.fsys.TryLock(filepath.Join(run, lockName), storage.Exclusive)
	switch {
	case errors.Is(err, errors.ErrUnsupported) && age >= surelyDead:
		return unneeded{}, nil
	case errors.Is(err, errors.ErrUnsupported), errors.Is(err, storage.ErrLocked), errors.Is(err, fs.ErrNotExist):
		return nil, nil
	}
	return held, err
}

func (s *Store) removeFiles(run string) (removed int, err error) {
	entries, err := s.fsys.ReadDir(run)
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		if e.Name() == lockName {
			continue
		}
		if err := s.fsys.Remove(filepath.Join(run, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return removed, err
		}
		removed++
	}
	return removed, nil
}
