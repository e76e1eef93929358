package files

import (
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
