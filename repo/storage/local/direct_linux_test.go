package local_test

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"chartkeep/repo/storage/local"
)

// aligned returns n bytes that begin a page.
func aligned(t *testing.T, n int) []byte {
	t.Helper()
	b, err := unix.Mmap(-1, 0, max(n, 1), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(b) })
	r := rand.NewChaCha8([32]byte{byte(n)})
	r.Read(b)
	return b[:n]
}

func TestLargePartsOfAnyShapeArriveWhole(t *testing.T) {
	for _, place := range []struct{ name, dir string }{{"disk", t.TempDir()}, {"memory", shared(t)}} {
		t.Run(place.name, func(t *testing.T) {
			st, err := local.Create(filepath.Join(place.dir, "store"))
			if err != nil {
				t.Fatal(err)
			}
			defer st.Close()
			for i, parts := range [][][]byte{
				{aligned(t, 8<<20)},
				{aligned(t, 8<<20+1)},
				{aligned(t, 5<<20+4096), aligned(t, 1<<20)},
				{aligned(t, 100), aligned(t, 1<<20)},
				{aligned(t, 1<<20)[1:], aligned(t, 3<<20)},
				{aligned(t, 2<<20)[4096:], aligned(t, 2<<20), aligned(t, 7)},
				{aligned(t, 256<<10)},
				{aligned(t, 0)},
			} {
				name := filepath.Join("packs", string(rune('a'+i)))
				if err := st.Put(context.Background(), name, parts...); err != nil {
					t.Fatal(err)
				}
				b, err := os.ReadFile(filepath.Join(place.dir, "store", name))
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(b, bytes.Join(parts, nil)) {
					t.Errorf("file %d is not what was put", i)
				}
			}
		})
	}
}

func TestLargeReadsOfAnyShapeAreTheFile(t *testing.T) {
	for _, place := range []struct{ name, dir string }{{"disk", t.TempDir()}, {"memory", shared(t)}} {
		t.Run(place.name, func(t *testing.T) {
			st, err := local.Create(filepath.Join(place.dir, "store"))
			if err != nil {
				t.Fatal(err)
			}
			defer st.Close()
			content := aligned(t, 12<<20+1234)
			if err := st.Put(context.Background(), "packs/p", content); err != nil {
				t.Fatal(err)
			}
			f, err := st.Open(context.Background(), "packs/p")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			room := aligned(t, 16<<20)
			for _, r := range []struct{ at, off, n int }{
				{0, 0, 10 << 20}, {0, 4096, 10<<20 + 100}, {1, 0, 10 << 20}, {0, 100, 10 << 20}, {0, 0, len(content)},
				{0, 2 << 20, 10<<20 + 1234}, {0, 12 << 20, 1234}, {0, 0, 10}, {0, 4096, len(content) - 4096},
			} {
				p := room[r.at : r.at+r.n]
				clear(p)
				n, err := f.ReadAt(p, int64(r.off))
				if n != r.n || err != nil && err != io.EOF || !bytes.Equal(p, content[r.off:r.off+r.n]) {
					t.Errorf("read %d at %d: %d, %v, or other bytes", r.n, r.off, n, err)
				}
			}
			if n, err := f.ReadAt(room, 0); n != len(content) || err != io.EOF || !bytes.Equal(room[:n], content) {
				t.Errorf("a read beyond the end gives %d bytes and %v", n, err)
			}
		})
	}
}

// shared is a folder on a file system in memory, which refuses direct writes or
// takes them, as the kernel's version has it.
func shared(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "chartkeep-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func TestPacksStayOutOfThePageCache(t *testing.T) {
	dir := t.TempDir()
	probe, err := os.OpenFile(filepath.Join(dir, "probe"), os.O_CREATE|os.O_WRONLY|unix.O_DIRECT, 0o600)
	if err != nil {
		t.Skipf("this file system has no direct writes: %v", err)
	}
	probe.Close()
	st, err := local.Create(filepath.Join(dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	const size = 4 << 20
	if err := st.Put(context.Background(), "packs/p", aligned(t, size)); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(dir, "store/packs/p"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if n := resident(t, f, size); n > 0 {
		t.Errorf("%d pages of a pack are in the page cache after it was written", n)
	}
}

// resident counts the pages of f that are in memory.
func resident(t *testing.T, f *os.File, size int) (n int) {
	t.Helper()
	m, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(m)
	pages := make([]byte, (size+os.Getpagesize()-1)/os.Getpagesize())
	if err := mincore(m, pages); err != nil {
		t.Fatal(err)
	}
	for _, p := range pages {
		n += int(p & 1)
	}
	return n
}

func mincore(m, pages []byte) error {
	_, _, errno := unix.Syscall(unix.SYS_MINCORE, pointer(m), uintptr(len(m)), pointer(pages))
	if errno != 0 {
		return errno
	}
	return nil
}

func pointer(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }
