package local

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"

	"chartkeep/repo/storage"
)

// List yields the files below dir. What no Put can have written (lost+found, the
// hidden files of some systems, links and devices) is passed over.
func (s *Store) List(ctx context.Context, dir string) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		if err := storage.CheckFolder(dir); err != nil {
			yield(storage.Info{Name: dir}, err)
			return
		}
		s.walk(ctx, dir, yield)
	}
}

// walk yields the files below one folder and reports whether to go on.
func (s *Store) walk(ctx context.Context, dir string, yield func(storage.Info, error) bool) bool {
	entries, err := s.entries(dir)
	if err != nil {
		return yield(storage.Info{Name: dir}, err)
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		if err := ctx.Err(); err != nil {
			yield(storage.Info{Name: name}, err)
			return false
		}
		more := true
		switch {
		case storage.CheckName(name) != nil:
		case e.IsDir():
			more = s.walk(ctx, name, yield)
		case e.Type().IsRegular():
			more = s.visit(name, e, yield)
		}
		if !more {
			return false
		}
	}
	return true
}

func (s *Store) visit(name string, e fs.DirEntry, yield func(storage.Info, error) bool) bool {
	info, err := e.Info()
	switch {
	case errors.Is(err, fs.ErrNotExist): // removed since the folder was read
		return true
	case err != nil:
		return yield(storage.Info{Name: name}, s.explain("list", name, err))
	}
	return yield(storage.Info{Name: name, Size: info.Size(), ModTime: info.ModTime()}, nil)
}

// entries returns what is in a folder, in the order of the names of all files
// below it; nothing if there is no such folder.
func (s *Store) entries(dir string) ([]fs.DirEntry, error) {
	entries, err := s.fsys.ReadDir(s.path(dir))
	if err = asMissing(err); errors.Is(err, fs.ErrNotExist) {
		if gone := s.gone(); gone == nil {
			return nil, nil
		}
	}
	if err != nil {
		return nil, s.explain("list", s.path(dir), err)
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(sortKey(a), sortKey(b)) })
	return entries, nil
}

// sortKey is a name as it stands within the names of files: "a-b" comes before
// "a/c", although the folder "a" comes before "a-b".
func sortKey(e fs.DirEntry) string {
	if e.IsDir() {
		return e.Name() + "/"
	}
	return e.Name()
}
