package files

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"chartkeep/sources"
)

// onDrive writes a file that the page cache does not have.
func onDrive(t *testing.T, size int) (path string, content []byte) {
	t.Helper()
	content = make([]byte, size)
	rand.NewChaCha8([32]byte{byte(size)}).Read(content)
	path = t.TempDir() + "/scan"
	must(t, os.WriteFile(path, content, 0o600))
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	for try := 0; cached(t, path) > 0; try++ { // pages that the kernel has at hand stay
		if must(t, errors.Join(f.Sync(), unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED))); try == 1000 {
			t.Skip("this file system keeps files in memory")
		}
	}
	needsDirect(t, path)
	return path, content
}

// needsDirect skips the test where the file system has no direct reads, or does
// not say what the page cache has.
func needsDirect(t *testing.T, path string) {
	t.Helper()
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECT, 0)
	if err != nil {
		t.Skipf("this file system has no direct reads: %v", err)
	}
	must(t, unix.Close(fd))
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	if _, err := unix.Preadv2(int(f.Fd()), [][]byte{make([]byte, 1)}, 1<<40, unix.RWF_NOWAIT); err != nil {
		t.Skipf("this file system does not say what the page cache has: %v", err)
	}
}

func opened(t *testing.T, path string) *file {
	t.Helper()
	in, err := entryOf(t, path).Content.Open()
	must(t, err)
	return in.(*file)
}

// openedOnDrive makes a file that is read past the page cache. A drive may be so
// quick that the look whether the cache has it finds it there.
func openedOnDrive(t *testing.T, size int) (f *file, path string, content []byte) {
	t.Helper()
	for range 20 {
		path, content = onDrive(t, size)
		f = opened(t, path)
		_, err := f.Read(make([]byte, 1))
		must(t, err)
		if f.ahead != nil {
			return f, path, content
		}
		must(t, f.Close())
	}
	t.Fatal("it is read through the page cache")
	return nil, "", nil
}

// cached is how much of a file the page cache has, pages.
func cached(t *testing.T, path string) int {
	t.Helper()
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	info, err := f.Stat()
	must(t, err)
	b, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	must(t, err)
	defer unix.Munmap(b)
	pages := make([]byte, (len(b)+4095)/4096)
	at := func(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }
	if _, _, errno := unix.Syscall(unix.SYS_MINCORE, at(b), uintptr(len(b)), at(pages)); errno != 0 {
		t.Fatal(errno)
	}
	n := 0
	for _, p := range pages {
		n += int(p & 1)
	}
	return n
}

func TestALongFileIsReadPastThePageCache(t *testing.T) {
	for _, size := range []int{sequentialFrom, sequentialFrom + 1, 2*aheadBlock + 4096, 3<<20 - 1, 5<<20 + 511} {
		f, path, content := openedOnDrive(t, size)
		got := content[:1:1]
		for step := 1; ; step = step*7%300_007 + 1 {
			p := make([]byte, step)
			n, err := f.Read(p)
			if got = append(got, p[:n]...); err == io.EOF {
				break
			}
			must(t, err)
		}
		if n, err := f.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("%d bytes: %d and %v are read behind the end", size, n, err)
		}
		if !bytes.Equal(got, content) {
			t.Errorf("%d bytes: other content is read, %d bytes", size, len(got))
		}
		must(t, f.Close())
		if n := cached(t, path); n > 1+(size%4096+4095)/4096+1 {
			t.Errorf("%d bytes: %d pages are in the cache", size, n)
		}
	}
}

func TestWhatThePageCacheHasIsReadThroughIt(t *testing.T) {
	path, content := onDrive(t, 2<<20)
	_, err := os.ReadFile(path)
	must(t, err)
	f := opened(t, path)
	defer f.Close()
	got, err := io.ReadAll(f)
	if !bytes.Equal(got, content) || err != nil || f.ahead != nil {
		t.Errorf("%d bytes, %v, past the page cache %v", len(got), err, f.ahead != nil)
	}
}

