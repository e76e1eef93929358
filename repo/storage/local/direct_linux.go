package local

import (
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// directAlign is what file systems at most ask of a direct write: offset,
	// length and place in memory are multiples of it, bytes.
	directAlign = 4 << 10

	// directFrom is the least that is worth a direct write, bytes.
	directFrom = 256 << 10
)

// directFile writes what is large past the page cache. A pack is written once
// and not read again for weeks: copying it into the cache costs more than the
// drive does, and pushes out what the practice's database would have there.
// What is small or lies askew takes the usual way; both see the same file.
type directFile struct {
	*os.File
	offset int64
	direct bool // the file is open for direct writes now
	refuse bool // the file system has none
}

func newFileWriter(f *os.File) File { return &directFile{File: f} }

func (f *directFile) Write(p []byte) (written int, err error) {
	if n := f.straight(p); n > 0 {
		written, err = f.writeDirect(p[:n])
	}
	if err == nil && written < len(p) {
		var rest int
		rest, err = f.writeCached(p[written:])
		written += rest
	}
	f.offset += int64(written)
	return written, err
}

// straight is how much of p can be written directly.
func (f *directFile) straight(p []byte) int {
	if f.refuse || len(p) < directFrom || f.offset%directAlign != 0 || uintptr(unsafe.Pointer(unsafe.SliceData(p)))%directAlign != 0 {
		return 0
	}
	return len(p) &^ (directAlign - 1)
}

// writeDirect writes nothing, and no error is returned, where the file system
// refuses.
func (f *directFile) writeDirect(p []byte) (int, error) {
	if err := f.mode(true); err != nil {
		f.refuse = true
		return 0, nil
	}
	n, err := f.File.Write(p)
	if n == 0 && errors.Is(err, unix.EINVAL) {
		f.refuse, err = true, nil
	}
	return n, err
}

func (f *directFile) writeCached(p []byte) (int, error) {
	if err := f.mode(false); err != nil {
		return 0, &os.PathError{Op: "write", Path: f.Name(), Err: err}
	}
	return f.File.Write(p)
}

// mode sets how the file is written from now on.
func (f *directFile) mode(direct bool) error {
	if f.direct == direct {
		return nil
	}
	fd := f.Fd()
	flags, err := unix.FcntlInt(fd, unix.F_GETFL, 0)
	if err != nil {
		return err
	}
	if flags &^= unix.O_DIRECT; direct {
		flags |= unix.O_DIRECT
	}
	if _, err = unix.FcntlInt(fd, unix.F_SETFL, flags); err == nil {
		f.direct = direct
	}
	return err
}

func (f *directFile) Sync() error { return systemFile{f.File}.Sync() }
