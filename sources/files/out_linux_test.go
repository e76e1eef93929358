package files

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"chartkeep/sources"
)

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
