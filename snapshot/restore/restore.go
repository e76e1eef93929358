package restore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"

	"chartkeep/repo"
	"chartkeep/snapshot"
	"chartkeep/sources"
	"chartkeep/sources/files"
)

// Options tune a restore. The zero value restores everything, replacing what is
// there.
type Options struct {
	// Select says whether a path is restored, and whether what lies below a
	// folder may be. Nil: everything.
	Select    func(path string, dir bool) (selected, below bool)
	Overwrite Overwrite
	Delete    bool // remove what the snapshot does not hold, below its folders
	Sparse    bool // leave runs of zeros as holes
	DryRun    bool
	Workers   int // packs read at a time; 0: 3

	Progress *Progress
	// Problem is told of what could not be restored; calls do not overlap.
	Problem func(path string, err error)
	// Item is told of every entry that is restored; nil: nobody asks. Calls do
	// not overlap.
	Item func(path, action string, n *snapshot.Node)
}

// Progress counts what is done. It may be read at any time.
type Progress struct {
	Files, Bytes, TotalFiles, TotalBytes atomic.Int64
}

// A Summary counts what was restored. Sizes are in bytes.
type Summary struct {
	Files, Skipped, Deleted, Bytes, Errors int64
}

// ErrSpace says that what is restored does not fit.
var ErrSpace = errors.New("not enough free space for what is restored")

type run struct {
	r    *repo.Repository
	sink Sink
	o    Options

	batch   *batch
	parents []*parent        // the folders above, from the root on, that are not selected themselves
	links   map[inode]string // first path of each file with several

	mu      sync.Mutex // for Problem, Item and summary
	summary Summary
}

type inode struct{ device, number uint64 }

// parent is a folder that comes back only if something in it does.
type parent struct {
	path []byte
	node *snapshot.Node
	made bool
}

// Run restores root and what lies below it. When root is a folder its content
// comes to lie in the sink's root; a file comes to lie there under its name. An
// error means that the restore could not go on; problems with single items are
// counted in the summary.
func Run(ctx context.Context, r *repo.Repository, root *snapshot.Node, sink Sink, o Options) (Summary, error) {
	if o.Progress == nil {
		o.Progress = new(Progress)
	}
	if o.Problem == nil {
		o.Problem = func(string, error) {}
	}
	if o.Select == nil {
		o.Select = func(string, bool) (bool, bool) { return true, true }
	}
	if o.Workers == 0 {
		o.Workers = 3
	}
	x := &run{r: r, sink: sink, o: o, links: map[inode]string{}}
	x.batch = newBatch()
	if err := x.preflight(ctx, root); err != nil {
		return x.summary, err
	}
	if err := x.top(ctx, root); err != nil {
		return x.summary, err
	}
	return x.summary, x.flush(ctx)
}

func (x *run) top(ctx context.Context, root *snapshot.Node) error {
	if root.Meta.Kind == sources.Dir {
		return x.folder(ctx, nil, root, true)
	}
	return x.node(ctx, []byte(root.Name), root)
}

// problem reports that one item could not be restored.
func (x *run) problem(path string, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.summary.Errors++
	x.o.Problem(path, err)
}

func (x *run) item(path, action string, n *snapshot.Node) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch action {
	case "skipped":
		x.summary.Skipped++
	case "deleted":
		x.summary.Deleted++
	default:
		if n.Meta.Kind != sources.Dir {
			x.summary.Files++
			x.o.Progress.Files.Add(1)
		}
	}
	if x.o.Item != nil {
		x.o.Item(path, action, n)
	}
}

// folder restores a folder's content, and the folder when something in it is
// selected. The metadata waits until all in it is written, as writing changes
// a folder's times.
func (x *run) folder(ctx context.Context, path []byte, dir *snapshot.Node, selected bool) error {
	self := &parent{path: path, node: dir, made: selected}
	if selected {
		if err := x.mkdir(string(path), dir); err != nil {
			x.problem(string(path), err)
			return nil
		}
	}
	x.parents = append(x.parents, self)
	defer func() { x.parents = x.parents[:len(x.parents)-1] }()
	var names map[string]bool
	if x.o.Delete && selected {
		names = map[string]bool{}
	}
	for n, err := range snapshot.Tree(ctx, x.r, dir.Tree) {
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			x.problem(string(path), fmt.Errorf("part of this folder's list cannot be read: %w", err))
			names = nil // what is not known is not deleted
			continue
		}
		if names != nil {
			names[n.Name] = true
		}
		if err := x.node(ctx, enter(path, n.Name), n); err != nil {
			return err
		}
	}
	if dir.State&snapshot.Unreadable != 0 {
		names = nil
	}
	if names != nil {
		x.deleteOthers(string(path), names)
	}
	if self.made {
		x.batch.complete(folder{string(path), dir})
	}
	if x.batch.full() {
		return x.flush(ctx)
	}
	return nil
}

