//go:build !linux && !darwin

package files

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"

	"chartkeep/sources"
)

// A handle is an open directory: here an os.Root, which holds the directory
// itself and not its path. The zero handle is, on Windows, the folder of all
// volumes, which is not on any disk.
type handle struct {
	root *os.Root
}

var errNoList = errors.New("volumes must be named")

func openTop(path string) (handle, error) {
	if path == topPath && runtime.GOOS == "windows" {
		return handle{}, nil
	}
	root, err := os.OpenRoot(path)
	return handle{root}, err
}

func (h handle) openFolder(name string, follow bool) (handle, error) {
	if h.root == nil {
		return openTop(sources.VolumeRoot(name))
	}
	if !follow {
		info, err := h.root.Lstat(name)
		if err != nil {
			return handle{}, err
		}
		if !info.IsDir() {
			return handle{}, errNotFolder
		}
	}
	root, err := h.root.OpenRoot(name)
	return handle{root}, err
}

func (h handle) close() error {
	if h.root == nil {
		return nil
	}
	return h.root.Close()
}

func (h handle) stat(name string, follow bool, m *sources.Meta) error {
	var info fs.FileInfo
	var err error
	switch {
	case h.root == nil && name == ".":
		*m = sources.Meta{Kind: sources.Dir, Mode: 0o755, Links: 1}
		return nil
	case h.root == nil:
		info, err = os.Stat(sources.VolumeRoot(name))
	case follow:
		info, err = h.root.Stat(name)
	default:
		info, err = h.root.Lstat(name)
	}
	if err != nil {
		return err
	}
	*m = metaOf(info)
	if m.Kind == sources.Symlink {
		m.Target, err = h.root.Readlink(name)
	}
	return err
}

// metaOf is what every system tells. Inodes and devices are not part of it, so
// a hard link is a file of its own.
func metaOf(info fs.FileInfo) sources.Meta {
	m := sources.Meta{
		Kind:  kindOf(info.Mode()),
		Mode:  uint32(info.Mode().Perm()),
		MTime: sources.At(info.ModTime()),
		Links: 1,
	}
	if m.Kind == sources.Regular {
		m.Size = info.Size()
	}
	systemMeta(info, &m)
	return m
}

func kindOf(mode fs.FileMode) sources.Kind {
	switch mode.Type() {
	case 0:
		return sources.Regular
	case fs.ModeDir:
		return sources.Dir
	case fs.ModeSymlink, fs.ModeIrregular, fs.ModeIrregular | fs.ModeDir:
		return sources.Symlink // a junction is irregular, and has a target
	case fs.ModeNamedPipe:
		return sources.FIFO
	case fs.ModeSocket:
		return sources.Socket
	case fs.ModeDevice | fs.ModeCharDevice:
		return sources.CharDevice
	case fs.ModeDevice:
		return sources.BlockDevice
	}
	return 0
}

// identity is not known here.
func (h handle) identity() (identity, error) { return identity{}, nil }

func (h handle) openFile(name string) (*file, error) {
	info, err := h.root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	f, err := h.root.Open(name)
	if err != nil {
		return nil, err
	}
	return newFile(f)
}

func (h handle) attributes(string, sources.Kind) ([]sources.Attribute, error) { return nil, nil }

// list reads the names in h into l.
func (h handle) list(l *listing, _ []byte) error {
	if h.root == nil {
		return errNoList
	}
	dir, err := h.root.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	for {
		names, err := dir.Readdirnames(1024)
		for _, n := range names {
			if !l.add([]byte(n), 0) {
				return errors.New("too many names")
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

func tooMany(error) bool { return false }
