package local

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path/filepath"

	"chartkeep/repo/storage"
)

// writeSize is how much is written between two looks at whether the caller still
// wants it: large enough for a drive to stream, bytes.
const writeSize = 4 << 20

// Put writes a new file.
func (s *Store) Put(ctx context.Context, name string, parts ...[]byte) error {
	return s.explain("put", name, s.store(ctx, name, parts, s.publish))
}

// Replace writes a file in the place of an old one. On Windows it fails while
// another program has the old one open without sharing it.
func (s *Store) Replace(ctx context.Context, name string, parts ...[]byte) error {
	return s.explain("replace", name, s.store(ctx, name, parts, s.supplant))
}

// notSynced is an error of an fsync: what was written may be lost although the
// kernel takes it for stored.
type notSynced struct{ error }

func (e notSynced) Unwrap() error { return e.error }

func asNotSynced(err error) error {
	if err == nil {
		return nil
	}
	return notSynced{err}
}

// placement gives a finished temporary file its name in a folder, durably.
type placement func(in *folder, temp, to string) error

// store writes the file and puts it in its place, once more from the start if
// that can help.
func (s *Store) store(ctx context.Context, name string, parts [][]byte, place placement) error {
	if err := storage.CheckName(name); err != nil {
		return err
	}
	err := s.attempt(ctx, name, parts, place)
	if s.worthAnother(err) {
		err = s.attempt(ctx, name, parts, place)
	}
	return err
}

// worthAnother reports that a sync failed, or that a folder of the store was
// removed under it. On a drive that is gone nothing is made anew: the empty
// folder of its mount point would take the file.
func (s *Store) worthAnother(err error) bool {
	if errors.Is(err, fs.ErrNotExist) && s.gone() == nil {
		s.folders.doubt()
		return true
	}
	_, ok := errors.AsType[notSynced](err)
	return ok
}

func (s *Store) attempt(ctx context.Context, name string, parts [][]byte, place placement) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	to := s.path(name)
	folder, err := s.folders.ensure(filepath.Dir(to))
	if err != nil {
		return err
	}
	temp, err := s.writeTemp(ctx, parts)
	if err == nil {
		err = place(folder, temp, to)
	}
	if err != nil && temp != "" {
		s.fsys.Remove(temp) // if it cannot be removed, CleanTemp will try again
	}
	return err
}

// writeTemp writes the parts to a new temporary file and syncs it. The path is
// returned with an error too, as soon as there is a file.
func (s *Store) writeTemp(ctx context.Context, parts [][]byte) (path string, err error) {
	f, path, err := s.temp.create()
	if err != nil {
		return "", err
	}
	err = writeParts(ctx, f, parts)
	if err == nil {
		err = asNotSynced(f.Sync())
	}
	if closed := f.Close(); err == nil { // before the rename: Windows moves no open file
		err = closed
	}
	if err == nil {
		err = ctx.Err()
	}
	return path, err
}

func writeParts(ctx context.Context, w io.Writer, parts [][]byte) error {
	for _, part := range parts {
		for len(part) > 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			n, err := w.Write(part[:min(len(part), writeSize)])
			if err != nil {
				return err
			}
			part = part[n:]
		}
	}
	return nil
}

// publish is the placement that refuses to overwrite. If the name cannot be made
// durable it is taken back: an error promises that nothing is under it.
func (s *Store) publish(in *folder, temp, to string) error {
	return in.commit(
		func() error { return s.moveNew(temp, to) },
		func() error { return s.fsys.Remove(to) })
}

// supplant is the placement that overwrites.
func (s *Store) supplant(in *folder, temp, to string) error {
	return in.commit(func() error { return s.fsys.Rename(temp, to) }, nil)
}

// moveNew renames without overwriting, by the best means that the file system
// has.
func (s *Store) moveNew(temp, to string) error {
	err := s.fsys.RenameNew(temp, to)
	if errors.Is(err, errors.ErrUnsupported) {
		err = s.linkNew(temp, to)
	}
	if errors.Is(err, errors.ErrUnsupported) {
		err = s.lookAndRename(temp, to)
	}
	return err
}

func (s *Store) linkNew(temp, to string) error {
	if err := s.fsys.Link(temp, to); err != nil {
		return err
	}
	s.fsys.Remove(temp) // a second name in tmp does no harm, and CleanTemp removes it
	return nil
}

// lookAndRename leaves a moment between the look and the rename. Within this
// process the folder is held; another process that writes the same name in this
// moment could be overwritten, but names are drawn at random or from the
// content, so it would write the same bytes.
func (s *Store) lookAndRename(temp, to string) error {
	switch _, err := s.fsys.Stat(to); {
	case err == nil:
		return &fs.PathError{Op: "rename", Path: to, Err: fs.ErrExist}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return s.fsys.Rename(temp, to)
}
