package files

import (
	"errors"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"chartkeep/sources"
)

// A subject is something whose metadata is set: an open file, or what stands
// at a name, which may be a link and is not followed.
type subject struct {
	fd   int // -1: by name
	dir  handle
	name string
}

func subjectOf(o out, dir handle, name string) subject { return subject{int(o), dir, name} }

func subjectAt(dir handle, name string) subject { return subject{-1, dir, name} }

func (s subject) stat(m *sources.Meta) (err error) {
	if s.fd >= 0 {
		_, err = statFile(s.fd, m)
		return err
	}
	_, err = statat(int(s.dir), s.name, unix.AT_SYMLINK_NOFOLLOW, m)
	return err
}

func (s subject) chown(uid, gid uint32) error {
	if s.fd >= 0 {
		return unix.Fchown(s.fd, int(uid), int(gid))
	}
	return unix.Fchownat(int(s.dir), s.name, int(uid), int(gid), unix.AT_SYMLINK_NOFOLLOW)
}

func (s subject) chmod(mode uint32) error {
	if s.fd >= 0 {
		return unix.Fchmod(s.fd, mode)
	}
	err := unix.Fchmodat(int(s.dir), s.name, mode, unix.AT_SYMLINK_NOFOLLOW)
	if !errors.Is(err, unix.EOPNOTSUPP) {
		return err
	}
	// Linux before 6.6: by a handle that can be had without opening.
	fd, err := openat(int(s.dir), s.name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Chmod("/proc/self/fd/"+strconv.Itoa(fd), mode)
}

// setTime sets the time of the last change and leaves that of the last access.
func (s subject) setTime(t sources.Time) error {
	changed, err := unix.TimeToTimespec(time.Unix(t.Sec, int64(t.Nsec)))
	if err != nil {
		return err
	}
	times := [2]unix.Timespec{{Nsec: unix.UTIME_OMIT}, changed}
	if s.fd < 0 {
		return unix.UtimesNanoAt(int(s.dir), s.name, times[:], unix.AT_SYMLINK_NOFOLLOW)
	}
	_, _, errno := unix.Syscall6(unix.SYS_UTIMENSAT, uintptr(s.fd), 0, uintptr(unsafe.Pointer(&times)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// attributes returns the names of the attributes.
func (s subject) attributes() ([]string, error) {
	buf := attributeBuffers.Get().(*[maxAttribute]byte)
	defer attributeBuffers.Put(buf)
	var n int
	var err error
	if s.fd >= 0 {
		n, err = unix.Flistxattr(s.fd, buf[:])
	} else {
		n, err = s.dir.listAttributes(s.name, buf[:])
	}
	if errors.Is(err, unix.ENOTSUP) || n == 0 && err == nil {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(string(buf[:n]), "\x00"), "\x00"), nil
}

func (s subject) setAttribute(a sources.Attribute) error {
	if s.fd >= 0 {
		return unix.Fsetxattr(s.fd, a.Name, a.Value, 0)
	}
	return unix.Lsetxattr(s.dir.procPath(s.name), a.Name, a.Value, 0)
}

func (s subject) removeAttribute(name string) error {
	if s.fd >= 0 {
		return unix.Fremovexattr(s.fd, name)
	}
	return unix.Lremovexattr(s.dir.procPath(s.name), name)
}
