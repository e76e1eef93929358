package files

import (
	"errors"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"chartkeep/sources"
)

// attributes returns the extended attributes of a name.
func (h handle) attributes(name string, kind sources.Kind) ([]sources.Attribute, error) {
	fd, err := h.openForAttributes(name, kind)
	if err != nil || fd < 0 {
		return nil, err
	}
	defer unix.Close(fd)
	names, err := attributeNames(fd)
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var list []sources.Attribute
	for _, n := range names {
		value, err := read(func(b []byte) (int, error) { return unix.Fgetxattr(fd, n, b) })
		if errors.Is(err, unix.ENOATTR) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, sources.Attribute{Name: n, Value: value})
	}
	return list, nil
}

// openForAttributes opens a name, or returns -1 for a special file: opening it
// may do something.
func (h handle) openForAttributes(name string, kind sources.Kind) (int, error) {
	flags := unix.O_RDONLY | unix.O_NONBLOCK | unix.O_CLOEXEC
	switch kind {
	case sources.Regular, sources.Dir:
		return openat(int(h), name, flags|unix.O_NOFOLLOW, 0)
	case sources.Symlink:
		return openat(int(h), name, flags|unix.O_SYMLINK, 0)
	}
	return -1, nil
}

func attributeNames(fd int) ([]string, error) {
	names, err := read(func(b []byte) (int, error) { return unix.Flistxattr(fd, b) })
	if errors.Is(err, unix.ENOTSUP) || len(names) == 0 && err == nil {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(string(names), "\x00"), "\x00"), nil
}

// read asks for a size and then for as many bytes, until both agree.
func read(get func([]byte) (int, error)) ([]byte, error) {
	for {
		size, err := get(nil)
		if err != nil || size == 0 {
			return nil, err
		}
		b := make([]byte, size)
		n, err := get(b)
		if !errors.Is(err, unix.ERANGE) {
			return b[:max(n, 0)], err
		}
	}
}