// TestADriveThatTakesNoDirectReads is read through the page cache from there on.
func TestADriveThatTakesNoDirectReads(t *testing.T) {
	path, content := onDrive(t, 2<<20)
	f := opened(t, path)
	defer f.Close()
	if !direct(f.fd, true) {
		t.Fatal("this file system has no direct reads")
	}
	a := &ahead{fd: f.fd, size: int64(len(content))}
	odd := make([]byte, 1000) // no multiple of a sector
	if n, err := a.read(odd, 500); n != len(odd) || err != nil || !bytes.Equal(odd, content[500:1500]) || !a.usual {
		t.Errorf("%d bytes, %v, usual %v", n, err, a.usual)
	}
}

func TestAFileThatChangesWhileItIsReadPastThePageCache(t *testing.T) {
	for name, to := range map[string]int64{"shorter": 1<<20 + 100, "longer": 6 << 20} {
		f, path, content := openedOnDrive(t, 4<<20)
		_, err := io.ReadFull(f, make([]byte, 999))
		must(t, errors.Join(err, os.Truncate(path, to)))
		rest, err := io.ReadAll(f)
		must(t, err)
		if n := 1000 + len(rest); n < 1<<20 || n > int(max(to, int64(len(content)))) {
			t.Errorf("%s: %d bytes are read", name, n)
		}
		if m, err := f.Meta(); m.Size != to || err != nil {
			t.Errorf("%s: %d bytes, %v", name, m.Size, err)
		}
		must(t, f.Close())
	}
}

func TestReadingAheadEndsWhenTheFileIsClosed(t *testing.T) {
	for _, taken := range []int{1, aheadBlock, aheadBlock + 1, 2 * aheadBlock} {
		f, _, content := openedOnDrive(t, 4<<20)
		_, err := io.ReadFull(f, make([]byte, taken-1))
		must(t, err)
		a, p := f.ahead, make([]byte, 77)
		if _, err := f.ReadAt(p, 4321); err != nil || !bytes.Equal(p, content[4321:4321+77]) {
			t.Errorf("another part: %v", err)
		}
		select {
		case <-a.stopped:
		default:
			t.Error("it is still being read")
		}
		must(t, f.Close())
	}
}

// TestAFetchedFileComesIntoThePageCache without being read.
func TestAFetchedFileComesIntoThePageCache(t *testing.T) {
	path, content := onDrive(t, 40_000)
	f, err := entryOf(t, path).Content.(sources.Fetcher).Fetch()
	must(t, err)
	defer f.Close()
	for try := 0; cached(t, path) < 10; try++ {
		if time.Sleep(time.Millisecond); try == 5000 {
			t.Fatalf("%d pages of it are there", cached(t, path))
		}
	}
	got, err := io.ReadAll(f)
	must(t, err)
	if !bytes.Equal(got, content) {
		t.Error("it is read changed")
	}
}

// TestFewFilesAreFetchedWhereFewMayBeOpen counts those that are open.
func TestFewFilesAreFetchedWhereFewMayBeOpen(t *testing.T) {
	before := spareFiles
	most := fetched.Load() + 2
	spareFiles = func() int64 { return most }
	defer func() { spareFiles = before }()
	path := t.TempDir() + "/letter"
	must(t, os.WriteFile(path, []byte("Dear"), 0o600))
	c := entryOf(t, path).Content.(sources.Fetcher)
	first, err := c.Fetch()
	must(t, err)
	second, err := c.Fetch()
	must(t, err)
	if f, err := c.Fetch(); err == nil {
		t.Errorf("a third one is open: %v", errors.Join(f.Close()))
	}
	must(t, first.Close())
	third, err := c.Fetch()
	must(t, err)
	must(t, errors.Join(second.Close(), third.Close()))
	if n := fetched.Load(); n != most-2 {
		t.Errorf("%d are still counted", n-most+2)
	}
}
