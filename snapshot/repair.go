package snapshot

import (
	"context"
	"fmt"

	"chartkeep/chunk"
	"chartkeep/repo"
	"chartkeep/sources"
)

// Repaired says what became of a snapshot that something was missing from.
type Repaired struct {
	Old, New *Snapshot
	Lost     []string // paths that the new snapshot marks as unreadable
}

// repairer rebuilds trees without what is lost.
type repairer struct {
	r    *repo.Repository
	lane *repo.Lane
	bad  func(chunk.ID) bool
	lost []string

	whole map[chunk.ID]bool // pieces of content lists
}

// Repair writes a copy of a snapshot in which every file whose content is lost,
// and every folder part of whose list is lost, is marked as unreadable; all
// else is kept. The old manifest stays. When nothing is lost New is nil. The
// caller flushes w before it calls Put on New.
func Repair(ctx context.Context, r *repo.Repository, w *repo.Writer, lane *repo.Lane, s *Snapshot, bad func(chunk.ID) bool) (*Repaired, error) {
	p := &repairer{r: r, lane: lane, bad: bad, whole: map[chunk.ID]bool{}}
	root, err := p.folder(ctx, []byte("/"), &s.Root)
	if err != nil {
		return nil, err
	}
	done := &Repaired{Old: s, Lost: p.lost}
	if len(p.lost) == 0 {
		return done, nil
	}
	edited := *s
	edited.ID, edited.Root, edited.Complete = "", *root, false
	edited.Original = s.ID
	done.New = &edited
	return done, nil
}

func (p *repairer) put(piece []byte) (chunk.ID, error) {
	id, _, err := p.lane.Put(piece)
	return id, err
}

// folder returns dir itself when nothing below it is lost, and otherwise a node
// with a new tree.
func (p *repairer) folder(ctx context.Context, path []byte, dir *Node) (*Node, error) {
	list := listWriter{put: p.put, nodes: true}
	before := len(p.lost)
	for n, err := range Tree(ctx, p.r, dir.Tree) {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			p.lost = append(p.lost, string(path))
			continue
		}
		if n, err = p.node(ctx, enter(path, n.Name), n); err != nil {
			return nil, err
		}
		if err := list.add(0, n.append(nil), 1, n.Name, cutAfterName(n.Name)); err != nil {
			return nil, err
		}
	}
	if len(p.lost) == before {
		return dir, nil
	}
	tree, err := list.finish(1)
	if err != nil {
		return nil, err
	}
	mended := *dir
	mended.Tree = tree
	for _, l := range p.lost[before:] {
		if l == string(path) {
			mended.State |= Unreadable
		}
	}
	return &mended, nil
}

func (p *repairer) node(ctx context.Context, path []byte, n *Node) (*Node, error) {
	if n.Meta.Kind == sources.Dir {
		return p.folder(ctx, path, n)
	}
	whole := wholeContent(ctx, p.r, n.Content, p.bad, p.whole)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if whole {
		return n, nil
	}
	p.lost = append(p.lost, string(path))
	marked := *n
	marked.Content, marked.State = List{}, n.State|Unreadable
	return &marked, nil
}

// Describe says in a sentence what a repair did.
func (r *Repaired) Describe() string {
	if r.New == nil {
		return fmt.Sprintf("snapshot %s is whole", r.Old.ID.Short())
	}
	return fmt.Sprintf("snapshot %s: %d paths are lost; %s holds the rest", r.Old.ID.Short(), len(r.Lost), r.New.ID.Short())
}
