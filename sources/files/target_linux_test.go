package files

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"chartkeep/sources"
)

func openTarget(t *testing.T, dir string, o TargetOptions) *Target {
	t.Helper()
	target, err := OpenTarget(dir, o)
	must(t, err)
	t.Cleanup(func() { target.Close() })
	return target
}

// acl encodes a POSIX ACL as the kernel keeps it (linux/posix_acl_xattr.h):
// owner rw, user 1234 rwx, group r, mask rwx, others r.
func acl() []byte {
	b := binary.LittleEndian.AppendUint32(nil, 2)
	for _, e := range [][3]uint32{{1, 6, 1<<32 - 1}, {2, 7, 1234}, {4, 4, 1<<32 - 1}, {16, 7, 1<<32 - 1}, {32, 4, 1<<32 - 1}} {
		b = binary.LittleEndian.AppendUint16(b, uint16(e[0]))
		b = binary.LittleEndian.AppendUint16(b, uint16(e[1]))
		b = binary.LittleEndian.AppendUint32(b, e[2])
	}
	return b
}

// practice makes a tree with one of everything.
func practice(t *testing.T, root string) {
	t.Helper()
	needRoot(t)
	r := rand.New(rand.NewPCG(7, 7))
	blob := make([]byte, 3<<20)
	for i := range blob {
		blob[i] = byte(r.Uint32())
	}
	put(t, root+"/plain", "text")
	put(t, root+"/empty", "")
	put(t, root+"/a/large", string(blob))
	put(t, root+"/a/b/\xff\xfename", "bytes")
	put(t, root+"/a/b/modes", "x")
	put(t, root+"/a/acl", "x")
	put(t, root+"/attributes", "x")
	put(t, root+"/read-only", "x")
	put(t, root+"/old", "x")
	put(t, root+"/zz/linked", "one of two")
	must(t, os.Mkdir(root+"/empty folder", 0o700))
	must(t, os.Mkdir(root+"/sticky", 0o755))
	must(t, os.Mkdir(root+"/shut", 0o000))
	must(t, os.Link(root+"/zz/linked", root+"/a/also linked"))
	must(t, os.Symlink("/nowhere/\xfe", root+"/dangling"))
	must(t, os.Symlink("../plain", root+"/a/link"))
	must(t, unix.Mkfifo(root+"/fifo", 0o640))
	must(t, unix.Mknod(root+"/socket", unix.S_IFSOCK|0o600, 0))
	must(t, unix.Mknod(root+"/null", unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))))
	must(t, unix.Mknod(root+"/disk", unix.S_IFBLK|0o660, int(unix.Mkdev(259, 70000))))

	hole, err := os.Create(root + "/hole")
	must(t, err)
	_, err = hole.WriteAt([]byte("in the middle"), 5<<20)
	must(t, errors.Join(err, hole.Truncate(9<<20), hole.Close()))

	for path, value := range map[string]string{"/attributes": "\x00\xff", "/a": "folder", "/a/large": ""} {
		must(t, unix.Lsetxattr(root+path, "user.note", []byte(value), 0))
	}
	for _, path := range []string{"/dangling", "/fifo", "/null"} {
		must(t, unix.Lsetxattr(root+path, "trusted.note", []byte(path), 0))
	}
	must(t, unix.Setxattr(root+"/a/acl", "system.posix_acl_access", acl(), 0))
	must(t, unix.Setxattr(root+"/zz", "system.posix_acl_default", acl(), 0))
	// cap_net_raw+ep, which changing the owner would remove.
	must(t, unix.Setxattr(root+"/plain", "security.capability", []byte("\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), 0))

	must(t, errors.Join(
		unix.Lchown(root+"/a/b/modes", 1234, 5678), unix.Chmod(root+"/a/b/modes", 0o6711),
		unix.Lchown(root+"/dangling", 1, 2), unix.Lchown(root+"/a", 1234, 0),
		unix.Chmod(root+"/sticky", 0o3777), unix.Chmod(root+"/read-only", 0o444),
	))
	for path, ts := range map[string]unix.Timespec{
		"/old": {Sec: -1e9, Nsec: 999999999}, "/dangling": {Sec: 1e9, Nsec: 1}, "/fifo": {Sec: 7, Nsec: 8},
		"/a/b": {Sec: 1234567890, Nsec: 123456789}, "/a": {Sec: -1}, "/null": {Sec: 2e9},
	} {
		must(t, unix.UtimesNanoAt(unix.AT_FDCWD, root+path, []unix.Timespec{{}, ts}, unix.AT_SYMLINK_NOFOLLOW))
	}
}

// describe lists everything about a tree with the system's own tools.
func describe(t *testing.T, root string) []string {
	t.Helper()
	format := `%P\t%y %m %U:%G %T@ %l`
	out := tool(t, "find", root, "(", "-type", "d", "-printf", format+`\0`, ")", "-o", "-printf", format+` %s %n\0`)
	lines := strings.Split(strings.TrimSuffix(out, "\x00"), "\x00")
	attributes := tool(t, "getfattr", "-R", "-h", "-d", "-m", "-", "-e", "hex", "--absolute-names", root)
	for _, block := range strings.Split(strings.ReplaceAll(attributes, root, ""), "\n\n") {
		lines = append(lines, strings.TrimSpace(block))
	}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(p)
		lines = append(lines, fmt.Sprintf("%s\t%x", p[len(root):], sha256.Sum256(b)))
		return err
	})
	must(t, err)
	slices.Sort(lines)
	return lines
}

