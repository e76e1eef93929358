package main

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"

	"chartkeep/cmd/internal/ui"
	"chartkeep/snapshot/restore"
	"chartkeep/sources"
	"chartkeep/sources/files"
)

// sink is where files go to, and where they are read again.
type sink interface {
	restore.Sink
	restore.Opener
}

// open opens the target. A dry run does not make it.
func (x *restoreRun) open() (s sink, done func() error, err error) {
	if _, err := os.Stat(x.target); x.o.DryRun && errors.Is(err, fs.ErrNotExist) {
		return nowhere{}, func() error { return nil }, nil
	}
	t, err := files.OpenTarget(x.target, files.TargetOptions{})
	if err != nil {
		return nil, nil, err
	}
	return ownFolder{restore.NewFolder(t)}, func() error {
		x.sayRefused(t.Refused())
		if !x.verify || x.o.DryRun {
			return t.Close()
		}
		return errors.Join(t.Sync(), t.Close())
	}, nil
}

// sayRefused says what only root may set.
func (x *restoreRun) sayRefused(refused map[string]int) {
	for _, what := range slices.Sorted(maps.Keys(refused)) {
		name := "the owner"
		if what != "owner" {
			name = "attributes " + what + ".*"
		}
		x.Warn("%s of %s could not be set: only root may do that", name, ui.Counted(refused[what], "item"))
	}
}

// ownFolder is a folder of this machine. That some things may be set by root alone
// is no reason for others to call a restore failed: it is said once, at the end.
type ownFolder struct{ restore.Folder }

func forgive(err error) error {
	m, ok := err.(*files.MetaError)
	if !ok || os.Geteuid() == 0 || slices.ContainsFunc(m.Errs, func(e error) bool { return !errors.Is(e, fs.ErrPermission) }) {
		return err
	}
	return nil
}

func (f ownFolder) WriteFile(path string, data []byte, m sources.Meta, attrs []sources.Attribute) error {
	return forgive(f.Folder.WriteFile(path, data, m, attrs))
}

func (f ownFolder) Create(path string, size int64, sparse bool) (restore.File, error) {
	out, err := f.Folder.Create(path, size, sparse)
	if err != nil {
		return nil, err
	}
	return ownFile{out}, nil
}

func (f ownFolder) Symlink(path string, m sources.Meta, attrs []sources.Attribute) error {
	return forgive(f.Folder.Symlink(path, m, attrs))
}

func (f ownFolder) Special(path string, m sources.Meta, attrs []sources.Attribute) error {
	return forgive(f.Folder.Special(path, m, attrs))
}

func (f ownFolder) SetMeta(path string, m sources.Meta, attrs []sources.Attribute) error {
	return forgive(f.Folder.SetMeta(path, m, attrs))
}

// ownFile is a file in it.
type ownFile struct{ restore.File }

func (f ownFile) Commit(m sources.Meta, attrs []sources.Attribute) error {
	return forgive(f.File.Commit(m, attrs))
}

// nowhere is a folder that is not there yet, for a dry run.
type nowhere struct{ sink }

func (nowhere) Lstat(string) (sources.Meta, error) { return sources.Meta{}, fs.ErrNotExist }
func (nowhere) List(string) ([]string, error)      { return nil, fs.ErrNotExist }
func (nowhere) Free() (uint64, bool)               { return 0, false }
