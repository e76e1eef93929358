// Package archive writes a folder of a snapshot as a tar or zip file, with all
// the metadata that the format can carry:
//
//	       owner  times        hard links  xattrs, ACLs  holes   special files
//	tar    yes    nanoseconds  yes         yes (PAX)     filled  yes, no sockets
//	zip    no     seconds      copies      no            filled  links only
//
// Names in the archive are relative to the folder.
package archive

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strings"

	"chartkeep/repo"
	"chartkeep/snapshot"
	"chartkeep/sources"
)

// Format is a kind of archive.
type Format string

// The formats.
const (
	Tar Format = "tar"
	Zip Format = "zip"
)

// Parse returns the format of that name.
func Parse(name string) (Format, error) {
	if f := Format(name); f == Tar || f == Zip {
		return f, nil
	}
	return "", fmt.Errorf("no archive format %q: choose tar or zip", name)
}

// writer is one archive being written. Between two entries it takes the content
// of the first.
type writer interface {
	io.Writer
	begin(name string, n *snapshot.Node) error
	Close() error
}

// Write writes all that lies below root, or root itself if it is no folder, to
// w. Entries that the format has no place for are told to omitted.
func Write(ctx context.Context, r *repo.Repository, root snapshot.Entry, f Format, w io.Writer, omitted func(path, why string)) error {
	var a writer = newTar(w)
	if f == Zip {
		a = newZip(w)
	}
	name := func(e snapshot.Entry) string {
		if root.Node.Meta.Kind != sources.Dir {
			return e.Path[strings.LastIndexByte(e.Path, '/')+1:]
		}
		return strings.TrimPrefix(strings.TrimPrefix(e.Path, root.Path), "/")
	}
	begin := func(e snapshot.Entry) error {
		if err := a.begin(name(e), e.Node); err != nil {
			return fmt.Errorf("%s: %w", e.Path, err)
		}
		return nil
	}
	all := snapshot.Entries(ctx, r, root.Node, root.Path)
	if err := snapshot.Stream(ctx, r, suited(all, root, f, name, omitted), begin, a); err != nil {
		return err
	}
	return a.Close()
}

// inode names a file that has several paths.
type inode struct{ device, number uint64 }

// suited yields the entries that the format takes. Of a file with several paths
// tar takes the content once: the others are yielded as links without content.
func suited(all iter.Seq2[snapshot.Entry, error], root snapshot.Entry, f Format, name func(snapshot.Entry) string, omitted func(path, why string)) iter.Seq2[snapshot.Entry, error] {
	return func(yield func(snapshot.Entry, error) bool) {
		first := map[inode]bool{}
		for e, err := range all {
			if err == nil {
				if name(e) == "" && e.Node == root.Node {
					continue
				}
				if why := unfit(e.Node, f); why != "" {
					omitted(e.Path, why)
					continue
				}
				if id, several := linked(e.Node); several && f != Zip {
					if first[id] {
						e.Node = withoutContent(e.Node)
					}
					first[id] = true
				}
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

func linked(n *snapshot.Node) (inode, bool) {
	m := &n.Meta
	return inode{m.Device, m.Inode}, m.Kind == sources.Regular && m.Links > 1
}

func withoutContent(n *snapshot.Node) *snapshot.Node {
	c := *n
	c.Content = snapshot.List{}
	return &c
}

// unfit says why a format has no place for a node.
func unfit(n *snapshot.Node, f Format) string {
	switch kind := n.Meta.Kind; {
	case kind == sources.Socket:
		return "a socket"
	case f == Zip && kind != sources.Regular && kind != sources.Dir && kind != sources.Symlink:
		return "zip knows no " + kind.String()
	}
	return ""
}

var modeKinds = map[sources.Kind]fs.FileMode{
	sources.Dir: fs.ModeDir, sources.Symlink: fs.ModeSymlink, sources.FIFO: fs.ModeNamedPipe,
	sources.CharDevice: fs.ModeDevice | fs.ModeCharDevice, sources.BlockDevice: fs.ModeDevice,
}

// fileMode is a node's mode as Go numbers it.
func fileMode(m *sources.Meta) fs.FileMode {
	mode := modeKinds[m.Kind] | fs.FileMode(m.Mode&0o777)
	for bit, flag := range map[uint32]fs.FileMode{sources.SetUID: fs.ModeSetuid, sources.SetGID: fs.ModeSetgid, sources.Sticky: fs.ModeSticky} {
		if m.Mode&bit != 0 {
			mode |= flag
		}
	}
	return mode
}
