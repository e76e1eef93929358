package files

import (
	"bytes"
	"encoding/binary"
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"

	"chartkeep/sources"
)

const (
	noAccessTime = unix.O_NOATIME
	passFlag     = unix.O_PATH
)

// Two calls are made once or more for each of perhaps millions of entries.
// They are written out here because package unix copies every name to the heap.

// A nameBuffer holds a name and the zero byte after it.
type nameBuffer [256]byte

func (b *nameBuffer) pointer(name string) (*byte, error) {
	if len(name) < len(b) {
		copy(b[:], name)
		return &b[0], nil
	}
	return unix.BytePtrFromString(name)
}

func openat(dir int, name string, flags int, mode uint32) (int, error) {
	var b nameBuffer
	p, err := b.pointer(name)
	if err != nil {
		return -1, err
	}
	for {
		fd, _, errno := unix.Syscall6(unix.SYS_OPENAT, uintptr(dir), uintptr(unsafe.Pointer(p)), uintptr(flags|unix.O_LARGEFILE), uintptr(mode), 0, 0)
		if errno == 0 {
			return int(fd), nil
		}
		if errno != unix.EINTR {
			return -1, errno
		}
	}
}

func statx(dir int, name string, flags int, st *unix.Statx_t) error {
	var b nameBuffer
	p, err := b.pointer(name)
	if err != nil {
		return err
	}
	const mask = unix.STATX_BASIC_STATS | unix.STATX_BTIME
	for {
		_, _, errno := unix.Syscall6(unix.SYS_STATX, uintptr(dir), uintptr(unsafe.Pointer(p)), uintptr(flags|unix.AT_NO_AUTOMOUNT), mask, uintptr(unsafe.Pointer(st)), 0)
		if errno == 0 {
			return nil
		}
		if errno != unix.EINTR {
			return errno
		}
	}
}

// statat fills in m and returns the bytes that the entry takes on the disk.
func statat(dir int, name string, flags int, m *sources.Meta) (allocated int64, err error) {
	var st unix.Statx_t
	if err := statx(dir, name, flags, &st); err != nil {
		return 0, err
	}
	*m = sources.Meta{
		Kind:   kindOf(uint32(st.Mode)),
		Mode:   uint32(st.Mode) & 0o7777,
		UID:    st.Uid,
		GID:    st.Gid,
		MTime:  timeOf(st.Mtime),
		CTime:  timeOf(st.Ctime),
		BTime:  timeOf(st.Btime), // zero where unknown
		Device: unix.Mkdev(st.Dev_major, st.Dev_minor),
		Inode:  st.Ino,
		Links:  uint64(st.Nlink),
	}
	switch m.Kind {
	case sources.Regular, sources.Symlink:
		m.Size = int64(st.Size)
	case sources.CharDevice, sources.BlockDevice:
		m.RDev = unix.Mkdev(st.Rdev_major, st.Rdev_minor)
	}
	return int64(st.Blocks) * 512, nil
}

func timeOf(t unix.StatxTimestamp) sources.Time {
	return sources.Time{Sec: t.Sec, Nsec: t.Nsec}
}

// statFile is statat for an open file.
func statFile(fd int, m *sources.Meta) (allocated int64, err error) {
	return statat(fd, "", unix.AT_EMPTY_PATH, m)
}

// list reads the names in h into l. buf is scratch space.
func (h handle) list(l *listing, buf []byte) error {
	if _, err := unix.Seek(int(h), 0, 0); err != nil {
		return err
	}
	for {
		n, err := unix.Getdents(int(h), buf)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n == 0 {
			return err
		}
		if err := addRecords(l, buf[:n]); err != nil {
			return err
		}
	}
}

// addRecords adds the names of linux_dirent64 records (getdents64(2)):
//
//	inode 8 ‖ offset 8 ‖ record length 2 ‖ type 1 ‖ name ‖ 0 ‖ padding
func addRecords(l *listing, b []byte) error {
	const head = 19
	for len(b) > head {
		size := int(binary.NativeEndian.Uint16(b[16:]))
		if size <= head || size > len(b) {
			return unix.EBADMSG
		}
		name, _, _ := bytes.Cut(b[head:size], []byte{0})
		switch {
		case len(name) == 0 || bytes.IndexByte(name, '/') >= 0:
			return unix.EBADMSG
		case string(name) == "." || string(name) == "..":
		case !l.add(name, binary.NativeEndian.Uint64(b)):
			return unix.EOVERFLOW
		}
		b = b[size:]
	}
	return nil
}

// expectSequential asks the kernel to read further ahead.
func expectSequential(fd int) {
	_ = unix.Fadvise(fd, 0, 0, unix.FADV_SEQUENTIAL)
}
