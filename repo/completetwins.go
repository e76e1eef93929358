package repo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"chartkeep/repo/storage"
)

// completeTwins writes the copies that a run which was cut off had still to
// write: those that have only their twin. What cannot be completed is a warning;
// a check says what is missing.
func (r *Repository) completeTwins(ctx context.Context) {
	r.complete(ctx, "", twinFolder)
}

// completeAllTwins also writes the copies in the twin folder that were being
// removed, or lost. The caller holds the exclusive lock, so that nobody is
// removing anything now.
func (r *Repository) completeAllTwins(ctx context.Context) {
	r.complete(ctx, "", twinFolder)
	r.complete(ctx, twinFolder, "")
}

// complete writes what is below the folder from and not below the folder to.
func (r *Repository) complete(ctx context.Context, to, from string) {
	c := completion{r, to, from}
	warn := func(name string, err error) {
		if err != nil && ctx.Err() == nil {
			r.options.Warn(fmt.Errorf("complete the copies of %s: %w", name, err))
		}
	}
	if _, err := storage.ReadAll(ctx, r.store, path.Join(to, configName), maxSmallFile); errors.Is(err, fs.ErrNotExist) {
		warn(configName, c.file(ctx, configName, r.configWhole))
	}
	for dir, whole := range r.twinKinds() {
		warn(dir, c.folder(ctx, dir, whole))
	}
}

// A completion copies what is missing from one set of twins to the other.
type completion struct {
	r        *Repository
	to, from string
}

// folder lists where copies may be missing first: what is removed meanwhile has
// gone from the twin folder before.
func (c completion) folder(ctx context.Context, dir string, whole func(string, []byte) error) error {
	there := map[string]bool{}
	for file, err := range storage.Names(ctx, c.r.store, path.Join(c.to, dir)) {
		if err != nil {
			return err
		}
		there[path.Base(file)] = true
	}
	for file, err := range storage.Names(ctx, c.r.store, path.Join(c.from, dir)) {
		if err != nil {
			return err
		}
		if name := path.Base(file); !there[name] {
			if err := c.file(ctx, path.Join(dir, name), func(b []byte) error { return whole(name, b) }); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c completion) file(ctx context.Context, name string, whole func([]byte) error) error {
	if f, err := c.r.store.Open(ctx, path.Join(c.to, name)); err == nil {
		return f.Close() // another run has put it since the folder was listed
	}
	b, err := storage.ReadAll(ctx, c.r.store, path.Join(c.from, name), maxSmallFile)
	if err == nil {
		err = whole(b)
	}
	if err == nil {
		err = putSame(ctx, c.r.store, path.Join(c.to, name), b)
	}
	if err == nil {
		c.r.options.Warn(fmt.Errorf("%s had one copy only, as a run that is cut off can leave it; now it has two", name))
	}
	return err
}
