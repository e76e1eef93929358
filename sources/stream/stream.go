// Package stream is a source of one file whose bytes come from a reader or
// from a command's output, such as a database's dump.
//
// The file's name may have folders in it: "db/practice.sql" is saved as
// /db/practice.sql. Its length is not known before it is read, so its entry has
// size zero, and File.Meta tells the number of bytes read.
//
// The end of a stream is an end only if all went well. A command's exit status
// decides: Read returns io.EOF if the command succeeded, and a *CommandError in
// its place if not, after all bytes were read. So whoever saves a file only
// when its reader ended with io.EOF saves no half a dump. No bytes at all is
// ErrEmpty.
package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/user"
	"path"
	"strings"
	"time"

	"chartkeep/sources"
)

// ErrEmpty says that a stream had no bytes. A dump of nothing is a failure
// that looks like success.
var ErrEmpty = errors.New("the stream is empty")

// A Source is a source of one file. It implements sources.Source.
type Source struct {
	path string
	open func(ctx context.Context, m sources.Meta) (sources.File, error)
}

// NewReader returns a source of the file name with r's bytes. The file can be
// opened once.
func NewReader(name string, r io.Reader) (*Source, error) {
	p, err := pathOf(name)
	if err != nil {
		return nil, err
	}
	used := false
	return &Source{path: p, open: func(ctx context.Context, m sources.Meta) (sources.File, error) {
		if used {
			return nil, fmt.Errorf("open %s: a stream can be read only once", p)
		}
		used = true
		return &file{meta: m, read: func(b []byte) (int, error) {
			if err := ctx.Err(); err != nil {
				return 0, err
			}
			return r.Read(b)
		}}, nil
	}}, nil
}

// pathOf returns the path of an entry with a name.
func pathOf(name string) (string, error) {
	p := path.Clean("/" + strings.ReplaceAll(name, string(os.PathSeparator), "/"))
	if p == "/" || strings.HasSuffix(name, "/") || strings.ContainsRune(name, 0) {
		return "", fmt.Errorf("%q is not the name of a file", name)
	}
	return p, nil
}

// Entries yields the folders of the name and then the file. ctx ends a command
// that reads from it started, also after the loop.
func (s *Source) Entries(ctx context.Context) iter.Seq[sources.Entry] {
	return func(yield func(sources.Entry) bool) {
		m := metaNow()
		dir := m
		dir.Kind, dir.Mode = sources.Dir, 0o700
		for i, c := range s.path {
			if c != '/' {
				continue
			}
			above := s.path[:max(i, 1)]
			if !yield(sources.Entry{Path: above, Meta: dir, Content: folder{}}) {
				return
			}
		}
		open := func() (sources.File, error) { return s.open(ctx, m) }
		yield(sources.Entry{Path: s.path, Meta: m, Content: content{open}})
	}
}

// metaNow is the metadata of a file that this user makes now.
func metaNow() sources.Meta {
	now := sources.At(time.Now())
	m := sources.Meta{Kind: sources.Regular, Mode: 0o600, Links: 1, MTime: now, CTime: now}
	if uid, gid := os.Getuid(), os.Getgid(); uid >= 0 {
		m.UID, m.GID = uint32(uid), uint32(gid)
	}
	if u, err := user.Current(); err == nil {
		m.User = u.Username
		if g, err := user.LookupGroupId(u.Gid); err == nil {
			m.Group = g.Name
		}
	}
	return m
}

// content is the stream's. It implements sources.Streamed.
type content struct {
	open func() (sources.File, error)
}

func (c content) Open() (sources.File, error) { return c.open() }

func (content) Attributes() ([]sources.Attribute, error) { return nil, nil }

// Streamed says that the size is known only when all has been read.
func (content) Streamed() {}

// folder is the Content of the folders above.
type folder struct{}

func (folder) Open() (sources.File, error) { return nil, errors.New("not a regular file") }

func (folder) Attributes() ([]sources.Attribute, error) { return nil, nil }

// A file counts what is read, and refuses to end without a byte.
type file struct {
	meta  sources.Meta
	read  func([]byte) (int, error)
	close func() error
	end   error // what Read returned at last
}

func (f *file) Read(p []byte) (int, error) {
	if f.end != nil || len(p) == 0 {
		return 0, f.end
	}
	n, err := f.read(p)
	f.meta.Size += int64(n)
	if err == io.EOF && f.meta.Size == 0 {
		err = ErrEmpty
	}
	f.end = err
	return n, err
}

// Meta returns the file's metadata with the number of bytes read so far.
func (f *file) Meta() (sources.Meta, error) { return f.meta, nil }

func (f *file) Close() error {
	if f.close == nil {
		return nil
	}
	return f.close()
}
