package files

import (
	"errors"
	"io/fs"
	"sync"
)

// errReplaced says that a name no longer stands for what it stood for.
var errReplaced = errors.New("replaced by something else meanwhile")

// A folder is a directory of the disk that can be opened whenever it is
// needed: by its name in its parent, the topmost one by its path. Its handle is
// shared by all who use it at a moment.
type folder struct {
	pool   *pool
	parent *folder // nil for the topmost
	name   string  // in parent; or the topmost one's path
	follow bool    // name may be a symbolic link: the user wrote it

	// Guarded by pool.mu.
	handle        handle
	open          bool
	users         int
	device, inode uint64  // of the first opening; inode 0 before it
	newer, older  *folder // in the pool's list of idle folders
}

// A pool bounds the number of open handles that nobody uses at the moment.
type pool struct {
	mu             sync.Mutex
	limit          int // of idle handles
	idle           int
	newest, oldest *folder
}

func newPool(limit int) *pool { return &pool{limit: limit} }

func (p *pool) top(path string) *folder {
	return &folder{pool: p, name: path, follow: true}
}

func (f *folder) child(name string) *folder {
	return &folder{pool: f.pool, parent: f, name: name}
}

// acquire returns f's handle, which stays open until release.
func (f *folder) acquire() (handle, error) {
	if f.hold() {
		return f.handle, nil
	}
	h, err := f.reach()
	if tooMany(err) && f.pool.evict(0) {
		h, err = f.reach()
	}
	if err != nil {
		return h, err
	}
	device, inode, err := h.identity()
	if err == nil {
		err = f.adopt(h, device, inode)
	}
	if err != nil {
		h.close()
	}
	return f.handle, err
}

// hold counts one more user if f is open.
func (f *folder) hold() bool {
	p := f.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if !f.open {
		return false
	}
	if f.users == 0 {
		p.unlink(f)
	}
	f.users++
	return true
}

// reach opens f anew.
func (f *folder) reach() (handle, error) {
	if f.parent == nil {
		return openTop(f.name)
	}
	above, err := f.parent.acquire()
	if err != nil {
		return above, err
	}
	defer f.parent.release()
	return above.openFolder(f.name, f.follow)
}

// adopt makes h f's handle, with one user, unless another goroutine was faster.
func (f *folder) adopt(h handle, device, inode uint64) error {
	p := f.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case f.inode != 0 && (f.inode != inode || f.device != device):
		return &fs.PathError{Op: "open", Path: f.name, Err: errReplaced}
	case f.open:
		h.close()
		if f.users == 0 {
			p.unlink(f)
		}
	default:
		f.handle, f.open = h, true
		f.device, f.inode = device, inode
	}
	f.users++
	return nil
}

// release ends what acquire began.
func (f *folder) release() {
	p := f.pool
	p.mu.Lock()
	f.users--
	if f.users == 0 {
		p.link(f)
	}
	over := p.idle > p.limit
	p.mu.Unlock()
	if over {
		p.evict(p.limit)
	}
}

// on returns the device f was on when it was opened.
func (f *folder) on() uint64 {
	f.pool.mu.Lock()
	defer f.pool.mu.Unlock()
	return f.device
}

// evict closes the handles longest idle until only keep are left, and reports
// whether there were any.
func (p *pool) evict(keep int) bool {
	some := false
	for {
		p.mu.Lock()
		f := p.oldest
		if f == nil || p.idle <= keep {
			p.mu.Unlock()
			return some
		}
		p.unlink(f)
		h := f.handle
		f.open = false
		p.mu.Unlock()
		h.close()
		some = true
	}
}

// retire closes all idle handles and keeps none from now on.
func (p *pool) retire() {
	p.mu.Lock()
	p.limit = 0
	p.mu.Unlock()
	p.evict(0)
}

func (p *pool) link(f *folder) {
	f.older, f.newer = p.newest, nil
	if p.newest != nil {
		p.newest.newer = f
	} else {
		p.oldest = f
	}
	p.newest = f
	p.idle++
}

func (p *pool) unlink(f *folder) {
	if f.newer != nil {
		f.newer.older = f.older
	} else {
		p.newest = f.older
	}
	if f.older != nil {
		f.older.newer = f.newer
	} else {
		p.oldest = f.newer
	}
	f.newer, f.older = nil, nil
	p.idle--
}

// pathError names the whole path in an error about one name of it.
func pathError(op, path string, err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}
