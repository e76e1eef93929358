package restore

import (
	"math"

	"chartkeep/sources"
	"chartkeep/sources/files"
)

// Folder is a Sink on a folder of this machine.
type Folder struct{ target *files.Target }

// NewFolder makes a sink of an open target. The caller closes the target.
func NewFolder(t *files.Target) Folder { return Folder{t} }

func (f Folder) Lstat(path string) (sources.Meta, error) { return f.target.Lstat("/" + path) }

func (f Folder) List(path string) ([]string, error) { return f.target.List("/" + path) }

func (f Folder) Mkdir(path string) error { return f.target.Mkdir("/" + path) }

func (f Folder) WriteFile(path string, data []byte, m sources.Meta, attrs []sources.Attribute) error {
	return f.target.WriteFile("/"+path, data, m, attrs)
}

func (f Folder) Create(path string, size int64, sparse bool) (File, error) {
	out, err := f.target.Create("/"+path, size, sparse)
	if err != nil {
		return nil, err
	}
	return folderFile{out}, nil
}

func (f Folder) Symlink(path string, m sources.Meta, attrs []sources.Attribute) error {
	if err := f.target.Symlink("/"+path, m.Target); err != nil {
		return err
	}
	return f.SetMeta(path, m, attrs)
}

func (f Folder) Special(path string, m sources.Meta, attrs []sources.Attribute) error {
	if err := f.target.Special("/"+path, m); err != nil {
		return err
	}
	return f.SetMeta(path, m, attrs)
}

func (f Folder) Link(path, to string) error { return f.target.Link("/"+path, "/"+to) }

func (f Folder) SetMeta(path string, m sources.Meta, attrs []sources.Attribute) error {
	return f.target.SetMeta("/"+path, m, attrs)
}

func (f Folder) RemoveAll(path string) error { return f.target.Remove("/" + path) }

func (f Folder) Open(path string) (sources.File, error) { return f.target.Open("/" + path) }

// Free is the space left to this user; where the system does not tell, there is
// no bound.
func (f Folder) Free() (uint64, bool) {
	free, _, err := f.target.Space()
	if err != nil {
		return math.MaxUint64, false
	}
	return free, true
}

// folderFile is a file in a folder.
type folderFile struct{ *files.OutFile }

func (f folderFile) Commit(m sources.Meta, attrs []sources.Attribute) error {
	metaErr := f.OutFile.SetMeta(m, attrs)
	if err := f.OutFile.Close(); err != nil {
		return err
	}
	return metaErr
}
