package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"chartkeep/sources"
)

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
