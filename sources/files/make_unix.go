//go:build linux || darwin

package files

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"chartkeep/sources"
)

// nameIsSafe reports whether a name stands for something in its folder.
func nameIsSafe(name string) bool {
	if name == "" || name == "." || name == ".." {
		return false
	}
	for i := range len(name) {
		if name[i] == '/' || name[i] == 0 {
			return false
		}
	}
	return true
}

func (h handle) makeFolder(name string) error { return unix.Mkdirat(int(h), name, 0o700) }

// openToOwner lets the owner use a folder that has a mode already.
func (h handle) openToOwner(name string, mode uint32) error {
	if mode&0o700 == 0o700 {
		return nil
	}
	return subjectAt(h, name).chmod(mode | 0o700)
}

func (h handle) symlink(target, name string) error { return unix.Symlinkat(target, int(h), name) }

func (h handle) link(name string, to handle, newName string) error {
	err := unix.Linkat(int(h), name, int(to), newName, 0)
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EXDEV), errors.Is(err, unix.EMLINK):
		return fmt.Errorf("%w: %w", errors.ErrUnsupported, err)
	}
	return err
}

func (h handle) rename(from, to string) error {
	return unix.Renameat(int(h), from, int(h), to)
}

func (h handle) remove(name string) error { return unix.Unlinkat(int(h), name, 0) }

func (h handle) removeFolder(name string) error {
	return unix.Unlinkat(int(h), name, unix.AT_REMOVEDIR)
}

// An out is a regular file open for writing.
type out int

const outFlags = unix.O_WRONLY | unix.O_NOFOLLOW | unix.O_CLOEXEC

// create makes a file that was not there.
func (h handle) create(name string, mode uint32) (out, error) {
	fd, err := openat(int(h), name, outFlags|unix.O_CREAT|unix.O_EXCL, mode)
	return out(fd), err
}

// overwrite opens a regular file that is there and empties it.
func (h handle) overwrite(name string) (out, error) {
	o, err := h.reopen(name)
	if err == nil {
		err = o.truncate(0)
	}
	return o, err
}

// reopen opens a regular file that is there.
func (h handle) reopen(name string) (out, error) {
	fd, err := openat(int(h), name, outFlags|unix.O_NONBLOCK, 0)
	if errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENXIO) {
		return -1, errNotRegular // a symbolic link, or a FIFO without a reader
	}
	if err != nil {
		return -1, err
	}
	var m sources.Meta
	_, err = statFile(fd, &m)
	if err == nil && m.Kind != sources.Regular {
		err = errNotRegular
	}
	if err != nil {
		_ = unix.Close(fd)
	}
	return out(fd), err
}

func (o out) identity() (identity, error) {
	var m sources.Meta
	_, err := statFile(int(o), &m)
	return identity{m.Device, m.Inode}, err
}

func (o out) writeAt(p []byte, off int64) error {
	for len(p) > 0 {
		n, err := retry(func() (int, error) { return unix.Pwrite(int(o), p, off) })
		if err != nil {
			return err
		}
		p, off = p[n:], off+int64(n)
	}
	return nil
}

func (o out) truncate(size int64) error {
	_, err := retry(func() (int, error) { return 0, unix.Ftruncate(int(o), size) })
	return err
}

// reserve gives the file its size: as one hole, or with space on the disk.
func (o out) reserve(size int64, sparse bool) error {
	if !sparse && size >= preallocateFrom {
		if done, err := o.allocate(size); done {
			return err
		}
	}
	return o.truncate(size)
}

func (o out) close() error { return unix.Close(int(o)) }
