package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"chartkeep/repo"
	"chartkeep/repo/storage"
	"chartkeep/repo/storage/local"
)

// with opens the repository, takes its lock, and runs work on it.
func (p *program) with(ctx context.Context, mode storage.LockMode, work func(*repo.Repository) error) error {
	return p.opened(ctx, func(r *repo.Repository) error {
		return p.locked(ctx, r, mode, func() error { return work(r) })
	})
}

// locked takes the lock of an open repository and runs work.
func (p *program) locked(ctx context.Context, r *repo.Repository, mode storage.LockMode, work func() error) error {
	unlock, err := p.lock(ctx, r, mode)
	if err != nil {
		return err
	}
	return errors.Join(work(), unlock())
}

// opened opens the repository and runs work, which takes the locks it needs.
func (p *program) opened(ctx context.Context, work func(*repo.Repository) error) error {
	st, err := p.openStore()
	if err != nil {
		return err
	}
	defer storage.Close(st) // what it leaves behind is cleaned by a later run
	r, err := p.open(ctx, st)
	if err != nil {
		return err
	}
	return errors.Join(work(r), r.Close())
}

// reading is with for a command that only reads what is stored.
func (p *program) reading(ctx context.Context, work func(*repo.Repository) error) error {
	return p.with(ctx, storage.Shared, func(r *repo.Repository) error {
		if err := ownerOnly(r); err != nil {
			return err
		}
		return work(r)
	})
}

// ownerOnly refuses a key that may not read.
func ownerOnly(r *repo.Repository) error {
	if !r.CanRead() {
		return failed("Use the password of an owner key: chartkeep key list", "this key may add snapshots but not read them")
	}
	return nil
}

// openStore opens the place where the repository lies. The table of places is
// this switch.
func (p *program) openStore() (storage.Store, error) {
	scheme, _, remote := strings.Cut(p.location, "://")
	switch {
	case p.location == "":
		return nil, failed("Name it with -r PATH or CHARTKEEP_REPOSITORY.", "no repository given")
	case !remote:
		st, err := local.New(p.location)
		if errors.Is(err, storage.ErrAbsent) {
			return nil, fmt.Errorf("%w (%w)", repo.ErrNoRepository, err)
		}
		return st, err
	}
	return nil, failed("A repository is a folder.", "%s: unknown kind of storage %q", p.location, scheme)
}

// createStore is openStore for a repository that is to be made.
func (p *program) createStore() (storage.Store, error) {
	if p.location != "" && !strings.Contains(p.location, "://") {
		return local.Create(p.location)
	}
	return p.openStore()
}

func (p *program) options() repo.Options {
	return repo.Options{CacheDir: p.cacheDir, LimitMemory: p.memory, Warn: func(err error) { p.Warn("%s", oneLine(err)) }}
}

// tries is how often a person may mistype the password.
const tries = 3

// open unlocks the repository with the password, or with a recovery code.
func (p *program) open(ctx context.Context, st storage.Store) (*repo.Repository, error) {
	for try := 1; ; try++ {
		password, asked, err := p.password(ctx, fmt.Sprintf("password for %s: ", p.location))
		if err != nil {
			return nil, err
		}
		r, err := repo.Open(ctx, st, password, p.options())
		if err == nil {
			return r, nil
		}
		err = fmt.Errorf("open %s: %w", p.location, err)
		if !errors.Is(err, repo.ErrPassword) {
			return nil, err
		}
		if !asked || try == tries {
			return nil, err
		}
		p.Complain("%s; try again", oneLine(err))
	}
}

// lock takes the repository's lock. Who has to wait for it is told so.
func (p *program) lock(ctx context.Context, r *repo.Repository, mode storage.LockMode) (unlock func() error, err error) {
	held, err := r.Lock(ctx, mode, 0)
	if errors.Is(err, storage.ErrLocked) && p.lockWait > 0 {
		p.Remark("%s is locked by another run; waiting up to %v for it", p.location, p.lockWait.Round(time.Second))
		held, err = r.Lock(ctx, mode, p.lockWait)
	}
	if errors.Is(err, errors.ErrUnsupported) {
		return func() error { return nil }, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.location, err)
	}
	return held.Close, nil
}
