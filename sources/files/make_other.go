//go:build !linux && !darwin

package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"chartkeep/sources"
)

// nameIsSafe reports whether a name stands for something in its folder.
func nameIsSafe(name string) bool {
	return name != "." && filepath.IsLocal(name) && filepath.Base(name) == name
}

func (h handle) makeFolder(name string) error { return h.root.Mkdir(name, 0o700) }

func (h handle) openToOwner(name string, mode uint32) error {
	if mode&0o700 == 0o700 {
		return nil
	}
	return h.root.Chmod(name, fs.FileMode(mode|0o700).Perm())
}

func (h handle) symlink(target, name string) error { return h.root.Symlink(target, name) }

// link fails: the two folders are different roots.
func (h handle) link(string, handle, string) error { return errors.ErrUnsupported }

func (h handle) special(string, sources.Meta) error { return errors.ErrUnsupported }

func (h handle) rename(from, to string) error { return h.root.Rename(from, to) }

func (h handle) remove(name string) error { return h.root.Remove(name) }

func (h handle) removeFolder(name string) error { return h.root.Remove(name) }

// An out is a regular file open for writing.
type out struct {
	*os.File
}

func (h handle) create(name string, mode uint32) (out, error) {
	f, err := h.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fs.FileMode(mode|0o200).Perm())
	return out{f}, err
}

// overwrite opens a regular file that is there and empties it.
func (h handle) overwrite(name string) (out, error) {
	o, err := h.reopen(name)
	if err == nil {
		err = o.Truncate(0)
	}
	return o, err
}

// reopen opens a regular file that is there.
func (h handle) reopen(name string) (out, error) {
	info, err := h.root.Lstat(name)
	if err != nil {
		return out{}, err
	}
	if !info.Mode().IsRegular() {
		return out{}, errNotRegular
	}
	f, err := h.root.OpenFile(name, os.O_WRONLY, 0)
	return out{f}, err
}

func (o out) identity() (identity, error) { return identity{}, nil }

func (o out) writeAt(p []byte, off int64) error {
	_, err := o.WriteAt(p, off)
	return err
}

func (o out) reserve(size int64, _ bool) error { return o.Truncate(size) }

func (o out) close() error { return o.Close() }

// A subject is what stands at a name, and whose metadata is set.
type subject struct {
	dir  handle
	name string
}

func subjectOf(_ out, dir handle, name string) subject { return subject{dir, name} }

func subjectAt(dir handle, name string) subject { return subject{dir, name} }

func (s subject) stat(m *sources.Meta) error { return s.dir.stat(s.name, false, m) }

func (s subject) chown(uid, gid uint32) error {
	return s.dir.root.Lchown(s.name, int(uid), int(gid))
}

func (s subject) chmod(mode uint32) error {
	return s.dir.root.Chmod(s.name, fs.FileMode(mode).Perm())
}

func (s subject) setTime(t sources.Time) error {
	var m sources.Meta
	if err := s.stat(&m); err != nil || m.Kind == sources.Symlink {
		return err // a link's own times are out of reach here
	}
	return s.dir.root.Chtimes(s.name, time.Time{}, t.Time())
}

func (s subject) attributes() ([]string, error) { return nil, nil }

func (s subject) setAttribute(sources.Attribute) error { return errors.ErrUnsupported }

func (s subject) removeAttribute(string) error { return errors.ErrUnsupported }

// Sync does nothing: there is no call for a whole file system.
func (t *Target) Sync() error { return nil }
