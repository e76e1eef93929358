package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"io"
	"io/fs"
	"testing"
	"time"

	"chartkeep/snapshot"
	"chartkeep/sources"
)

func node(kind sources.Kind, size int) *snapshot.Node {
	n := &snapshot.Node{Meta: sources.Meta{
		Kind: kind, Mode: 0o4751, UID: 1000, GID: 3_000_000, User: "anna", Group: "praxis", Size: int64(size), Links: 1,
		MTime: sources.Time{Sec: 1_700_000_001, Nsec: 123_456_789},
	}}
	if size > 0 {
		n.Content.Refs = []snapshot.Ref{{ID: [32]byte{1}, Size: uint64(size)}}
	}
	return n
}

func TestTarKeepsAllMetadata(t *testing.T) {
	var out bytes.Buffer
	w := newTar(&out)
	n := node(sources.Regular, 5)
	n.Attributes = []sources.Attribute{{Name: "user.note", Value: []byte("a\x00b")}, {Name: "bad=name", Value: []byte("x")}}
	long := string(bytes.Repeat([]byte("länge/"), 60)) + "name\xff"
	if err := w.begin(long, n); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, "hello"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	h, err := tar.NewReader(&out).Next()
	if err != nil {
		t.Fatal(err)
	}
	if h.Name != long || h.Mode != 0o4751 || h.Uid != 1000 || h.Gid != 3_000_000 || h.Uname != "anna" || h.Gname != "praxis" || h.Size != 5 {
		t.Errorf("header %+v", h)
	}
	if !h.ModTime.Equal(time.Unix(1_700_000_001, 123_456_789)) {
		t.Errorf("time %v", h.ModTime)
	}
	if got := h.PAXRecords["SCHILY.xattr.user.note"]; got != "a\x00b" {
		t.Errorf("attribute %q", got)
	}
}

func TestTarKnowsEveryKind(t *testing.T) {
	var out bytes.Buffer
	w := newTar(&out)
	first, second := node(sources.Regular, 0), node(sources.Regular, 0)
	for _, n := range []*snapshot.Node{first, second} {
		n.Meta.Links, n.Meta.Inode, n.Meta.Device = 2, 7, 9
	}
	link, device := node(sources.Symlink, 0), node(sources.CharDevice, 0)
	link.Meta.Target = "first"
	device.Meta.RDev = 5<<8 | 1
	entries := []struct {
		name string
		n    *snapshot.Node
	}{{"first", first}, {"dir", node(sources.Dir, 0)}, {"link", link}, {"pipe", node(sources.FIFO, 0)}, {"tty", device}, {"second", second}}
	for _, e := range entries {
		if err := w.begin(e.name, e.n); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r := tar.NewReader(&out)
	for _, want := range []struct {
		name, link   string
		kind         byte
		major, minor int64
	}{
		{"first", "", tar.TypeReg, 0, 0},
		{"dir/", "", tar.TypeDir, 0, 0},
		{"link", "first", tar.TypeSymlink, 0, 0},
		{"pipe", "", tar.TypeFifo, 0, 0},
		{"tty", "", tar.TypeChar, 5, 1},
		{"second", "first", tar.TypeLink, 0, 0},
	} {
		h, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if h.Name != want.name || h.Linkname != want.link || h.Typeflag != want.kind || h.Devmajor != want.major || h.Devminor != want.minor {
			t.Errorf("%s: %+v", want.name, h)
		}
	}
}

func TestZipKeepsModesTimesAndLinks(t *testing.T) {
	var out bytes.Buffer
	w := newZip(&out)
	link := node(sources.Symlink, 0)
	link.Meta.Target = "tool"
	for _, e := range []struct {
		name, content string
		n             *snapshot.Node
	}{{"sub", "", node(sources.Dir, 0)}, {"sub/tool", "hello", node(sources.Regular, 5)}, {"link", "", link}} {
		if err := w.begin(e.name, e.n); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		name, content string
		mode          fs.FileMode
	}{{"sub/", "", fs.ModeDir | fs.ModeSetuid | 0o751}, {"sub/tool", "hello", fs.ModeSetuid | 0o751}, {"link", "tool", fs.ModeSymlink | fs.ModeSetuid | 0o751}} {
		f := r.File[i]
		rc, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(rc)
		if err != nil || f.Name != want.name || f.Mode() != want.mode || string(content) != want.content || f.Modified.Unix() != 1_700_000_001 {
			t.Errorf("%s: %v %v %q %v", f.Name, f.Mode(), f.Modified, content, err)
		}
	}
}

func TestWhatAFormatHasNoPlaceForIsNamed(t *testing.T) {
	for _, c := range []struct {
		kind sources.Kind
		f    Format
		fits bool
	}{
		{sources.Socket, Tar, false}, {sources.Socket, Zip, false},
		{sources.FIFO, Tar, true}, {sources.FIFO, Zip, false},
		{sources.BlockDevice, Tar, true}, {sources.CharDevice, Zip, false},
		{sources.Symlink, Zip, true}, {sources.Regular, Zip, true},
	} {
		if why := unfit(node(c.kind, 0), c.f); (why == "") != c.fits {
			t.Errorf("%s in %s: %q", c.kind, c.f, why)
		}
	}
}
