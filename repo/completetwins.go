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
// write. What cannot be completed is a warning: a check says what is missing.
func (r *Repository) completeTwins(ctx context.Context) {
	warn := func(dir string, err error) {
		if err != nil && ctx.Err() == nil {
			r.options.Warn(fmt.Errorf("complete the copies in %s: %w", dir, err))
		}
	}
	if _, err := storage.ReadAll(ctx, r.store, configName, maxSmallFile); errors.Is(err, fs.ErrNotExist) {
		warn(twinFolder, r.completeTwin(ctx, configName, r.configWhole))
	}
	for dir, whole := range r.twinKinds() {
		warn(dir, r.completeFolder(ctx, dir, whole))
	}
}

// completeFolder lists the folder before its twin: what is removed meanwhile has
// gone from the twin first.
func (r *Repository) completeFolder(ctx context.Context, dir string, whole func(string, []byte) error) error {
	there := map[string]bool{}
	for info, err := range r.store.List(ctx, dir) {
		if err != nil {
			return err
		}
		there[path.Base(info.Name)] = true
	}
	for info, err := range r.store.List(ctx, path.Join(twinFolder, dir)) {
		if err != nil {
			return err
		}
		if name := path.Base(info.Name); !there[name] {
			if err := r.completeTwin(ctx, path.Join(dir, name), func(b []byte) error { return whole(name, b) }); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Repository) completeTwin(ctx context.Context, name string, whole func([]byte) error) error {
	b, err := storage.ReadAll(ctx, r.store, path.Join(twinFolder, name), maxSmallFile)
	if err == nil {
		err = whole(b)
	}
	if err == nil {
		err = putSame(ctx, r.store, name, b)
	}
	if err == nil {
		r.options.Warn(fmt.Errorf("%s had one copy only, as a run that is cut off can leave it; now it has two", name))
	}
	return err
}
