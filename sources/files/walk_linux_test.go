package files

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"chartkeep/sources"
)

// needRoot skips what only root can set up.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
}

// asNobody does something without root's rights.
func asNobody(t *testing.T, do func()) {
	t.Helper()
	needRoot(t)
	const nobody = 65534
	if err := syscall.Setresgid(-1, nobody, -1); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setresuid(-1, nobody, -1); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(syscall.Setresuid(-1, 0, -1), syscall.Setresgid(-1, 0, -1)); err != nil {
			t.Fatal(err)
		}
	}()
	do()
}

// publicDir is a temporary folder that every user can reach.
func publicDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for p := dir; p != os.TempDir() && p != "/"; p = filepath.Dir(p) {
		must(t, os.Chmod(p, 0o755))
	}
	return dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// openHandles counts this process's file descriptors.
func openHandles(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	return len(list)
}

// entryOf returns the entry of one path.
func entryOf(t *testing.T, path string) sources.Entry {
	t.Helper()
	list := walkAll(t, Options{Paths: []string{path}}, path)
	if len(list) == 0 {
		t.Fatalf("%s: no entry", path)
	}
	return list[0]
}

func TestNamesAreBytes(t *testing.T) {
	root := t.TempDir()
	var want []string
	for b := 1; b < 256; b++ {
		if b != '/' {
			want = append(want, "n"+string([]byte{byte(b)})+"\xf0")
			must(t, os.WriteFile(root+"/"+want[len(want)-1], nil, 0o644))
		}
	}
	longest := strings.Repeat("\xc3", 255)
	must(t, os.Mkdir(root+"/"+longest, 0o755))
	want = append(want, longest)
	wantPaths(t, relative(t, walkAll(t, Options{Paths: []string{root}}, root), root), want)
}

