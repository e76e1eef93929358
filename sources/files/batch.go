package files

import (
	"cmp"
	"math/bits"
	"slices"

	"chartkeep/sources"
)

// A batch is the metadata of a run of a folder's names.
type batch struct {
	branch   *branch
	from, to int // which of the branch's names
	cost     int
	entries  []sources.Entry
	below    []*branch // of each entry that is a folder to walk; nil if there is none
	skipped  []skipped
	done     bool // guarded by walk.mu
}

type skipped struct {
	path string
	why  Reason
}

// scratch is what a worker uses again for each job.
type scratch struct {
	buffer  []byte // of directory records
	listing listing
	paths   []byte
	picks   []pick
	order   []int32
}

// A pick is a name that patterns do not leave out.
type pick struct {
	start, end int // of its path
	inode      uint64
}

func newScratch() *scratch {
	return &scratch{buffer: make([]byte, 32<<10)}
}

// fill asks for the metadata of t's names, in the order of their inodes, and
// makes entries of them in the order of their names. It returns t.below.
func (w *walk) fill(t *batch, s *scratch) []*branch {
	b := t.branch
	paths := w.pick(t, s)
	if len(s.picks) == 0 {
		return nil
	}
	h, err := b.folder.acquire()
	if err != nil {
		if !vanished(err) {
			w.fail(t, s, paths, err)
		}
		return nil
	}
	defer b.folder.release()
	entries := w.room(len(s.picks))
	nodes := make([]node, len(s.picks))
	for _, i := range s.byInode() {
		p := s.picks[i]
		w.stat(h, b, &entries[i], paths[p.start:p.end])
		e := &entries[i]
		nodes[i] = node{owners: w.owners, folder: b.folder, path: e.Path, kind: e.Meta.Kind}
		if e.Err == nil {
			e.Content = &nodes[i]
		}
	}
	w.sift(t, entries)
	return t.below
}

// pick writes the paths of t's names behind each other, leaving out what the
// patterns say, and returns them as one string for all to share.
func (w *walk) pick(t *batch, s *scratch) string {
	b := t.branch
	s.paths, s.picks = s.paths[:0], s.picks[:0]
	for i := t.from; i < t.to; i++ {
		start := len(s.paths)
		s.paths = append(s.paths, b.path...)
		if b.path != "/" {
			s.paths = append(s.paths, '/')
		}
		s.paths = append(s.paths, b.names.at(i)...)
		s.picks = append(s.picks, pick{start, len(s.paths), b.names.names[i].inode})
	}
	all := string(s.paths)
	if w.exclude.empty() || b.given != nil {
		return all
	}
	s.picks = slices.DeleteFunc(s.picks, func(p pick) bool {
		path := all[p.start:p.end]
		out := w.exclude.excluded(b.verdicts, path)
		if out {
			t.skip(path, ByPattern)
		}
		return out
	})
	return all
}

func (t *batch) skip(path string, why Reason) {
	t.skipped = append(t.skipped, skipped{path, why})
}

// byInode returns the picks' numbers sorted by inode: the metadata of
// neighbours lies in the same block of the disk.
func (s *scratch) byInode() []int32 {
	s.order = s.order[:0]
	for i := range s.picks {
		s.order = append(s.order, int32(i))
	}
	before := func(a, b int32) int { return cmp.Compare(s.picks[a].inode, s.picks[b].inode) }
	if !slices.IsSortedFunc(s.order, before) {
		slices.SortFunc(s.order, before)
	}
	return s.order
}

// stat makes the entry of one path in b.
func (w *walk) stat(h handle, b *branch, e *sources.Entry, path string) {
	e.Path = path
	g := b.givenAt(path)
	err := h.stat(base(path), g != nil && !g.whole, &e.Meta)
	switch {
	case vanished(err) && g == nil:
		e.Path = "" // gone before it was seen
	case err != nil:
		e.Meta = sources.Meta{}
		e.Err = pathError("stat", path, err)
	default:
		w.owners.name(&e.Meta)
	}
}

// givenAt returns the node of a path in b in the tree of the given paths, if b
// is above one.
func (b *branch) givenAt(path string) *given {
	if b.given == nil {
		return nil
	}
	return b.given.children[base(path)]
}

// fail makes entries that say why their folder cannot be used any more.
func (w *walk) fail(t *batch, s *scratch, paths string, err error) {
	t.entries = w.room(len(s.picks))
	for i, p := range s.picks {
		path := paths[p.start:p.end]
		t.entries[i] = sources.Entry{Path: path, Err: pathError("stat", path, err)}
	}
}

// sift drops what is gone or left out, and finds the folders to walk.
func (w *walk) sift(t *batch, entries []sources.Entry) {
	t.entries = entries[:0]
	for i := range entries {
		e := &entries[i]
		if e.Path == "" {
			continue
		}
		if why := w.leaveOut(t.branch, e); why != 0 {
			t.skip(e.Path, why)
			if why != OtherFileSystem {
				continue
			}
		} else if below := w.branchOf(t.branch, e); below != nil {
			if t.below == nil {
				t.below = make([]*branch, len(entries))
			}
			t.below[len(t.entries)] = below
		}
		t.entries = append(t.entries, *e)
	}
	clear(entries[len(t.entries):])
}

// leaveOut returns why an entry of b is left out, judged by its metadata.
func (w *walk) leaveOut(b *branch, e *sources.Entry) Reason {
	o := &w.options
	switch {
	case e.Err != nil:
		return 0
	case e.Meta.Kind == sources.Dir && o.Skip != nil && o.Skip(e.Meta):
		return ByFolder
	case e.Meta.Kind == sources.Dir && o.OneFileSystem && b.given == nil && e.Meta.Device != b.device:
		return OtherFileSystem // of files, overlays may report devices of their own
	case o.ExcludeLargerThan > 0 && e.Meta.Kind == sources.Regular && e.Meta.Size > o.ExcludeLargerThan:
		return BySize
	}
	return 0
}

// branchOf returns the branch of an entry of b that is a folder.
func (w *walk) branchOf(b *branch, e *sources.Entry) *branch {
	g := b.givenAt(e.Path)
	if e.Err != nil {
		return nil
	}
	if e.Meta.Kind != sources.Dir {
		if g != nil && !g.whole {
			e.Err, e.Content = pathError("open", e.Path, errNotFolder), nil
		}
		return nil
	}
	below := &branch{folder: b.folder.child(base(e.Path)), path: e.Path, device: b.device}
	switch {
	case g == nil:
		below.verdicts = w.exclude.below(b.verdicts, e.Path)
	case g.whole:
		below.asked, below.device = true, e.Meta.Device
		below.verdicts = w.exclude.below(verdicts{}, e.Path)
	default:
		below.given, below.folder.follow = g, true
	}
	return below
}

// spares are slices of entries to use again, by the logarithm of their
// capacity.
type spares [10][][]sources.Entry

// room returns n zero entries.
func (w *walk) room(n int) []sources.Entry {
	class := bits.Len(uint(n - 1))
	w.mu.Lock()
	defer w.mu.Unlock()
	list := &w.spare[class]
	if k := len(*list); k > 0 {
		e := (*list)[k-1]
		*list = (*list)[:k-1]
		return e[:n]
	}
	return make([]sources.Entry, n, 1<<class)
}

func (s *spares) put(e []sources.Entry) {
	if cap(e) == 0 {
		return
	}
	clear(e)
	class := bits.Len(uint(cap(e) - 1))
	s[class] = append(s[class], e[:0])
}
