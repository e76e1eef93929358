package files

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"chartkeep/sources"
)

func TestAFileInThePlaceOfTheOneThatWasSeenIsRead(t *testing.T) {
	path := t.TempDir() + "/file"
	put(t, path, "old")
	e := entryOf(t, path)
	must(t, errors.Join(os.WriteFile(path+"2", []byte("newer"), 0o644), os.Rename(path+"2", path)))
	f, err := e.Content.Open()
	must(t, err)
	defer f.Close()
	m, err := f.Meta()
	must(t, err)
	if b, err := io.ReadAll(f); string(b) != "newer" || err != nil || m.Inode == e.Meta.Inode || m.Size != 5 {
		t.Errorf("%q is read, %v, of %+v", b, err, m)
	}
}

func TestContentMustBeAFile(t *testing.T) {
	root := t.TempDir()
	for name, replace := range map[string]func(path string) error{
		"link": func(p string) error { return errors.Join(os.Remove(p), os.Symlink("/etc/passwd", p)) },
		"fifo": func(p string) error { return errors.Join(os.Remove(p), unix.Mkfifo(p, 0o644)) },
		"dir":  func(p string) error { return errors.Join(os.Remove(p), os.Mkdir(p, 0o755)) },
		"gone": os.Remove,
	} {
		path := root + "/" + name
		put(t, path, "x")
		e := entryOf(t, path)
		must(t, replace(path))
		if f, err := e.Content.Open(); err == nil {
			f.Close()
			t.Errorf("a %s in its place can be opened", name)
		}
	}
}

func TestContentOutlivesTheWalk(t *testing.T) {
	root := memoryDir(t)
	for i := range 3 * idleHandles {
		put(t, fmt.Sprintf("%s/%04d/%d/file", root, i, i), fmt.Sprint(i))
	}
	before := openHandles(t)
	s, err := New(Options{Paths: []string{root}})
	must(t, err)
	var kept []sources.Entry
	most := 0
	for e := range s.Entries(t.Context()) {
		if e.Meta.Kind == sources.Regular {
			kept = append(kept, e)
			most = max(most, openHandles(t))
		}
	}
	if allowed := before + idleHandles + 3*defaultConcurrency; most > allowed {
		t.Errorf("%d open handles during the walk", most)
	}
	for i, e := range kept {
		if got := readAll(t, e.Content); got != fmt.Sprint(i) {
			t.Fatalf("%s holds %q", e.Path, got)
		}
	}
	if after := openHandles(t); after > before {
		t.Errorf("%d open handles at the end, %d before", after, before)
	}
}

func TestReadingTellsTheEndAndTheChange(t *testing.T) {
	path := t.TempDir() + "/file"
	put(t, path, "1234567890")
	f, err := entryOf(t, path).Content.Open()
	must(t, err)
	defer f.Close()
	before, err := f.Meta()
	must(t, err)
	buf := make([]byte, 100)
	if n, err := f.Read(buf[:4]); n != 4 || err != nil {
		t.Errorf("read %d, %v", n, err)
	}
	if n, err := f.Read(buf); n != 6 || err != io.EOF {
		t.Errorf("read %d, %v, want the end with the last bytes", n, err)
	}
	put(t, path, "123456789012345")
	if n, err := f.Read(buf); n != 5 || err != nil {
		t.Errorf("read %d of what was added, %v", n, err)
	}
	after, err := f.Meta()
	must(t, err)
	if after.Size != 15 || after == before {
		t.Errorf("size %d afterwards", after.Size)
	}
	if n, err := f.Read(buf); n != 0 || err != io.EOF {
		t.Errorf("read %d, %v at the end", n, err)
	}
}

func TestAFileThatShrinksEndsEarly(t *testing.T) {
	path := t.TempDir() + "/file"
	put(t, path, "1234567890")
	f, err := entryOf(t, path).Content.Open()
	must(t, err)
	defer f.Close()
	must(t, os.Truncate(path, 3))
	b, err := io.ReadAll(f)
	if string(b) != "123" || err != nil {
		t.Errorf("read %q, %v", b, err)
	}
}

