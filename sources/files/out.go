package files

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"

	"chartkeep/sources"
)

// An OutFile is a regular file that is being restored. Any number of them may
// exist, since only some are open at a time. It is safe for concurrent use,
// except of Close and Discard.
type OutFile struct {
	shared[out]
	target *Target
	folder *folder
	path   string
	name   string // of the finished file
	temp   string // what it is called until then; empty when that is name
	sparse bool
}

// Unfinished is the mode of a regular file until it has all that it is restored with:
// nobody but root can read it, and whoever finds it after a restore that was cut off
// knows what it is.
const Unfinished = 0o200

// preallocateFrom is the size at which asking for all space at once pays: a
// file written in pieces is not scattered, and a full disk is noticed first.
const preallocateFrom = 4 << 20

// holeSize is the least hole that file systems keep.
const holeSize = 4 << 10

var zeros [holeSize]byte

// Create makes the file at path, which will have size bytes. When sparse is
// set, what is not written and pages of zeros become holes.
func (t *Target) Create(path string, size int64, sparse bool) (*OutFile, error) {
	f := &OutFile{shared: shared[out]{pool: &t.outs}, target: t, path: path, sparse: sparse}
	err := t.in("create", path, func(h handle, name string) error {
		f.name = name
		return f.begin(h, size)
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// begin makes the file and gives it its size. It may be closed and opened again
// before it is complete.
func (f *OutFile) begin(h handle, size int64) error {
	folder, _, err := f.target.locate(f.path)
	if err != nil {
		return err
	}
	f.folder = folder
	o, temp, err := f.target.createFile(h, f.name)
	if err != nil {
		return err
	}
	f.temp = temp
	id, err := o.identity()
	if err == nil {
		err = f.adopt(o, id)
	}
	if err == nil {
		err = o.reserve(size, f.sparse)
		f.release()
	}
	if err != nil {
		return errors.Join(err, f.Discard())
	}
	return nil
}

// createFile makes a new file, under a temporary name if the own one is taken.
func (t *Target) createFile(h handle, name string) (o out, temp string, err error) {
	if !nameIsSafe(name) {
		return o, "", ErrOccupied // path is "/"
	}
	o, err = h.create(name, Unfinished)
	if !errors.Is(err, fs.ErrExist) {
		return o, "", err
	}
	free, err := clearFolder(h, name)
	if err != nil {
		return o, "", err
	}
	if !free && t.options.InPlace {
		if o, err = h.overwrite(name); !errors.Is(err, errNotRegular) {
			return o, "", err
		}
	}
	if !free {
		temp = temporaryName()
		name = temp
	}
	o, err = h.create(name, Unfinished)
	return o, temp, err
}

// acquire returns the open file.
func (f *OutFile) acquire() (out, error) {
	if f.hold() {
		return f.handle, nil
	}
	return f.shared.acquire(func() (o out, id identity, err error) {
		h, err := f.folder.acquire()
		if err != nil {
			return o, id, err
		}
		defer f.folder.release()
		if o, err = h.reopen(f.current()); err == nil {
			id, err = o.identity()
		}
		return o, id, err
	})
}

// current returns the name under which the file is now.
func (f *OutFile) current() string { return nameNow(f.temp, f.name) }

// WriteAt implements io.WriterAt.
func (f *OutFile) WriteAt(p []byte, off int64) (int, error) {
	o, err := f.acquire()
	if err != nil {
		return 0, pathError("write", f.path, err)
	}
	defer f.release()
	if f.sparse {
		err = writeData(o, p, off)
	} else {
		err = o.writeAt(p, off)
	}
	if err != nil {
		return 0, pathError("write", f.path, err)
	}
	return len(p), nil
}

// writeData writes what in p is not whole pages of zeros.
func writeData(o out, p []byte, off int64) error {
	for len(p) > 0 {
		n := dataPrefix(p, off)
		if n > 0 {
			if err := o.writeAt(p[:n], off); err != nil {
				return err
			}
		}
		if n < len(p) {
			n += pageOf(p[n:], off+int64(n))
		}
		p, off = p[n:], off+int64(n)
	}
	return nil
}

// dataPrefix returns how many bytes stand before the first page of zeros.
func dataPrefix(p []byte, off int64) int {
	n := 0
	for n < len(p) {
		page := pageOf(p[n:], off+int64(n))
		if bytes.Equal(p[n:n+page], zeros[:page]) {
			return n
		}
		n += page
	}
	return n
}

// pageOf returns how much of p lies in the page that off is in.
func pageOf(p []byte, off int64) int {
	return min(len(p), int(holeSize-off%holeSize))
}

// SetMeta gives the file its metadata. It comes after the last write, which
// would change the times again.
func (f *OutFile) SetMeta(m sources.Meta, attributes []sources.Attribute) error {
	o, err := f.acquire()
	if err != nil {
		return pathError("set metadata", f.path, err)
	}
	defer f.release()
	h, err := f.folder.acquire()
	if err != nil {
		return pathError("set metadata", f.path, err)
	}
	defer f.folder.release()
	return f.target.apply(subjectOf(o, h, f.current()), f.path, m, attributes)
}

// Close ends the writing and puts the file in its place.
func (f *OutFile) Close() error {
	if err := f.shut(); err != nil {
		return errors.Join(pathError("close", f.path, err), f.Discard())
	}
	if f.temp == "" {
		return nil
	}
	h, err := f.folder.acquire()
	if err != nil {
		return pathError("rename", f.path, err)
	}
	defer f.folder.release()
	return pathError("rename", f.path, moveInto(h, f.temp, f.name))
}

// Discard removes the unfinished file. What stood in its place, if anything,
// is as it was, unless it was written in place.
func (f *OutFile) Discard() error {
	_ = f.shut()
	h, err := f.folder.acquire()
	if err != nil {
		return pathError("remove", f.path, err)
	}
	defer f.folder.release()
	return pathError("remove", f.path, ignoreMissing(h.remove(f.current())))
}

// WriteFile is Create, WriteAt, SetMeta and Close for a file whose content is
// at hand. The file stays when only its metadata could not be set; the error
// then is a *MetaError.
func (t *Target) WriteFile(path string, data []byte, m sources.Meta, attributes []sources.Attribute) error {
	var metaErr error
	err := t.in("write", path, func(h handle, name string) error {
		o, temp, err := t.createFile(h, name)
		if err != nil {
			return err
		}
		if err = o.writeAt(data, 0); err == nil {
			metaErr = t.apply(subjectOf(o, h, nameNow(temp, name)), path, m, attributes)
		}
		err = errors.Join(err, o.close())
		if err != nil {
			return errors.Join(err, h.remove(nameNow(temp, name)))
		}
		if temp != "" {
			err = moveInto(h, temp, name)
		}
		return err
	})
	if err == nil {
		err = metaErr
	}
	return err
}

// nameNow is temp, or name if there is no temporary name.
func nameNow(temp, name string) string {
	if temp != "" {
		return temp
	}
	return name
}

// A MetaError says that something was restored but not all of its metadata.
type MetaError struct {
	Path string
	Errs []error
}

func (e *MetaError) Error() string {
	return fmt.Sprintf("set metadata of %s: %v", e.Path, errors.Join(e.Errs...))
}

// Unwrap returns the causes.
func (e *MetaError) Unwrap() []error { return e.Errs }
