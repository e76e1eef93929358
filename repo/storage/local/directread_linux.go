package local

import (
	"os"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// readDirectFrom is the least that is worth a direct read, bytes. One that long
// keeps the drive busy by itself; shorter ones, with other work in between, are
// faster where the kernel reads ahead.
const readDirectFrom = 8 << 20

// directReader reads what is very large past the page cache, as directFile writes
// it: a check reads whole packs once, and copying them through the cache takes
// longer than reading them. All else takes the usual way.
type directReader struct {
	systemFile
	once  sync.Once
	past  *os.File // the same file, open for direct reads; nil: there are none
	whole int64    // of its length, what consists of whole pages
}

func newFileReader(f *os.File) File { return &directReader{systemFile: systemFile{f}} }

func (f *directReader) ReadAt(p []byte, off int64) (int, error) {
	n := f.straight(p, off)
	if n > 0 {
		if _, err := f.past.ReadAt(p[:n], off); err != nil {
			n = 0 // the usual way will tell
		}
	}
	rest, err := f.systemFile.ReadAt(p[n:], off+int64(n))
	return n + rest, err
}

// straight is how much of p can be read directly.
func (f *directReader) straight(p []byte, off int64) int {
	if len(p) < readDirectFrom || off%directAlign != 0 || uintptr(unsafe.Pointer(unsafe.SliceData(p)))%directAlign != 0 {
		return 0
	}
	f.once.Do(f.open)
	if f.past == nil || off >= f.whole {
		return 0
	}
	return int(min(int64(len(p)), f.whole-off)) &^ (directAlign - 1)
}

// open opens the file once more, unless the file system refuses or the name has
// become another file's.
func (f *directReader) open() {
	past, err := os.OpenFile(f.Name(), os.O_RDONLY|unix.O_DIRECT, 0)
	if err != nil {
		return
	}
	a, errA := f.Stat()
	b, errB := past.Stat()
	if errA != nil || errB != nil || !os.SameFile(a, b) {
		past.Close()
		return
	}
	f.past, f.whole = past, a.Size()&^(directAlign-1)
}

func (f *directReader) Close() error {
	f.once.Do(func() {}) // or a later read would open it
	if f.past != nil {
		f.past.Close()
	}
	return f.systemFile.Close()
}