func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skip("needs", name)
	}
	out, err := exec.Command(name, args...).Output()
	must(t, err)
	return string(out)
}

func wantSame(t *testing.T, got, want []string) {
	t.Helper()
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("there is    %q", line)
		}
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("there isn't %q", line)
		}
	}
}

// restore writes the entries to the target as a restore does: folders, then
// files in parallel, then links, then the folders' metadata from below.
func restore(t *testing.T, list []sources.Entry, target *Target) {
	t.Helper()
	var files sync.WaitGroup
	first := map[uint64]string{}
	var links, dirs []sources.Entry
	for _, e := range list {
		must(t, e.Err)
		switch {
		case e.Meta.Kind == sources.Dir:
			must(t, target.Mkdir(e.Path))
			dirs = append(dirs, e)
		case e.Meta.Links > 1 && first[e.Meta.Inode] != "":
			links = append(links, e)
		default:
			first[e.Meta.Inode] = e.Path
			files.Go(func() {
				if err := restoreOne(target, e); err != nil {
					t.Error(err)
				}
			})
		}
	}
	files.Wait()
	for _, e := range links {
		must(t, target.Link(e.Path, first[e.Meta.Inode]))
	}
	slices.Reverse(dirs)
	for _, e := range dirs {
		attributes, err := e.Content.Attributes()
		must(t, errors.Join(err, target.SetMeta(e.Path, e.Meta, attributes)))
	}
}

func restoreOne(target *Target, e sources.Entry) error {
	attributes, err := e.Content.Attributes()
	if err != nil {
		return err
	}
	switch e.Meta.Kind {
	case sources.Symlink:
		err = target.Symlink(e.Path, e.Meta.Target)
	case sources.Regular:
		return restoreFile(target, e, attributes)
	default:
		err = target.Special(e.Path, e.Meta)
	}
	return errors.Join(err, target.SetMeta(e.Path, e.Meta, attributes))
}

func restoreFile(target *Target, e sources.Entry, attributes []sources.Attribute) error {
	in, err := e.Content.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	if e.Meta.Size < 100 {
		b, err := io.ReadAll(in)
		return errors.Join(err, target.WriteFile(e.Path, b, e.Meta, attributes))
	}
	extents, err := sources.Extents(in)
	if err != nil {
		return err
	}
	out, err := target.Create(e.Path, e.Meta.Size, extents != nil)
	if err != nil {
		return err
	}
	b, err := io.ReadAll(in)
	pieces := []int{0, len(b) / 3, len(b) / 2, len(b)}
	for i := len(pieces) - 1; i > 0 && err == nil; i-- {
		_, err = out.WriteAt(b[pieces[i-1]:pieces[i]], int64(pieces[i-1]))
	}
	return errors.Join(err, out.SetMeta(e.Meta, attributes), out.Close())
}

// below returns the entries under root with root cut off their paths.
func below(t *testing.T, root string) []sources.Entry {
	t.Helper()
	list := walkAll(t, Options{Paths: []string{root}}, root)
	for i := range list {
		list[i].Path = "/" + strings.TrimPrefix(strings.TrimPrefix(list[i].Path, root), "/")
	}
	return list
}

func TestATreeComesBackAsItWas(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	practice(t, from)
	want := describe(t, from)
	restore(t, below(t, from), openTarget(t, to, TargetOptions{}))
	wantSame(t, describe(t, to), want)
	var st unix.Stat_t
	must(t, unix.Stat(to+"/hole", &st))
	if st.Blocks*512 > 1<<20 {
		t.Errorf("the hole takes %d bytes", st.Blocks*512)
	}
	var a, b unix.Stat_t
	must(t, errors.Join(unix.Stat(to+"/zz/linked", &a), unix.Stat(to+"/a/also linked", &b)))
	if a.Ino != b.Ino {
		t.Error("the hard link is a copy")
	}

	t.Run("and over itself", func(t *testing.T) {
		must(t, os.WriteFile(to+"/a/large", []byte("changed"), 0o644))
		must(t, unix.Setxattr(to+"/plain", "user.extra", []byte("x"), 0))
		restore(t, below(t, from), openTarget(t, to, TargetOptions{}))
		wantSame(t, describe(t, to), want)
	})
	t.Run("and in place", func(t *testing.T) {
		must(t, os.WriteFile(to+"/a/large", make([]byte, 5<<20), 0o644))
		restore(t, below(t, from), openTarget(t, to, TargetOptions{InPlace: true}))
		wantSame(t, describe(t, to), want)
	})
	t.Run("and where everything is something else", func(t *testing.T) {
		other := t.TempDir()
		for _, e := range below(t, from) {
			if e.Path != "/" && !strings.Contains(e.Path[1:], "/") {
				must(t, os.Symlink(from, other+e.Path))
			}
		}
		restore(t, below(t, from), openTarget(t, other, TargetOptions{}))
		wantSame(t, describe(t, other), want)
		wantSame(t, describe(t, from), want)
	})
}

func TestPathsOfATargetMayBeLongerThanTheSystemAllows(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	dig(t, from, 60, strings.Repeat("d", 200), func(fd int) {
		f, err := unix.Openat(fd, "file", unix.O_CREAT|unix.O_WRONLY, 0o644)
		must(t, err)
		_, err = unix.Write(f, []byte("deep"))
		must(t, errors.Join(err, unix.Close(f)))
	})
	list := below(t, from)
	target := openTarget(t, to, TargetOptions{})
	restore(t, list, target)
	again := below(t, to)
	if len(again) != len(list) || readAll(t, again[len(again)-1].Content) != "deep" {
		t.Errorf("%d entries of %d came back", len(again), len(list))
	}
	must(t, target.Remove("/"+strings.Repeat("d", 200)))
	if names, err := target.List("/"); len(names) != 0 || err != nil {
		t.Errorf("left: %q, %v", names, err)
	}
}