func TestReadingLeavesTheAccessTimeAlone(t *testing.T) {
	path := t.TempDir() + "/file"
	put(t, path, "x")
	old := time.Unix(1e9, 0)
	must(t, os.Chtimes(path, old, time.Now()))
	readAll(t, entryOf(t, path).Content)
	var st unix.Stat_t
	must(t, unix.Stat(path, &st))
	if st.Atim.Sec != 1e9 {
		t.Errorf("accessed at %d", st.Atim.Sec)
	}
}

func TestExtentsAreWhereDataIs(t *testing.T) {
	path := t.TempDir() + "/sparse"
	f, err := os.Create(path)
	must(t, err)
	const mb = 1 << 20
	_, err1 := f.WriteAt([]byte("middle"), 3*mb)
	must(t, errors.Join(err1, f.Truncate(8*mb), f.Close()))
	in, err := entryOf(t, path).Content.Open()
	must(t, err)
	defer in.Close()
	head := make([]byte, 10)
	if _, err := in.Read(head); err != nil {
		t.Fatal(err)
	}
	got, err := sources.Extents(in)
	must(t, err)
	if len(got) != 1 || got[0].Offset > 3*mb || got[0].Offset+got[0].Length < 3*mb+6 || got[0].Length > mb {
		t.Errorf("extents %v", got)
	}
	rest, err := io.ReadAll(in)
	must(t, err)
	if len(rest) != 8*mb-10 || !bytes.Equal(rest[3*mb-10:][:6], []byte("middle")) {
		t.Error("asking for extents moved the position")
	}
}

func TestAHoleHasNoExtentsAndAFullFileIsNotAsked(t *testing.T) {
	root := t.TempDir()
	put(t, root+"/full", "data")
	put(t, root+"/empty", "")
	put(t, root+"/hole", "")
	must(t, os.Truncate(root+"/hole", 1<<20))
	for name, want := range map[string]string{"full": "[]sources.Extent(nil)", "empty": "[]sources.Extent(nil)", "hole": "[]sources.Extent{}"} {
		f, err := entryOf(t, root+"/"+name).Content.Open()
		must(t, err)
		got, err := sources.Extents(f)
		if fmt.Sprintf("%#v", got) != want || err != nil {
			t.Errorf("%s: %#v, %v", name, got, err)
		}
		f.Close()
	}
}

func TestAttributesAreSortedAndThoseOfTheEntryItself(t *testing.T) {
	needRoot(t)
	root := t.TempDir()
	put(t, root+"/file", "")
	must(t, os.Symlink("file", root+"/link"))
	must(t, unix.Mkfifo(root+"/fifo", 0o644))
	big := bytes.Repeat([]byte{0, 255}, 1000)
	must(t, errors.Join(
		unix.Setxattr(root+"/file", "user.z", big, 0),
		unix.Setxattr(root+"/file", "user.a", nil, 0),
		unix.Setxattr(root+"/file", "trusted.q", []byte("12345"), 0),
		unix.Lsetxattr(root+"/link", "trusted.own", []byte("link"), 0),
		unix.Lsetxattr(root+"/fifo", "trusted.own", []byte("fifo"), 0),
		unix.Setxattr(root, "user.dir", []byte("x"), 0),
	))
	got := map[string]string{}
	for _, e := range walkAll(t, Options{Paths: []string{root}}, root) {
		list, err := e.Content.Attributes()
		must(t, err)
		var names []string
		for _, a := range list {
			names = append(names, fmt.Sprintf("%s=%d", a.Name, len(a.Value)))
		}
		got[filepath.Base(e.Path)] = strings.Join(names, " ")
	}
	for name, want := range map[string]string{
		"file": "trusted.q=5 user.a=0 user.z=2000", "link": "trusted.own=4", "fifo": "trusted.own=4", filepath.Base(root): "user.dir=1",
	} {
		if got[name] != want {
			t.Errorf("%s has %q, want %q", name, got[name], want)
		}
	}
}

func TestAFileReadNowHasTheMetaOfItsEntry(t *testing.T) {
	path := t.TempDir() + "/file"
	put(t, path, "x")
	e := entryOf(t, path)
	f, err := e.Content.Open()
	must(t, err)
	defer f.Close()
	if m, err := f.Meta(); m != e.Meta || err != nil {
		t.Errorf("got %+v, %v\nwant %+v", m, err, e.Meta)
	}
}
