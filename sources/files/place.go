package files

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"

	"chartkeep/sources"
)

// Mkdir makes a folder, and those above it that are missing, open to nobody
// but the user who restores; SetMeta gives it its mode when it is filled. A
// folder that exists is left as it is.
func (t *Target) Mkdir(path string) error {
	err := t.in("mkdir", path, func(h handle, name string) error {
		if name == "." {
			return nil
		}
		return t.makeFolder(h, path, name)
	})
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := t.Mkdir(parentOf(path)); err != nil {
		return err
	}
	return t.in("mkdir", path, func(h handle, name string) error { return t.makeFolder(h, path, name) })
}

// parentOf returns the folder of a path that is not "/".
func parentOf(path string) string {
	for i := len(path) - 1; i > 0; i-- {
		if path[i] == '/' {
			return path[:i]
		}
	}
	return "/"
}

func (t *Target) makeFolder(h handle, path, name string) error {
	err := h.makeFolder(name)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	var m sources.Meta
	if err := h.stat(name, false, &m); err != nil {
		return err
	}
	switch {
	case m.Kind == sources.Dir:
		return h.openToOwner(name, m.Mode)
	case t.options.Strict:
		return fmt.Errorf("%w: a %s", ErrOccupied, m.Kind)
	}
	t.folders.forget(path)
	if err := h.remove(name); err != nil {
		return err
	}
	return h.makeFolder(name)
}

// Symlink makes a symbolic link to target, which is stored as it is.
func (t *Target) Symlink(path, target string) error {
	return t.in("symlink", path, func(h handle, name string) error {
		return place(h, name, func(name string) error { return h.symlink(target, name) })
	})
}

// Special makes a FIFO, a socket or a device as m says.
func (t *Target) Special(path string, m sources.Meta) error {
	return t.in("mknod", path, func(h handle, name string) error {
		return place(h, name, func(name string) error { return h.special(name, m) })
	})
}

// Link makes path another name of the file at existing. Where the file system
// has no hard links, or not between the two folders, the error is
// errors.ErrUnsupported, and the file must be written again.
func (t *Target) Link(path, existing string) error {
	return t.in("link", path, func(to handle, name string) error {
		err := t.in("link from", existing, func(from handle, old string) error {
			return place(to, name, func(name string) error { return from.link(old, to, name) })
		})
		if err != nil {
			return fmt.Errorf("%w", err) // with the path that it names
		}
		return nil
	})
}

// place makes something that is made at one stroke: at once if its place is
// free, and else under a temporary name that is then renamed.
func place(h handle, name string, make func(name string) error) error {
	err := make(name)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	if free, err := clearFolder(h, name); err != nil {
		return err
	} else if free {
		return make(name)
	}
	temp := temporaryName()
	if err := make(temp); err != nil {
		return err
	}
	return moveInto(h, temp, name)
}

// moveInto renames temp to name. Where both are names of the same file, which
// rename leaves alone, only temp is removed.
func moveInto(h handle, temp, name string) error {
	err := h.rename(temp, name)
	if removing := ignoreMissing(h.remove(temp)); err == nil {
		err = removing
	}
	return err
}

func temporaryName() string {
	return fmt.Sprintf(".chartkeep-%016x", rand.Uint64())
}

// clearFolder removes an empty folder that stands at name, and reports whether
// the name is free now. A folder that is not empty is an error.
func clearFolder(h handle, name string) (free bool, err error) {
	var m sources.Meta
	if err := h.stat(name, false, &m); err != nil {
		return errors.Is(err, fs.ErrNotExist), ignoreMissing(err)
	}
	if m.Kind != sources.Dir {
		return false, nil
	}
	if err := h.removeFolder(name); err != nil {
		return false, fmt.Errorf("%w: a folder (%w)", ErrOccupied, err)
	}
	return true, nil
}