func TestNoPathLeadsOutOfATarget(t *testing.T) {
	root := t.TempDir()
	put(t, root+"/outside/file", "safe")
	put(t, root+"/outside/sub/file", "safe")
	target := openTarget(t, root+"/in", TargetOptions{})
	m := sources.Meta{Kind: sources.Regular, Mode: 0o644}
	before := describe(t, root+"/outside")

	must(t, target.Symlink("/link", root+"/outside"))
	must(t, target.Symlink("/up", ".."))
	must(t, target.Mkdir("/dir"))
	must(t, target.Symlink("/dir/back", "../../outside"))
	put(t, root+"/in/own", "x")
	for _, p := range []string{
		"", "x", "outside/file", "../outside/file", "/../outside/file", "/..", "/.", "/dir/../../outside/file",
		"//etc", "/dir//x", "/dir/", "/dir/./x", "/a\x00b", "/dir/..",
		"/link/file", "/link/sub/file", "/link/new", "/up/outside/file", "/dir/back/file", "/own/x", "/own/../own",
	} {
		for op, do := range map[string]func() error{
			"Mkdir":     func() error { return target.Mkdir(p) },
			"WriteFile": func() error { return target.WriteFile(p, []byte("evil"), m, nil) },
			"Create":    func() error { _, err := target.Create(p, 1, false); return err },
			"Symlink":   func() error { return target.Symlink(p, "x") },
			"Special":   func() error { return target.Special(p, sources.Meta{Kind: sources.FIFO}) },
			"Link":      func() error { return target.Link(p, "/own") },
			"Link from": func() error { return target.Link("/new", p) },
			"SetMeta":   func() error { return target.SetMeta(p, m, nil) },
			"Lstat":     func() error { _, err := target.Lstat(p); return err },
			"Open":      func() error { _, err := target.Open(p); return err },
			"List":      func() error { _, err := target.List(p); return err },
			"Attributes": func() error {
				_, err := target.Attributes(p)
				return err
			},
		} {
			if op == "List" && p == "/dir/" {
				continue // a folder, named oddly
			}
			if err := do(); err == nil {
				t.Errorf("%s(%q) is done", op, p)
			}
		}
		_ = target.Remove(p) // nothing there is as good as an error
	}
	must(t, target.Remove("/link"))
	must(t, target.Remove("/up"))
	must(t, target.Remove("/dir"))
	wantSame(t, describe(t, root+"/outside"), before)
	if names, _ := target.List("/"); !slices.Equal(names, []string{"own"}) {
		t.Errorf("in the target: %q", names)
	}
}

// TestRandomSnapshotsStayInTheTarget writes what a forger might, again and
// again into the same target, so that links come to stand where folders were.
func TestRandomSnapshotsStayInTheTarget(t *testing.T) {
	root := memoryDir(t)
	put(t, root+"/outside/a/b", "safe")
	put(t, root+"/outside/b", "safe")
	before := describe(t, root+"/outside")
	target := openTarget(t, root+"/in", TargetOptions{})
	links := []string{"..", "../outside", root + "/outside", "a", "/", "../../outside/a", "."}
	r := rand.New(rand.NewPCG(3, 3))
	done := 0
	for range 4000 {
		var p string
		for range 1 + r.IntN(3) {
			p += "/" + []string{"a", "b", "c", "..", "outside"}[r.IntN(5)]
		}
		m := sources.Meta{Kind: sources.Regular, Mode: uint32(r.IntN(0o10000)), UID: 1, GID: 1}
		var err error
		switch r.IntN(7) {
		case 0, 1:
			err = target.Mkdir(p)
		case 2:
			err = target.Symlink(p, links[r.IntN(len(links))])
		case 3:
			err = target.WriteFile(p, []byte("evil"), m, nil)
		case 4:
			m.Kind = []sources.Kind{sources.Dir, sources.Symlink}[r.IntN(2)]
			err = target.SetMeta(p, m, nil)
		case 5:
			var f *OutFile
			if f, err = target.Create(p, 10, true); err == nil {
				_, err = f.WriteAt([]byte("evil"), 3)
				err = errors.Join(err, f.Close())
			}
		case 6:
			err = target.Remove(p)
		}
		if err == nil {
			done++
		}
	}
	if done < 500 {
		t.Errorf("only %d of 4000 things could be done", done)
	}
	wantSame(t, describe(t, root+"/outside"), before)
}

func TestReplacingAFileLeavesItsOtherNameAndItsReaderAlone(t *testing.T) {
	root := t.TempDir()
	put(t, root+"/file", "old")
	must(t, os.Link(root+"/file", root+"/other"))
	reader, err := os.Open(root + "/file")
	must(t, err)
	defer reader.Close()
	target := openTarget(t, root, TargetOptions{})
	must(t, target.WriteFile("/file", []byte("new"), sources.Meta{Kind: sources.Regular, Mode: 0o644}, nil))
	wantContent(t, root+"/file", "new")
	wantContent(t, root+"/other", "old")
	if b, _ := io.ReadAll(reader); string(b) != "old" {
		t.Errorf("its reader sees %q", b)
	}
	in := openTarget(t, root, TargetOptions{InPlace: true})
	must(t, os.Remove(root+"/file"))
	must(t, os.Link(root+"/other", root+"/file"))
	must(t, in.WriteFile("/file", []byte("n"), sources.Meta{Kind: sources.Regular, Mode: 0o644}, nil))
	wantContent(t, root+"/other", "n")
}

