package files

import (
	"strings"
	"sync"
)

// An atlas knows the folders of a Target. For a path it has one folder at most, so
// that all who work in it share its handle. It is safe for concurrent use.
//
// A folder is known by its name in the one above, and not by its path: what is kept
// of a tree grows with the number of its folders only, however deep they lie. The
// way to a folder goes from the one that was asked for last, which is mostly near.
type atlas struct {
	mu     sync.Mutex
	known  map[spot]*folder // each with those above it, but for the top
	recent string           // path of the one that was asked for last
	last   *folder          // it; at first the top
	most   int              // how many are known before they are forgotten
}

// A spot is a name in a folder.
type spot struct {
	in   *folder
	name string
}

const foldersInAtlas = 8192

// find returns the folder with a path, which is empty for the top. It may not
// exist.
func (a *atlas) find(path string) (*folder, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.reach(path)
}

func (a *atlas) reach(path string) (*folder, error) {
	if len(a.known) >= a.most {
		a.shrink()
	}
	f, at := a.near(path)
	for at < len(path) {
		name, _, _ := strings.Cut(path[at+1:], "/")
		if path[at] != '/' || !nameIsSafe(name) {
			return nil, errPath
		}
		f, at = a.child(f, name), at+1+len(name)
	}
	a.recent, a.last = path, f
	return f, nil
}

// near returns the last folder that the path has in common with the recent one,
// and where in the path its name ends.
func (a *atlas) near(path string) (f *folder, at int) {
	common := min(len(path), len(a.recent))
	for i := range common {
		if path[i] == '/' && a.recent[i] == '/' {
			at = i
		}
		if path[i] != a.recent[i] {
			return a.above(at), at
		}
	}
	if (len(path) == common || path[common] == '/') && (len(a.recent) == common || a.recent[common] == '/') {
		at = common
	}
	return a.above(at), at
}

// above returns the folder whose path is so much of the recent one's.
func (a *atlas) above(length int) *folder {
	f := a.last
	for range strings.Count(a.recent[length:], "/") {
		f = f.parent
	}
	return f
}

func (a *atlas) child(of *folder, name string) *folder {
	if f := a.known[spot{of, name}]; f != nil {
		return f
	}
	f := of.child(strings.Clone(name)) // the path is not kept with it
	a.known[spot{of, f.name}] = f
	return f
}

// shrink forgets all but the recent folder and those above it.
func (a *atlas) shrink() {
	a.known = map[spot]*folder{}
	for f := a.last; f.parent != nil; f = f.parent {
		a.known[spot{f.parent, f.name}] = f
	}
	a.most = foldersInAtlas + len(a.known)
}

// forget is called when something else comes to stand at a folder's path.
func (a *atlas) forget(path string) {
	at := strings.LastIndexByte(path, '/')
	if at < 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if f, err := a.reach(path[:at]); err == nil { // the recent one is not below path any more
		delete(a.known, spot{f, path[at+1:]})
	}
}
