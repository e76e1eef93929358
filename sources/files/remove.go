package files

import (
	"errors"
	"os"

	"chartkeep/sources"
)

// Remove removes what stands at path, with all that lies in it. That nothing
// stands there is not an error. Links are removed, not followed.
func (t *Target) Remove(path string) error {
	if path == "/" {
		return pathError("remove", path, errPath)
	}
	f, name, err := t.locate(path)
	if err != nil {
		return pathError("remove", path, err)
	}
	t.folders.forget(path)
	return pathError("remove", path, f.removeAll(name))
}

func (f *folder) removeAll(name string) error {
	folder, err := f.removeName(name)
	if err != nil || !folder {
		return err
	}
	below := f.child(name)
	names, err := below.list()
	for _, n := range names {
		err = errors.Join(err, below.removeAll(n))
	}
	if closing := below.shut(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	h, err := f.acquire()
	if err != nil {
		return err
	}
	defer f.release()
	return h.removeFolder(name)
}

// removeName removes a name unless it is a folder's.
func (f *folder) removeName(name string) (isFolder bool, err error) {
	h, err := f.acquire()
	if err != nil {
		return false, ignoreMissing(err)
	}
	defer f.release()
	var m sources.Meta
	if err := h.stat(name, false, &m); err != nil {
		return false, ignoreMissing(err)
	}
	if m.Kind == sources.Dir {
		return true, nil
	}
	return false, ignoreMissing(h.remove(name))
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