func wantContent(t *testing.T, path, want string) {
	t.Helper()
	if b, err := os.ReadFile(path); string(b) != want || err != nil {
		t.Errorf("%s holds %.50q, %v, want %.50q", path, b, err, want)
	}
}

func wantNames(t *testing.T, dir string, want ...string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	must(t, err)
	var got []string
	for _, e := range list {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s holds %q, want %q", dir, got, want)
	}
}

func TestWhatStandsInTheWayIsReplacedButForFoldersInUse(t *testing.T) {
	root := t.TempDir()
	put(t, root+"/outside/x", "safe")
	in := root + "/in"
	target := openTarget(t, in, TargetOptions{})
	strict := openTarget(t, in, TargetOptions{Strict: true})
	m := sources.Meta{Kind: sources.Regular, Mode: 0o644}
	put(t, in+"/full/x", "keep")

	for name, do := range map[string]func(path string) error{
		"WriteFile": func(p string) error { return target.WriteFile(p, []byte("new"), m, nil) },
		"InPlace": func(p string) error {
			return openTarget(t, in, TargetOptions{InPlace: true}).WriteFile(p, []byte("new"), m, nil)
		},
		"Symlink": func(p string) error { return target.Symlink(p, "t") },
		"Special": func(p string) error { return target.Special(p, sources.Meta{Kind: sources.FIFO}) },
		"Link": func(p string) error {
			put(t, in+"/linked", "")
			defer os.Remove(in + "/linked")
			return target.Link(p, "/linked")
		},
		"Mkdir": target.Mkdir,
	} {
		for kind, occupy := range map[string]func() error{
			"link":         func() error { return os.Symlink(root+"/outside", in+"/thing") },
			"file":         func() error { return os.WriteFile(in+"/thing", []byte("old"), 0o644) },
			"fifo":         func() error { return unix.Mkfifo(in+"/thing", 0o644) },
			"empty folder": func() error { return os.Mkdir(in+"/thing", 0o755) },
		} {
			must(t, occupy())
			if err := do("/thing"); err != nil {
				t.Errorf("%s over a %s: %v", name, kind, err)
			}
			wantNames(t, in, "full", "thing")
			must(t, os.RemoveAll(in+"/thing"))
		}
		if name == "Mkdir" {
			continue
		}
		if err := do("/full"); !errors.Is(err, ErrOccupied) {
			t.Errorf("%s over a folder that is not empty: %v", name, err)
		}
		wantNames(t, in, "full")
	}
	must(t, os.Symlink(root+"/outside", in+"/thing"))
	if err := strict.Mkdir("/thing"); !errors.Is(err, ErrOccupied) {
		t.Errorf("a strict target replaced a link: %v", err)
	}
	wantContent(t, root+"/outside/x", "safe")
	wantContent(t, in+"/full/x", "keep")
}

func TestAnOutFileTakesItsPlaceOnlyWhenItIsComplete(t *testing.T) {
	root := t.TempDir()
	put(t, root+"/file", "old")
	target := openTarget(t, root, TargetOptions{})
	f, err := target.Create("/file", 3, false)
	must(t, err)
	_, err = f.WriteAt([]byte("new"), 0)
	must(t, err)
	wantContent(t, root+"/file", "old")
	must(t, f.Close())
	wantContent(t, root+"/file", "new")

	f, err = target.Create("/file", 3, false)
	must(t, err)
	must(t, f.Discard())
	wantContent(t, root+"/file", "new")
	f, err = target.Create("/fresh", 3, false)
	must(t, err)
	must(t, f.Discard())
	wantNames(t, root, "file")
}

