package files

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"chartkeep/sources"
)

// aheadBlock is how much is read at once past the page cache, bytes. Two such
// blocks belong to a file: one is used while the other is read.
const aheadBlock = 512 << 10

// aheadAlign is what every drive accepts as a multiple of offsets, lengths and
// addresses, bytes.
const aheadAlign = 4096

var aheadBlocks = sync.Pool{New: func() any {
	b := make([]byte, aheadBlock+aheadAlign)
	skip := -uintptr(unsafe.Pointer(unsafe.SliceData(b))) % aheadAlign
	block := b[skip:][:aheadBlock]
	return &block
}}

// An ahead reads a file in order, past the page cache: what is read once in a
// night need not push out what others work with, and costs the kernel a tenth of
// the time. Nothing else may read from the file meanwhile.
type ahead struct {
	fd      int
	size    int64   // when it was opened, bytes
	usual   bool    // the drive does not take it this way, or no more
	now     []byte  // what is left of the block in use
	used    *[]byte // that block
	err     error   // behind it
	full    chan aheadRead
	empty   chan *[]byte
	stopped chan struct{}
}

type aheadRead struct {
	block *[]byte
	n     int
	err   error // nil, io.EOF, or what went wrong
}

// readAhead begins to read a file from its start, or returns nil when that is
// better left to the page cache: it has the file, or the file system wants it so.
func readAhead(fd int, size int64) *ahead {
	var probe [1]byte
	if _, err := unix.Preadv2(fd, [][]byte{probe[:]}, size/2, unix.RWF_NOWAIT); !errors.Is(err, unix.EAGAIN) {
		return nil
	}
	if !direct(fd, true) {
		return nil
	}
	a := &ahead{fd: fd, size: size, full: make(chan aheadRead), empty: make(chan *[]byte, 2), stopped: make(chan struct{})}
	a.empty <- aheadBlocks.Get().(*[]byte)
	a.empty <- aheadBlocks.Get().(*[]byte)
	go a.run()
	return a
}

// direct says whether reads go past the page cache, and reports whether that is
// so now.
func direct(fd int, on bool) bool {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		return false
	}
	flags &^= unix.O_DIRECT
	if on {
		flags |= unix.O_DIRECT
	}
	_, err = unix.FcntlInt(uintptr(fd), unix.F_SETFL, flags)
	return err == nil
}

// run reads until the end, an error, or stop, which closes empty.
func (a *ahead) run() {
	defer close(a.stopped)
	defer close(a.full)
	var pos int64
	for block := range a.empty {
		r := aheadRead{block: block}
		r.n, r.err = a.read(*block, pos)
		pos += int64(r.n)
		a.full <- r
		if r.err != nil {
			return
		}
	}
}

// read fills a block. What the drive does not give directly, such as the rest
// behind a length that is no multiple of its sectors, comes through the page
// cache.
func (a *ahead) read(block []byte, pos int64) (n int, err error) {
	for n < len(block) {
		m, err := retry(func() (int, error) { return unix.Pread(a.fd, block[n:], pos+int64(n)) })
		switch {
		case errors.Is(err, unix.EINVAL) && !a.usual && direct(a.fd, false):
			a.usual = true
			continue
		case err != nil:
			return n, err
		}
		short := m < len(block)-n
		if n += m; m == 0 || short && pos+int64(n) == a.size {
			return n, io.EOF
		}
	}
	return n, nil
}

// Read returns what comes next, up to the end of a block.
func (a *ahead) Read(p []byte) (n int, err error) {
	for len(a.now) == 0 && a.err == nil {
		a.giveBack()
		r := <-a.full
		a.used, a.now, a.err = r.block, (*r.block)[:r.n], r.err
	}
	n = copy(p, a.now)
	a.now = a.now[n:]
	if len(a.now) == 0 {
		return n, a.err
	}
	return n, nil
}

func (a *ahead) giveBack() {
	if a.used != nil {
		a.empty <- a.used
		a.used = nil
	}
}

// stop ends the reading. The file's other reads are usual ones after it.
func (a *ahead) stop() {
	a.giveBack()
	close(a.empty)
	for r := range a.full {
		aheadBlocks.Put(r.block)
	}
	<-a.stopped
	for block := range a.empty {
		aheadBlocks.Put(block)
	}
	a.now, a.err = nil, io.ErrClosedPipe
	direct(a.fd, false)
}

// fetched is how many files are open that were fetched.
var fetched atomic.Int64

var errEnough = errors.New("enough files are open")

// Fetch implements sources.Fetcher. When several small files are fetched, the drive
// has all requests in its queue, and those of neighbours become one.
func (n *node) Fetch() (sources.File, error) {
	if fetched.Add(1) > spareFiles() {
		fetched.Add(-1)
		return nil, errEnough
	}
	f, err := n.open()
	if err != nil {
		fetched.Add(-1)
		return nil, err
	}
	f.fetched = true
	if f.seen.Size < sequentialFrom {
		_ = unix.Fadvise(f.fd, 0, f.seen.Size, unix.FADV_WILLNEED)
	}
	return f, nil
}

// closed is told of each file.
func (f *file) closed() {
	if f.fetched {
		fetched.Add(-1)
	}
}
