package snapshot

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"

	"chartkeep/sources"
)

// A Version is one state of a path, and the snapshots that hold it. Two states
// of a file differ when their content does; metadata alone makes no version.
type Version struct {
	Path      string
	Node      *Node // as the last of Snapshots has it
	Snapshots []*Snapshot
}

// ContentID names what a file or a link holds, or a folder's whole tree: equal
// content has equal IDs within a repository.
func ContentID(n *Node) string {
	h := sha256.New()
	l := n.list()
	h.Write([]byte{byte(n.Meta.Kind), l.Level})
	for _, r := range l.Refs {
		h.Write(appendRef(nil, r))
	}
	h.Write([]byte(n.Meta.Target))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// A Finder looks for paths in snapshots, one after the other. A sub-tree that
// several snapshots share is read once; what is kept of it is a few bytes, and
// the nodes that were found in it.
type Finder struct {
	load    Loader
	match   *Patterns
	problem func(path string, err error)

	folders  map[folderKey]*finding // nil: nothing in it
	versions map[versionKey]*Version
}

// folderKey is a hash of a folder's tree and its path.
type folderKey [16]byte

type versionKey struct{ path, content string }

// finding is what was found in and below one folder.
type finding struct {
	own   []match
	below []*finding
}

type match struct {
	version *Version
	node    *Node
}

// NewFinder looks for what match chooses. A folder of which a part cannot be
// read is told to problem, and the search goes on.
func NewFinder(load Loader, match *Patterns, problem func(path string, err error)) *Finder {
	return &Finder{
		load: load, match: match, problem: problem,
		folders: map[folderKey]*finding{}, versions: map[versionKey]*Version{},
	}
}

// Add looks through one more snapshot. Snapshots are added from the oldest to
// the newest.
func (f *Finder) Add(ctx context.Context, s *Snapshot) error {
	found, err := f.folder(ctx, []byte("/"), s.Root.Tree)
	if err == nil {
		found.tell(s)
	}
	return err
}

// Versions returns what was found, sorted by path and then by the oldest
// snapshot.
func (f *Finder) Versions() []*Version {
	all := make([]*Version, 0, len(f.versions))
	for _, v := range f.versions {
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b *Version) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), a.Snapshots[0].Time.Compare(b.Snapshots[0].Time), cmp.Compare(ContentID(a.Node), ContentID(b.Node)))
	})
	return all
}

// tell adds a snapshot to all versions in and below a folder.
func (found *finding) tell(s *Snapshot) {
	if found == nil {
		return
	}
	for _, m := range found.own {
		m.version.Node, m.version.Snapshots = m.node, append(m.version.Snapshots, s)
	}
	for _, b := range found.below {
		b.tell(s)
	}
}

func keyOf(path []byte, tree List) (k folderKey) {
	b := []byte{tree.Level}
	for _, r := range tree.Refs {
		b = append(b, r.ID[:]...)
	}
	sum := sha256.Sum256(append(b, path...))
	copy(k[:], sum[:])
	return k
}

// folder searches a tree, or remembers what was found in it.
func (f *Finder) folder(ctx context.Context, path []byte, tree List) (*finding, error) {
	if !f.match.Below(string(path)) || len(tree.Refs) == 0 {
		return nil, nil
	}
	key := keyOf(path, tree)
	if found, ok := f.folders[key]; ok {
		return found, nil
	}
	found := &finding{}
	for n, err := range Tree(ctx, f.load, tree) {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			f.problem(string(path), err)
			continue
		}
		if err := f.node(ctx, enter(path, n.Name), n, found); err != nil {
			return nil, err
		}
	}
	if len(found.own)+len(found.below) == 0 {
		found = nil
	}
	f.folders[key] = found
	return found, nil
}

func (f *Finder) node(ctx context.Context, path []byte, n *Node, into *finding) error {
	if p := string(path); f.match.Match(p) {
		into.own = append(into.own, match{f.version(p, n), n})
	}
	if n.Meta.Kind != sources.Dir {
		return nil
	}
	below, err := f.folder(ctx, path, n.Tree)
	if below != nil {
		into.below = append(into.below, below)
	}
	return err
}

// version is the version of path that n belongs to. A folder found by its name
// has one: what changes below it are versions of something else.
func (f *Finder) version(path string, n *Node) *Version {
	key := versionKey{path: path}
	if n.Meta.Kind != sources.Dir {
		key.content = ContentID(n)
	}
	v := f.versions[key]
	if v == nil {
		v = &Version{Path: path}
		f.versions[key] = v
	}
	return v
}

// History returns the versions of one path in snapshots, which are sorted by
// time. A folder is another version when anything below it is.
func History(ctx context.Context, load Loader, snapshots []*Snapshot, path string, problem func(s *Snapshot, err error)) ([]*Version, error) {
	byContent := map[string]*Version{}
	var all []*Version
	for _, s := range snapshots {
		n, err := Lookup(ctx, load, &s.Root, path)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			if !errors.Is(err, ErrNoPath) {
				problem(s, err)
			}
			continue
		}
		id := ContentID(n)
		if byContent[id] == nil {
			byContent[id] = &Version{Path: path}
			all = append(all, byContent[id])
		}
		v := byContent[id]
		v.Node, v.Snapshots = n, append(v.Snapshots, s)
	}
	return all, nil
}