func TestManyOutFilesShareFewHandles(t *testing.T) {
	root := memoryDir(t)
	before := openHandles(t)
	target := openTarget(t, root, TargetOptions{})
	put(t, root+"/0007", "in the way")
	var files []*OutFile
	for i := range 3 * idleOuts {
		f, err := target.Create(fmt.Sprintf("/%04d", i), 8, false)
		must(t, err)
		files = append(files, f)
	}
	var writers sync.WaitGroup
	for half := range 4 {
		writers.Go(func() {
			for i, f := range files {
				if _, err := f.WriteAt(fmt.Appendf(nil, "%02d", i%100), int64(half*2)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	if now := openHandles(t); now > before+idleOuts+8 {
		t.Errorf("%d open handles, %d before", now, before)
	}
	for i, f := range files {
		must(t, errors.Join(f.SetMeta(sources.Meta{Kind: sources.Regular, Mode: 0o444}, nil), f.Close()))
		wantContent(t, fmt.Sprintf("%s/%04d", root, i), strings.Repeat(fmt.Sprintf("%02d", i%100), 4))
	}
}

func TestSparseFilesKeepOnlyData(t *testing.T) {
	root := t.TempDir()
	target := openTarget(t, root, TargetOptions{})
	want := make([]byte, 4<<20)
	copy(want[1<<20+100:], "data")
	want[3<<20] = 1
	want[len(want)-1] = 2
	f, err := target.Create("/file", int64(len(want)), true)
	must(t, err)
	for off := 0; off < len(want); off += 100_001 {
		_, err := f.WriteAt(want[off:min(off+100_001, len(want))], int64(off))
		must(t, err)
	}
	must(t, f.Close())
	if b, err := os.ReadFile(root + "/file"); !bytes.Equal(b, want) || err != nil {
		t.Error("the content differs", err)
	}
	var st unix.Stat_t
	must(t, unix.Stat(root+"/file", &st))
	if st.Blocks*512 > 64<<10 {
		t.Errorf("it takes %d bytes", st.Blocks*512)
	}
}

func TestAFullDiskIsNoticedAndNothingHalfIsLeft(t *testing.T) {
	needRoot(t)
	root := t.TempDir()
	if err := unix.Mount("none", root, "tmpfs", 0, "size=6m"); err != nil {
		t.Skip("cannot mount:", err)
	}
	defer unix.Unmount(root, unix.MNT_DETACH)
	target := openTarget(t, root, TargetOptions{})
	free, total, err := target.Space()
	if err != nil || total != 6<<20 || free > total {
		t.Errorf("space: %d of %d, %v", free, total, err)
	}
	if _, err := target.Create("/large", 10<<20, false); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("preallocation: %v", err)
	}
	if err := target.WriteFile("/file", make([]byte, 7<<20), sources.Meta{Kind: sources.Regular, Mode: 0o644}, nil); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("writing: %v", err)
	}
	wantNames(t, root)
}

func TestRefusalsToOthersThanRootAreToldOnce(t *testing.T) {
	root := publicDir(t)
	must(t, os.Chmod(root, 0o777))
	asNobody(t, func() {
		target := openTarget(t, root, TargetOptions{})
		m := sources.Meta{Kind: sources.Regular, Mode: 0o6555, UID: 1234, GID: 1234, MTime: sources.Time{Sec: 1}}
		attributes := []sources.Attribute{{Name: "trusted.x", Value: []byte("1")}, {Name: "user.x", Value: []byte("2")}}
		for i := range 3 {
			err := target.WriteFile(fmt.Sprintf("/%d", i), []byte("x"), m, attributes)
			var incomplete *MetaError
			if told := errors.As(err, &incomplete); told != (i == 0) || !told && err != nil {
				t.Errorf("file %d: %v", i, err)
			}
			got, err := target.Lstat(fmt.Sprintf("/%d", i))
			must(t, err)
			if got.Mode != 0o555 || got.MTime.Sec != 1 || got.UID != 65534 {
				t.Errorf("file %d: %+v", i, got)
			}
			own, err := target.Attributes(fmt.Sprintf("/%d", i))
			if len(own) != 1 || own[0].Name != "user.x" || err != nil {
				t.Errorf("file %d: %v, %v", i, own, err)
			}
		}
		if r := target.Refused(); r["owner"] != 3 || r["trusted"] != 3 || len(r) != 2 {
			t.Errorf("refused: %v", r)
		}
		// A folder that is there already and shut to its owner can be filled.
		must(t, errors.Join(target.Mkdir("/dir"), os.Chmod(root+"/dir", 0o500), target.Mkdir("/dir")))
		if err := target.WriteFile("/dir/x", nil, sources.Meta{Kind: sources.Regular, Mode: 0o600, UID: 65534, GID: 65534}, nil); err != nil {
			t.Error(err)
		}
	})
}

func TestOwnersByNameAndIgnored(t *testing.T) {
	needRoot(t)
	root := t.TempDir()
	for _, c := range []struct {
		rule OwnerRule
		m    sources.Meta
		uid  uint32
		gid  uint32
	}{
		{OwnersByNumber, sources.Meta{UID: 4321, User: "daemon", GID: 8765, Group: "daemon"}, 4321, 8765},
		{OwnersByName, sources.Meta{UID: 4321, User: "daemon", GID: 8765, Group: "daemon"}, 1, 1},
		{OwnersByName, sources.Meta{UID: 4321, User: "no such user", GID: 8765}, 4321, 8765},
		{OwnersIgnored, sources.Meta{UID: 4321, User: "daemon", GID: 8765, Group: "daemon"}, 0, 0},
	} {
		target := openTarget(t, root, TargetOptions{Owners: c.rule})
		c.m.Kind, c.m.Mode = sources.Regular, 0o4755
		must(t, target.WriteFile("/x", nil, c.m, nil))
		got, err := target.Lstat("/x")
		must(t, err)
		if got.UID != c.uid || got.GID != c.gid {
			t.Errorf("rule %d: %d:%d", c.rule, got.UID, got.GID)
		}
		if setuid := got.Mode&sources.SetUID != 0; setuid != (c.rule != OwnersIgnored) {
			t.Errorf("rule %d: mode %o", c.rule, got.Mode)
		}
	}
}

func TestWhatATargetInheritsIsRemoved(t *testing.T) {
	needRoot(t)
	root := t.TempDir()
	must(t, unix.Setxattr(root, "system.posix_acl_default", acl(), 0))
	must(t, unix.Chmod(root, 0o2755))
	must(t, unix.Lchown(root, 0, 4321))
	target := openTarget(t, root, TargetOptions{})
	must(t, target.Mkdir("/dir"))
	m := sources.Meta{Kind: sources.Regular, Mode: 0o640}
	must(t, target.WriteFile("/dir/small", nil, m, nil))
	f, err := target.Create("/large", 10, false)
	must(t, err)
	must(t, errors.Join(f.SetMeta(m, nil), f.Close()))
	must(t, target.SetMeta("/dir", sources.Meta{Kind: sources.Dir, Mode: 0o750}, nil))
	for path, mode := range map[string]uint32{"/dir/small": 0o640, "/large": 0o640, "/dir": 0o750} {
		got, err1 := target.Lstat(path)
		list, err2 := target.Attributes(path)
		must(t, errors.Join(err1, err2))
		if got.Mode != mode || got.GID != 0 || len(list) != 0 {
			t.Errorf("%s: mode %o, group %d, attributes %v", path, got.Mode, got.GID, list)
		}
	}
}

func TestModesOutlastWhatIsSetBeforeThem(t *testing.T) {
	needRoot(t)
	root := t.TempDir()
	put(t, root+"/file", "")
	put(t, root+"/other", "")
	must(t, errors.Join(unix.Lchown(root+"/file", 1, 1), unix.Chmod(root+"/file", 0o4755), unix.Chmod(root+"/other", 0o604)))
	target := openTarget(t, root, TargetOptions{})
	list := []sources.Attribute{{Name: "system.posix_acl_access", Value: acl()}} // alone it makes the mode 0674
	must(t, target.SetMeta("/file", sources.Meta{Kind: sources.Regular, Mode: 0o4755, UID: 2, GID: 2}, nil))
	must(t, target.SetMeta("/other", sources.Meta{Kind: sources.Regular, Mode: 0o604}, list))
	for path, mode := range map[string]uint32{"/file": 0o4755, "/other": 0o604} {
		if m, err := target.Lstat(path); m.Mode != mode || err != nil {
			t.Errorf("%s: mode %o, %v", path, m.Mode, err)
		}
	}
}

func TestLabelsStayAndOtherAttributesGo(t *testing.T) {
	needRoot(t)
	root := t.TempDir()
	put(t, root+"/file", "")
	capability := []byte("\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	must(t, errors.Join(
		unix.Setxattr(root+"/file", "security.label", []byte("module's"), 0),
		unix.Setxattr(root+"/file", "security.capability", capability, 0),
		unix.Setxattr(root+"/file", "user.a", []byte("old"), 0),
		unix.Setxattr(root+"/file", "user.b", []byte("old"), 0),
	))
	target := openTarget(t, root, TargetOptions{})
	must(t, target.SetMeta("/file", sources.Meta{Kind: sources.Regular, Mode: 0o644}, []sources.Attribute{{Name: "user.b", Value: []byte("new")}}))
	list, err := target.Attributes("/file")
	must(t, err)
	if got := fmt.Sprintf("%s", list); got != "[{security.label module's} {user.b new}]" {
		t.Errorf("it has %s", got)
	}
}

func TestSetMetaOfSomethingElseIsAnError(t *testing.T) {
	root := t.TempDir()
	put(t, root+"/file", "")
	target := openTarget(t, root, TargetOptions{})
	err := target.SetMeta("/file", sources.Meta{Kind: sources.Dir, Mode: 0o777}, nil)
	var incomplete *MetaError
	if !errors.Is(err, ErrOccupied) || !errors.As(err, &incomplete) || incomplete.Path != "/file" {
		t.Errorf("got %v", err)
	}
}

func TestErrorsNameBothEndsOfALink(t *testing.T) {
	target := openTarget(t, t.TempDir(), TargetOptions{})
	err := target.Link("/new", "/none")
	if err == nil || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "/new") || !strings.Contains(err.Error(), "/none") {
		t.Errorf("got %v", err)
	}
}

func TestATargetNoticesThatAFolderWasReplaced(t *testing.T) {
	root := t.TempDir()
	target := openTarget(t, root+"/in", TargetOptions{})
	m := sources.Meta{Kind: sources.Regular, Mode: 0o644}
	must(t, target.Mkdir("/dir"))
	must(t, target.WriteFile("/dir/a", nil, m, nil))
	must(t, target.Remove("/dir"))
	must(t, target.Mkdir("/dir"))
	must(t, target.WriteFile("/dir/b", nil, m, nil))
	wantNames(t, root+"/in/dir", "b")
	must(t, os.Mkdir(root+"/outside", 0o755))
	must(t, target.Remove("/dir"))
	must(t, os.Symlink("../outside", root+"/in/dir"))
	if err := target.WriteFile("/dir/c", nil, m, nil); err == nil {
		t.Error("wrote through a link")
	}
	wantNames(t, root+"/outside")
}

func TestATargetMakesMissingFoldersAbove(t *testing.T) {
	root := t.TempDir()
	target := openTarget(t, root+"/new/target", TargetOptions{})
	must(t, target.Mkdir("/a/b/c"))
	must(t, target.Sync())
	info, err := os.Stat(root + "/new/target/a/b/c")
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestReadingBackFromATarget(t *testing.T) {
	root := t.TempDir()
	put(t, root+"/file", "content")
	must(t, os.Symlink("file", root+"/link"))
	target := openTarget(t, root, TargetOptions{})
	f, err := target.Open("/file")
	must(t, err)
	defer f.Close()
	b, err := io.ReadAll(f)
	if string(b) != "content" || err != nil {
		t.Errorf("read %q, %v", b, err)
	}
	part := make([]byte, 4)
	if n, err := f.(io.ReaderAt).ReadAt(part, 3); n != 4 || err != nil || string(part) != "tent" {
		t.Errorf("read %q at 3, %v", part[:n], err)
	}
	if n, err := f.(io.ReaderAt).ReadAt(part, 5); n != 2 || err != io.EOF {
		t.Errorf("read %d at 5, %v", n, err)
	}
	if _, err := target.Open("/link"); err == nil {
		t.Error("a link was followed")
	}
	if m, err := target.Lstat("/link"); err != nil || m.Target != "file" {
		t.Errorf("%+v, %v", m, err)
	}
}
