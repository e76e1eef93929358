package files

import (
	"time"

	"golang.org/x/sys/unix"

	"chartkeep/sources"
)

// A subject is something whose metadata is set: what stands at a name, which
// may be a link and is not followed.
type subject struct {
	dir  handle
	name string
}

func subjectOf(_ out, dir handle, name string) subject { return subject{dir, name} }

func subjectAt(dir handle, name string) subject { return subject{dir, name} }

func (s subject) stat(m *sources.Meta) error {
	_, err := statat(int(s.dir), s.name, unix.AT_SYMLINK_NOFOLLOW, m)
	return err
}

func (s subject) chown(uid, gid uint32) error {
	return unix.Fchownat(int(s.dir), s.name, int(uid), int(gid), unix.AT_SYMLINK_NOFOLLOW)
}

func (s subject) chmod(mode uint32) error {
	return unix.Fchmodat(int(s.dir), s.name, mode, unix.AT_SYMLINK_NOFOLLOW)
}

// setTime sets the time of the last change and leaves that of the last access.
func (s subject) setTime(t sources.Time) error {
	var st unix.Stat_t
	if err := unix.Fstatat(int(s.dir), s.name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	changed, err := unix.TimeToTimespec(time.Unix(t.Sec, int64(t.Nsec)))
	if err != nil {
		return err
	}
	return unix.UtimesNanoAt(int(s.dir), s.name, []unix.Timespec{st.Atim, changed}, unix.AT_SYMLINK_NOFOLLOW)
}

func (s subject) attributes() ([]string, error) {
	var names []string
	err := s.opened(func(fd int) error {
		var err error
		names, err = attributeNames(fd)
		return err
	})
	return names, err
}

func (s subject) setAttribute(a sources.Attribute) error {
	return s.opened(func(fd int) error { return unix.Fsetxattr(fd, a.Name, a.Value, 0) })
}

func (s subject) removeAttribute(name string) error {
	return s.opened(func(fd int) error { return unix.Fremovexattr(fd, name) })
}

// opened calls do with the subject open, unless it is a special file.
func (s subject) opened(do func(fd int) error) error {
	var m sources.Meta
	if err := s.stat(&m); err != nil {
		return err
	}
	fd, err := s.dir.openForAttributes(s.name, m.Kind)
	if err != nil || fd < 0 {
		return err
	}
	defer unix.Close(fd)
	return do(fd)
}