// enter is the path of a name in a folder. It lies in the memory of the folder's
// path, and is good until the next name is entered.
func enter(dir []byte, name string) []byte {
	if len(dir) > 0 {
		dir = append(dir, '/')
	}
	return append(dir, name...)
}

func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}

// mkdir makes a folder, and those above it that were not wanted so far.
func (x *run) mkdir(path string, dir *snapshot.Node) error {
	if err := x.makeParents(); err != nil || x.o.DryRun {
		return err
	}
	if path != "" {
		x.item(path, "restored", dir)
	}
	return x.sink.Mkdir(path)
}

func (x *run) makeParents() error {
	for _, p := range x.parents {
		if p.made {
			continue
		}
		if !x.o.DryRun {
			path := string(p.path)
			if err := x.sink.Mkdir(path); err != nil {
				return err
			}
			x.item(path, "restored", p.node)
		}
		p.made = true
	}
	return nil
}

// deleteOthers removes what lies in a folder and not in the snapshot.
func (x *run) deleteOthers(path string, names map[string]bool) {
	there, err := x.sink.List(path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		x.problem(path, err)
		return
	}
	for _, name := range there {
		p := join(path, name)
		if selected, _ := x.o.Select(p, false); names[name] || !selected {
			continue
		}
		if !x.o.DryRun {
			if err := x.sink.RemoveAll(p); err != nil {
				x.problem(p, err)
				continue
			}
		}
		x.item(p, "deleted", nil)
	}
}

func (x *run) node(ctx context.Context, at []byte, n *snapshot.Node) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	isDir := n.Meta.Kind == sources.Dir
	path := string(at)
	selected, below := x.o.Select(path, isDir)
	if isDir {
		if selected || below {
			return x.folder(ctx, at, n, selected)
		}
		return nil
	}
	if !selected {
		return nil
	}
	skip, err := x.keeps(path, n)
	if err != nil {
		x.problem(path, err)
		return nil
	}
	if skip {
		if x.o.Overwrite == IfChanged { // it is what would be restored, and its other names are its links
			x.linked(path, n)
		}
		x.item(path, "skipped", n)
		return nil
	}
	return x.restore(ctx, path, n)
}

// keeps reports whether what is at path stays, by the overwrite policy.
func (x *run) keeps(path string, n *snapshot.Node) (bool, error) {
	if x.o.Overwrite == Always {
		return false, nil
	}
	is, err := x.sink.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if is.Kind == sources.Regular && is.Mode == files.Unfinished && n.Meta.Mode != files.Unfinished {
		return false, nil // what a restore that was cut off has left
	}
	switch x.o.Overwrite {
	case IfChanged:
		return is.Kind == n.Meta.Kind && is.Size == n.Meta.Size && is.MTime == n.Meta.MTime, nil
	case IfNewer:
		return is.MTime.Compare(n.Meta.MTime) >= 0, nil
	}
	return true, nil
}

// restore makes one entry that is no folder, or plans it.
func (x *run) restore(ctx context.Context, path string, n *snapshot.Node) error {
	if n.State&snapshot.Unreadable != 0 {
		x.problem(path, errors.New("could not be read when the snapshot was made, so there is nothing to restore"))
		return nil
	}
	if err := x.makeParents(); err != nil {
		x.problem(path, err)
		return nil
	}
	if to, ok := x.linked(path, n); ok {
		x.batch.link(link{path, to, n})
		return nil
	}
	if n.Meta.Kind == sources.Regular {
		return x.file(ctx, path, n)
	}
	if !x.o.DryRun {
		makeIt := x.sink.Special
		if n.Meta.Kind == sources.Symlink {
			makeIt = x.sink.Symlink
		}
		if err := makeIt(path, n.Meta, n.Attributes); err != nil {
			x.problem(path, err)
			return nil
		}
	}
	x.item(path, "restored", n)
	return nil
}

func (x *run) file(ctx context.Context, path string, n *snapshot.Node) error {
	if x.o.DryRun {
		x.summary.Bytes += n.Meta.Size
		x.item(path, "restored", n)
		return nil
	}
	f := &file{run: x, path: path, node: n}
	if err := x.batch.add(ctx, x.r, f); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		f.fail(err)
		return nil
	}
	if x.batch.full() {
		return x.flush(ctx)
	}
	return nil
}

// flush restores what is planned.
func (x *run) flush(ctx context.Context) error {
	b := x.batch
	x.batch = newBatch()
	if err := b.read(ctx, x.r, x.o.Workers, writePieces); err != nil {
		return err
	}
	for _, f := range b.files {
		f.finishEmpty()
	}
	for _, l := range b.links {
		x.link(l)
	}
	for _, d := range b.folders {
		if x.o.DryRun {
			continue
		}
		if err := x.sink.SetMeta(d.path, d.node.Meta, d.node.Attributes); err != nil {
			x.problem(d.path, err)
		}
	}
	return ctx.Err()
}
