//go:build linux || darwin

package files

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"

	"chartkeep/sources"
)

// A handle is an open directory. Its methods take one name in it, or "." for
// the directory itself, and follow no symbolic link unless told to.
type handle int

// Folders above a given path need only be passed through, not read, so they
// are opened in the way that asks for no right to read where there is one.
const folderFlags = unix.O_DIRECTORY | unix.O_CLOEXEC

// openTop opens a directory by its path.
func openTop(path string) (handle, error) {
	fd, err := openat(unix.AT_FDCWD, path, unix.O_RDONLY|folderFlags, 0)
	if errors.Is(err, fs.ErrPermission) {
		fd, err = openat(unix.AT_FDCWD, path, passFlag|folderFlags, 0)
	}
	return handle(fd), err
}

// openFolder opens a directory. When follow is set it is one above a given
// path, which a user may pass through without the right to list it.
func (h handle) openFolder(name string, follow bool) (handle, error) {
	flags := folderFlags | unix.O_NOFOLLOW
	if follow {
		flags = folderFlags | passFlag
	}
	fd, err := openQuietly(int(h), name, flags)
	return handle(fd), err
}

// openQuietly opens for reading without changing the access time where that is
// allowed: to the owner and to root.
func openQuietly(dir int, name string, flags int) (int, error) {
	fd, err := openat(dir, name, flags|noAccessTime, 0)
	if err == unix.EPERM && noAccessTime != 0 {
		fd, err = openat(dir, name, flags, 0)
	}
	return fd, err
}

func (h handle) close() error { return unix.Close(int(h)) }

// stat fills in all of m but the names of its owners.
func (h handle) stat(name string, follow bool, m *sources.Meta) error {
	flags := unix.AT_SYMLINK_NOFOLLOW
	if follow {
		flags = 0
	}
	_, err := statat(int(h), name, flags, m)
	if err != nil || m.Kind != sources.Symlink {
		return err
	}
	m.Target, err = h.readLink(name, m.Size)
	return err
}

// readLink reads a link of about size bytes. Some file systems say zero.
func (h handle) readLink(name string, size int64) (string, error) {
	for room := max(size+1, 256); ; room *= 2 {
		b := make([]byte, room)
		n, err := unix.Readlinkat(int(h), name, b)
		if err != nil {
			return "", err
		}
		if n < len(b) {
			return string(b[:n]), nil
		}
	}
}

func (h handle) identity() (identity, error) {
	var m sources.Meta
	_, err := statFile(int(h), &m)
	return identity{m.Device, m.Inode}, err
}

// openFile opens a regular file for reading, and never anything that waits for
// a writer or does something when it is opened, as far as that can be known.
func (h handle) openFile(name string) (*file, error) {
	fd, err := openQuietly(int(h), name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC)
	if err != nil {
		return nil, err
	}
	return newFile(fd)
}

// tooMany reports whether err says that too many files are open.
func tooMany(err error) bool {
	return errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE)
}

// kindOf returns the kind that the type bits of a mode stand for.
func kindOf(mode uint32) sources.Kind {
	switch mode & unix.S_IFMT {
	case unix.S_IFREG:
		return sources.Regular
	case unix.S_IFDIR:
		return sources.Dir
	case unix.S_IFLNK:
		return sources.Symlink
	case unix.S_IFIFO:
		return sources.FIFO
	case unix.S_IFSOCK:
		return sources.Socket
	case unix.S_IFCHR:
		return sources.CharDevice
	case unix.S_IFBLK:
		return sources.BlockDevice
	}
	return 0
}
