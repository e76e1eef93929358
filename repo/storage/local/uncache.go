package local

import (
	"context"
	"errors"

	"chartkeep/repo/storage"
)

// uncacher is a file system that can forget what it keeps in memory of a file.
type uncacher interface {
	// Uncache writes the file to the medium as far as that has not happened, and
	// forgets its bytes.
	Uncache(path string) error
}

// Uncache has the next read of a file come from the drive. What the drive's own
// electronics keep is beyond reach.
func (s *Store) Uncache(ctx context.Context, name string) error {
	return s.explain("uncache", name, s.uncache(ctx, name))
}

func (s *Store) uncache(ctx context.Context, name string) error {
	if err := errors.Join(ctx.Err(), storage.CheckName(name)); err != nil {
		return err
	}
	if u, ok := s.fsys.(uncacher); ok {
		return asMissing(u.Uncache(s.path(name)))
	}
	return errors.ErrUnsupported
}

func (system) Uncache(path string) error { return uncache(path) }
