package files

import (
	"errors"
	"os"
	"sync"
	"testing"
)

func TestAFolderOpenedAgainMustBeTheSame(t *testing.T) {
	root := t.TempDir()
	must(t, os.Mkdir(root+"/dir", 0o755))
	p := &pool[handle]{limit: 10}
	dir := topFolder(p, root).child("dir")
	_, err := dir.acquire()
	must(t, err)
	dir.release()
	p.evict(0)
	_, err = dir.acquire()
	must(t, err)
	dir.release()
	p.evict(0)
	must(t, os.Rename(root+"/dir", root+"/old"))
	must(t, os.Mkdir(root+"/dir", 0o755))
	if _, err := dir.acquire(); !errors.Is(err, errReplaced) {
		t.Errorf("got %v", err)
	}
	if dir.users != 0 || dir.open {
		t.Errorf("%d users, open %v", dir.users, dir.open)
	}
	p.retire()
}

func TestHandlesInUseAreNeverClosed(t *testing.T) {
	root := t.TempDir()
	p := &pool[handle]{limit: 1}
	top := topFolder(p, root)
	var dirs []*folder
	for _, name := range []string{"a", "b", "c", "d"} {
		must(t, os.Mkdir(root+"/"+name, 0o755))
		dirs = append(dirs, top.child(name))
	}
	before := openHandles(t)
	var users sync.WaitGroup
	for i := range 8 {
		users.Go(func() {
			for n := range 300 {
				dir := dirs[(i+n)%len(dirs)]
				h, err := dir.acquire()
				if err != nil {
					t.Error(err)
					return
				}
				if n%10 == 0 {
					p.evict(0)
				}
				if id, err := h.identity(); err != nil || id != dir.identity() {
					t.Errorf("a handle in use: %v", err)
				}
				dir.release()
			}
		})
	}
	users.Wait()
	p.retire()
	if after := openHandles(t); after != before {
		t.Errorf("%d open handles, %d before", after, before)
	}
}