// dig makes a chain of folders deeper than any path may be long, and calls do
// in the last one.
func dig(t *testing.T, root string, levels int, name string, do func(fd int)) {
	t.Helper()
	fd, err := unix.Open(root, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	must(t, err)
	for range levels {
		must(t, unix.Mkdirat(fd, name, 0o755))
		next, err := unix.Openat(fd, name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
		must(t, err)
		must(t, unix.Close(fd))
		fd = next
	}
	do(fd)
	must(t, unix.Close(fd))
}

func TestPathsMayBeLongerThanTheSystemAllows(t *testing.T) {
	root := t.TempDir()
	name := strings.Repeat("d", 200)
	dig(t, root, 60, name, func(fd int) {
		f, err := unix.Openat(fd, "file", unix.O_CREAT|unix.O_WRONLY, 0o644)
		must(t, err)
		_, err = unix.Write(f, []byte("deep"))
		must(t, errors.Join(err, unix.Fsetxattr(f, "user.deep", []byte("yes"), 0), unix.Close(f)))
	})
	list := walkAll(t, Options{Paths: []string{root}}, root)
	last := list[len(list)-1]
	if want := root + strings.Repeat("/"+name, 60) + "/file"; last.Path != want || last.Err != nil {
		t.Fatalf("%d entries, the last a path of %d bytes, %v", len(list), len(last.Path), last.Err)
	}
	content := readAll(t, last.Content)
	attributes, err := last.Content.Attributes()
	if content != "deep" || err != nil || len(attributes) != 1 {
		t.Errorf("read %q and %v, %v", content, attributes, err)
	}
}

func readAll(t *testing.T, c sources.Content) string {
	t.Helper()
	f, err := c.Open()
	must(t, err)
	b, err := io.ReadAll(f)
	must(t, errors.Join(err, f.Close()))
	return string(b)
}

func TestUnreadableFoldersAndFilesDoNotEndTheWalk(t *testing.T) {
	root := publicDir(t)
	put(t, root+"/a/secret/x", "")
	put(t, root+"/a/shut", "x")
	put(t, root+"/b/listed/x", "")
	put(t, root+"/c", "")
	must(t, os.Chmod(root+"/a/secret", 0o700))
	must(t, os.Chmod(root+"/a/shut", 0o600))
	must(t, os.Chmod(root+"/b/listed", 0o744)) // names, but nothing about them
	asNobody(t, func() {
		var got []string
		for _, e := range walkAll(t, Options{Paths: []string{root}}, root) {
			line := strings.TrimPrefix(e.Path, root) + " " + e.Meta.Kind.String()
			if e.Err != nil {
				line += " " + fmt.Sprint(errors.Is(e.Err, fs.ErrPermission))
			} else if e.Meta.Kind == sources.Regular {
				if f, err := e.Content.Open(); err == nil {
					f.Close()
				} else {
					line += " cannot open"
				}
			}
			got = append(got, line)
		}
		wantPaths(t, got, []string{
			" dir", "/a dir", "/a/secret dir true", "/a/shut file cannot open",
			"/b dir", "/b/listed dir", "/b/listed/x unknown true", "/c file",
		})
	})
}

func TestFoldersAboveNeedNotBeReadable(t *testing.T) {
	root := publicDir(t)
	put(t, root+"/hall/room/x", "")
	must(t, os.Chmod(root+"/hall", 0o711))
	asNobody(t, func() {
		o := Options{Paths: []string{root + "/hall/room"}}
		wantPaths(t, relative(t, walkAll(t, o, root), root), []string{"hall", "hall/room", "hall/room/x"})
	})
}

func TestLinksAreStoredAndNotFollowed(t *testing.T) {
	root := t.TempDir()
	put(t, root+"/real/x", "")
	long := strings.Repeat("t/", 1500)
	for name, target := range map[string]string{"loop": ".", "up": "..", "to": "real", "dangling": "\xfe/none", "long": long} {
		must(t, os.Symlink(target, root+"/"+name))
	}
	targets := map[string]string{}
	for _, e := range walkAll(t, Options{Paths: []string{root}}, root) {
		if e.Meta.Kind == sources.Symlink {
			targets[e.Path[len(root)+1:]] = e.Meta.Target
			if e.Meta.Size != int64(len(e.Meta.Target)) {
				t.Errorf("%s has size %d", e.Path, e.Meta.Size)
			}
		}
	}
	if len(targets) != 5 || targets["dangling"] != "\xfe/none" || targets["long"] != long {
		t.Errorf("got %.100q", targets)
	}
}

func TestAGivenLinkIsStoredButOnesAboveAreFollowed(t *testing.T) {
	root := t.TempDir()
	put(t, root+"/real/x", "")
	must(t, os.Symlink("real", root+"/link"))
	o := Options{Paths: []string{root + "/link"}}
	if list := walkAll(t, o, root); len(list) != 2 || list[1].Meta.Kind != sources.Symlink {
		t.Errorf("got %d entries, the last a %s", len(list), list[len(list)-1].Meta.Kind)
	}
	o = Options{Paths: []string{root + "/link/x"}}
	list := walkAll(t, o, root)
	wantPaths(t, relative(t, list, root), []string{"link", "link/x"})
	if list[1].Meta.Kind != sources.Dir {
		t.Errorf("the link above is a %s", list[1].Meta.Kind)
	}
}

func TestAPathBehindALinkInAGivenFolderIsWalkedUnderItsRealName(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	put(t, root+"/data/x", "")
	put(t, root+"/data/y", "")
	must(t, os.Mkdir(root+"/home", 0o755))
	must(t, os.Symlink("../data", root+"/home/link"))
	o := Options{Paths: []string{root + "/home", root + "/home/link/x"}}
	list := walkAll(t, o, root)
	wantPaths(t, relative(t, list, root), []string{"data", "data/x", "home", "home/link"})
	if kind := list[len(list)-1].Meta.Kind; kind != sources.Symlink {
		t.Errorf("the link is a %s", kind)
	}
}

func TestOneFileSystemKeepsMountPointsEmpty(t *testing.T) {
	needRoot(t)
	root := t.TempDir()
	put(t, root+"/a", "")
	must(t, os.Mkdir(root+"/mount", 0o755))
	if err := unix.Mount("none", root+"/mount", "tmpfs", 0, ""); err != nil {
		t.Skip("cannot mount:", err)
	}
	defer unix.Unmount(root+"/mount", unix.MNT_DETACH)
	put(t, root+"/mount/inside", "")
	put(t, root+"/z", "")
	kept, reported := leftOut(t, Options{OneFileSystem: true}, root)
	wantPaths(t, kept, []string{"a", "mount", "z"})
	wantPaths(t, reported, []string{"mount: on another file system"})
	kept, _ = leftOut(t, Options{}, root)
	wantPaths(t, kept, []string{"a", "mount", "mount/inside", "z"})
	// A given path on another file system is walked all the same.
	o := Options{OneFileSystem: true, Paths: []string{root, root + "/mount"}}
	_ = walkAll(t, o, root)
	o.Paths = []string{root + "/mount"}
	wantPaths(t, relative(t, walkAll(t, o, root), root), []string{"mount", "mount/inside"})
}

func TestContentMustBeTheFileThatWasSeen(t *testing.T) {
	root := t.TempDir()
	for name, replace := range map[string]func(path string) error{
		"file": func(p string) error { return errors.Join(os.WriteFile(p+"2", nil, 0o644), os.Rename(p+"2", p)) },
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

func TestTheWalkLivesWithFewHandles(t *testing.T) {
	root := memoryDir(t)
	for i := range 400 {
		put(t, fmt.Sprintf("%s/%03d/a/b/file", root, i), "")
	}
	want := independent(t, root)
	var old unix.Rlimit
	must(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &old))
	few := old
	few.Cur = uint64(openHandles(t)) + 80
	must(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &few))
	list := walkAll(t, Options{Paths: []string{root}, Concurrency: 16}, root)
	must(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &old))
	wantPaths(t, relative(t, list, root), want)
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

func TestMetaIsWhatStatSays(t *testing.T) {
	needRoot(t)
	root := t.TempDir()
	put(t, root+"/file", "123")
	must(t, os.Link(root+"/file", root+"/other"))
	must(t, os.Chown(root+"/file", 12345, 0))
	must(t, unix.Chmod(root+"/file", 0o6751))
	must(t, unix.UtimesNanoAt(unix.AT_FDCWD, root+"/file", []unix.Timespec{{Sec: 5}, {Sec: -86400, Nsec: 123456789}}, 0))
	must(t, unix.Mknod(root+"/null", unix.S_IFCHR|0o644, int(unix.Mkdev(1, 3))))
	must(t, unix.Mknod(root+"/disk", unix.S_IFBLK|0o644, int(unix.Mkdev(259, 70000))))
	m := entryOf(t, root+"/file").Meta
	var st unix.Stat_t
	must(t, unix.Lstat(root+"/file", &st))
	want := sources.Meta{
		Kind: sources.Regular, Mode: 0o6751, UID: 12345, Group: "root", Size: 3,
		MTime:  sources.Time{Sec: -86400, Nsec: 123456789},
		CTime:  sources.Time{Sec: st.Ctim.Sec, Nsec: uint32(st.Ctim.Nsec)},
		BTime:  m.BTime,
		Device: st.Dev, Inode: st.Ino, Links: 2,
	}
	if m != want || m.BTime.IsZero() {
		t.Errorf("got  %+v\nwant %+v", m, want)
	}
	for name, kind := range map[string]sources.Kind{"null": sources.CharDevice, "disk": sources.BlockDevice} {
		must(t, unix.Lstat(root+"/"+name, &st))
		if m := entryOf(t, root+"/"+name).Meta; m.Kind != kind || m.RDev != st.Rdev || m.Size != 0 {
			t.Errorf("%s: %+v", name, m)
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

func TestRecordsThatLieAreRefused(t *testing.T) {
	good := append(append(make([]byte, 16), 24, 0, 8), "name\x00"...)
	var l listing
	if err := addRecords(&l, good); err != nil || l.len() != 1 || string(l.at(0)) != "name" {
		t.Fatalf("%v, %d names", err, l.len())
	}
	for _, size := range []byte{0, 19, 25, 255} {
		bad := slices.Clone(good)
		bad[16] = size
		if err := addRecords(&l, bad); err == nil {
			t.Errorf("a record of %d bytes in 24 is accepted", size)
		}
	}
	for _, name := range []string{"a/b\x00\x00", "\x00ame\x00"} {
		if err := addRecords(&l, append(slices.Clone(good[:19]), name...)); err == nil {
			t.Errorf("the name %q is accepted", name)
		}
	}
}

func FuzzRecords(f *testing.F) {
	f.Add(append(append(make([]byte, 16), 24, 0, 8), "name\x00"...))
	f.Fuzz(func(t *testing.T, b []byte) {
		var l listing
		_ = addRecords(&l, b)
		for i := range l.len() {
			if !nameIsSafe(string(l.at(i))) {
				t.Errorf("name %q", l.at(i))
			}
		}
	})
}
