//go:build linux || darwin

package files

import (
	"errors"
	"io"
	"sync"

	"golang.org/x/sys/unix"

	"chartkeep/sources"
)

// A file is a regular file open for reading.
type file struct {
	fd        int
	path      string
	owners    *owners
	pos       int64
	ahead     *ahead       // what Read reads, if not nil
	fetched   bool         // and counted
	seen      sources.Meta // when it was opened
	allocated int64
}

// spareFiles is how many files, and how many folders that nobody uses at the moment,
// may be open only because that is faster: others need some of what the system allows,
// which is seldom less than 1024.
var spareFiles = sync.OnceValue(func() int64 {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return 0
	}
	return (int64(min(l.Cur, 1024)) - 64) / 4
})

// sequentialFrom is the size at which reading ahead pays for some more calls, bytes.
const sequentialFrom = 256 << 10

func newFile(fd int) (*file, error) {
	f := &file{fd: fd}
	allocated, err := statFile(fd, &f.seen)
	if err == nil && f.seen.Kind != sources.Regular {
		err = errNotRegular
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	f.allocated = allocated
	return f, nil
}

// Read reports the end together with the last bytes if the file is as long as
// it was when it was opened and p had room for more: that saves a call for
// each small file.
func (f *file) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if f.pos == 0 && f.ahead == nil && f.seen.Size >= sequentialFrom {
		f.ahead = readAhead(f.fd, f.seen.Size)
		if f.ahead == nil {
			expectSequential(f.fd)
		}
	}
	if f.ahead != nil {
		n, err := f.ahead.Read(p)
		f.pos += int64(n)
		if err != nil && err != io.EOF {
			err = pathError("read", f.path, err)
		}
		return n, err
	}
	n, err := retry(func() (int, error) { return unix.Pread(f.fd, p, f.pos) })
	if err != nil {
		return 0, pathError("read", f.path, err)
	}
	f.pos += int64(n)
	if n == 0 || n < len(p) && f.pos == f.seen.Size {
		return n, io.EOF
	}
	return n, nil
}

// retry repeats a call that a signal interrupted.
func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

// ReadAt implements io.ReaderAt, but may not be called beside Read.
func (f *file) ReadAt(p []byte, off int64) (int, error) {
	f.endAhead()
	done := 0
	for done < len(p) {
		n, err := retry(func() (int, error) { return unix.Pread(f.fd, p[done:], off+int64(done)) })
		if err != nil {
			return done, pathError("read", f.path, err)
		}
		if n == 0 {
			return done, io.EOF
		}
		done += n
	}
	return done, nil
}

// Meta returns the file's metadata now.
func (f *file) Meta() (sources.Meta, error) {
	var m sources.Meta
	if _, err := statFile(f.fd, &m); err != nil {
		return m, pathError("stat", f.path, err)
	}
	if f.owners != nil {
		f.owners.name(&m)
	}
	return m, nil
}

// Close closes the file.
func (f *file) Close() error {
	f.endAhead()
	f.closed()
	return pathError("close", f.path, unix.Close(f.fd))
}

// endAhead has what is still to come read as usual.
func (f *file) endAhead() {
	if f.ahead != nil {
		f.ahead.stop()
		f.ahead = nil
	}
}
