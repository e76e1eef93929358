package files

import (
	"errors"

	"golang.org/x/sys/unix"

	"chartkeep/sources"
)

var specialModes = map[sources.Kind]uint32{
	sources.FIFO:        unix.S_IFIFO,
	sources.Socket:      unix.S_IFSOCK,
	sources.CharDevice:  unix.S_IFCHR,
	sources.BlockDevice: unix.S_IFBLK,
}

// special makes a FIFO, socket or device that its owner alone may use.
func (h handle) special(name string, m sources.Meta) error {
	kind, ok := specialModes[m.Kind]
	if !ok {
		return unix.EINVAL
	}
	return unix.Mknodat(int(h), name, kind|0o600, int(m.RDev))
}

// allocate asks for all space of a file. Not done means that the file system
// cannot.
func (o out) allocate(size int64) (done bool, err error) {
	_, err = retry(func() (int, error) { return 0, unix.Fallocate(int(o), 0, 0, size) })
	return !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.ENOSYS), err
}

// Sync waits until all that was restored is on the disk.
func (t *Target) Sync() error {
	h, err := t.top.acquire()
	if err == nil {
		err = unix.Syncfs(int(h))
		t.top.release()
	}
	return pathError("sync", t.top.name, err)
}
