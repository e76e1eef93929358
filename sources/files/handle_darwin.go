package files

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"chartkeep/sources"
)

// macOS knows neither of the two.
const (
	noAccessTime = 0
	passFlag     = unix.O_RDONLY
)

func openat(dir int, name string, flags int, mode uint32) (int, error) {
	for {
		fd, err := unix.Openat(dir, name, flags, mode)
		if !errors.Is(err, unix.EINTR) {
			return fd, err
		}
	}
}

// statat fills in m and returns the bytes that the entry takes on the disk.
func statat(dir int, name string, flags int, m *sources.Meta) (allocated int64, err error) {
	var st unix.Stat_t
	if err := unix.Fstatat(dir, name, &st, flags); err != nil {
		return 0, err
	}
	setMeta(m, &st)
	return st.Blocks * 512, nil
}

// statFile is statat for an open file.
func statFile(fd int, m *sources.Meta) (allocated int64, err error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return 0, err
	}
	setMeta(m, &st)
	return st.Blocks * 512, nil
}

func setMeta(m *sources.Meta, st *unix.Stat_t) {
	*m = sources.Meta{
		Kind:   kindOf(uint32(st.Mode)),
		Mode:   uint32(st.Mode) & 0o7777,
		UID:    st.Uid,
		GID:    st.Gid,
		MTime:  timeOf(st.Mtim),
		CTime:  timeOf(st.Ctim),
		BTime:  timeOf(st.Btim),
		Device: uint64(st.Dev),
		Inode:  st.Ino,
		Links:  uint64(st.Nlink),
	}
	switch m.Kind {
	case sources.Regular, sources.Symlink:
		m.Size = st.Size
	case sources.CharDevice, sources.BlockDevice:
		m.RDev = uint64(st.Rdev)
	}
}

func timeOf(t unix.Timespec) sources.Time {
	return sources.Time{Sec: t.Sec, Nsec: uint32(t.Nsec)}
}

// list reads the names in h into l.
func (h handle) list(l *listing, _ []byte) error {
	fd, err := openat(int(h), ".", unix.O_RDONLY|folderFlags, 0)
	if err != nil {
		return err
	}
	dir := os.NewFile(uintptr(fd), ".")
	defer dir.Close()
	for {
		names, err := dir.Readdirnames(1024)
		for _, n := range names {
			if !l.add([]byte(n), 0) {
				return unix.EOVERFLOW
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func expectSequential(int) {}
