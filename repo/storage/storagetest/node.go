package storagetest

import (
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"time"
)

// sectorSize is what a drive writes wholly or not at all, bytes.
const sectorSize = 512

// node is a file or a folder of a CrashFS.
type node struct {
	folder bool
	mod    time.Time

	// of a file, to which bytes are only ever added
	data   []byte // as a reader sees it
	synced []byte // its beginning, as it is on the medium for certain
	failed bool   // a sync has failed: the two differ

	// of a folder
	names  map[string]*node   // as a reader sees it
	stable map[string]*node   // as it is on the medium for certain
	since  map[string][]*node // what each name has stood for since the last sync; nil for nothing
}

func newNode(folder bool) *node {
	n := &node{folder: folder, mod: time.Now()}
	if folder {
		n.names, n.stable, n.since = map[string]*node{}, map[string]*node{}, map[string][]*node{}
	}
	return n
}

// set lets a name stand for a file or folder, or with nil for nothing.
func (n *node) set(name string, child *node) {
	n.since[name] = append(n.since[name], child)
	assign(n.names, name, child)
	n.mod = time.Now()
}

func assign(names map[string]*node, name string, child *node) {
	if child == nil {
		delete(names, name)
	} else {
		names[name] = child
	}
}

// sync brings what has changed to the medium. If it does not succeed, what has
// changed is never written, and yet nothing is left to be synced: the kernel
// marks the pages clean.
func (n *node) sync(succeeds bool) {
	n.failed = n.failed || !succeeds
	switch {
	case !n.failed:
		n.synced = n.data[:len(n.data):len(n.data)]
	case succeeds:
		n.synced = append(n.synced, n.data[len(n.synced):]...)
	default:
		n.synced = append(n.synced[:len(n.synced):len(n.synced)], make([]byte, len(n.data)-len(n.synced))...)
	}
	for name := range n.since {
		if succeeds {
			assign(n.stable, name, n.names[name])
		}
	}
	clear(n.since)
}

// survivor returns what is left of the file or folder, and all that is in it.
// Files with several names are the same file afterwards.
func (n *node) survivor(rng *rand.Rand, done map[*node]*node) *node {
	if after, ok := done[n]; ok {
		return after
	}
	after := newNode(n.folder)
	after.mod = n.mod
	done[n] = after
	if n.folder {
		n.namesAfter(rng, func(name string, child *node) {
			left := child.survivor(rng, done)
			after.names[name], after.stable[name] = left, left
		})
		return after
	}
	after.data = n.dataAfter(rng)
	after.synced = after.data
	return after
}

// namesAfter yields the names that are left, each standing for one of those it
// has stood for since the last sync, or for what it stood for then.
func (n *node) namesAfter(rng *rand.Rand, yield func(name string, child *node)) {
	names := maps.Clone(n.stable)
	for name := range n.since {
		names[name] = nil
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		was := append([]*node{n.stable[name]}, n.since[name]...)
		if child := was[rng.IntN(len(was))]; child != nil {
			yield(name, child)
		}
	}
}

// dataAfter returns the bytes that are left: those synced, and a part of the
// others, of which each sector may be there or zero.
func (n *node) dataAfter(rng *rand.Rand) []byte {
	if len(n.synced) == len(n.data) {
		return n.synced[:len(n.synced):len(n.synced)]
	}
	end := len(n.synced) + rng.IntN(len(n.data)-len(n.synced)+1)
	if rng.IntN(2) == 0 { // the length is often the first to arrive
		end = len(n.data)
	}
	data := append(slices.Clone(n.synced), n.data[len(n.synced):end]...)
	lost := rng.IntN(4) // of four sectors; 0 means that all are there
	for at := len(n.synced); at < end; at = (at/sectorSize + 1) * sectorSize {
		if rng.IntN(4) < lost {
			clear(data[at:min((at/sectorSize+1)*sectorSize, end)])
		}
	}
	return data
}

// info describes the node under one of its names.
func (n *node) info(name string) fs.FileInfo {
	mode := fs.FileMode(0o600)
	if n.folder {
		mode = fs.ModeDir | 0o700
	}
	return nodeInfo{name: name, size: int64(len(n.data)), mode: mode, mod: n.mod}
}

// nodeInfo is an fs.FileInfo.
type nodeInfo struct {
	name string
	size int64
	mode fs.FileMode
	mod  time.Time
}

func (i nodeInfo) Name() string       { return i.name }
func (i nodeInfo) Size() int64        { return i.size }
func (i nodeInfo) Mode() fs.FileMode  { return i.mode }
func (i nodeInfo) ModTime() time.Time { return i.mod }
func (i nodeInfo) IsDir() bool        { return i.mode.IsDir() }
func (i nodeInfo) Sys() any           { return nil }
