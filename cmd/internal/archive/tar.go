package archive

import (
	"archive/tar"
	"io"
	"strings"

	"chartkeep/snapshot"
	"chartkeep/sources"
)

// tarWriter writes tar, in the PAX form (POSIX.1-2001), which has room for long
// names, nanoseconds and extended attributes.
type tarWriter struct {
	*tar.Writer
	links map[inode]string // first name of each file that has several
}

func newTar(w io.Writer) *tarWriter {
	return &tarWriter{Writer: tar.NewWriter(w), links: map[inode]string{}}
}

var tarTypes = map[sources.Kind]byte{
	sources.Regular: tar.TypeReg, sources.Dir: tar.TypeDir, sources.Symlink: tar.TypeSymlink, sources.FIFO: tar.TypeFifo,
	sources.CharDevice: tar.TypeChar, sources.BlockDevice: tar.TypeBlock,
}

func (t *tarWriter) begin(name string, n *snapshot.Node) error {
	m := &n.Meta
	h := &tar.Header{
		Typeflag: tarTypes[m.Kind], Name: name, Linkname: m.Target, Size: int64(n.Content.Size()),
		Mode: int64(m.Mode), Uid: int(m.UID), Gid: int(m.GID), Uname: m.User, Gname: m.Group,
		ModTime: m.MTime.Time(), Format: tar.FormatPAX, PAXRecords: attributes(n),
	}
	switch m.Kind {
	case sources.Dir:
		h.Name += "/"
	case sources.CharDevice, sources.BlockDevice:
		h.Devmajor, h.Devminor = deviceNumbers(m.RDev)
	}
	if id, several := linked(n); several {
		if first, ok := t.links[id]; ok {
			h.Typeflag, h.Linkname, h.Size = tar.TypeLink, first, 0
		} else {
			t.links[id] = name
		}
	}
	return t.WriteHeader(h)
}

// attributes are a node's extended attributes in the records that GNU tar,
// bsdtar and star read.
func attributes(n *snapshot.Node) map[string]string {
	records := map[string]string{}
	for _, a := range n.Attributes {
		if !strings.Contains(a.Name, "=") {
			records["SCHILY.xattr."+a.Name] = string(a.Value)
		}
	}
	return records
}
