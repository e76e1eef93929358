package files

import (
	"errors"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"chartkeep/sources"
)

// attributes returns the extended attributes of a name. Special files have
// none, since opening them may do something.
func (h handle) attributes(name string, kind sources.Kind) ([]sources.Attribute, error) {
	flags := unix.O_RDONLY | unix.O_NONBLOCK | unix.O_CLOEXEC
	switch kind {
	case sources.Regular, sources.Dir:
		flags |= unix.O_NOFOLLOW
	case sources.Symlink:
		flags |= unix.O_SYMLINK
	default:
		return nil, nil
	}
	fd, err := openat(int(h), name, flags, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	names, err := read(func(b []byte) (int, error) { return unix.Flistxattr(fd, b) })
	if errors.Is(err, unix.ENOTSUP) || len(names) == 0 && err == nil {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []sources.Attribute
	for _, n := range strings.Split(strings.TrimSuffix(string(names), "\x00"), "\x00") {
		value, err := read(func(b []byte) (int, error) { return unix.Fgetxattr(fd, n, b) })
		if errors.Is(err, unix.ENOATTR) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, sources.Attribute{Name: n, Value: value})
	}
	slices.SortFunc(list, func(a, b sources.Attribute) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
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
