package repo

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"

	"chartkeep/index"
)

// Removing packs writes first: segments that do not name them. On a drive that
// has no room for these at once, and no reserve, it goes in small steps:
//
//	remove the segments that name nothing else, and the packs that no segment names now
//	for each other segment, the smallest first:
//	    write what is left of it; remove it; remove the packs that no segment names now
//
// If there is no room even for the first of them, packs go ahead of the segments
// that name them. Cut off there, the index names packs that are not there and
// that nothing needs: a check says so, and the next prune ends it.

// tightRemoval is one such removal.
type tightRemoval struct {
	r       *Repository
	gone    map[index.PackID]bool
	naming  map[index.PackID]int // of gone: how many segments name it
	touched []touchedSegment
	ahead   []index.PackID // of gone, the largest first: what may go before its segments do
}

// touchedSegment is a segment that names packs of gone.
type touchedSegment struct {
	name string
	gone []index.PackID
	left int // bytes of plaintext for the packs that stay
}

func (r *Repository) removeTightly(ctx context.Context, gone map[index.PackID]bool) error {
	r.cleanTemp(ctx)
	t := &tightRemoval{r: r, gone: gone, naming: map[index.PackID]int{}}
	if err := t.survey(ctx); err != nil {
		return err
	}
	for _, s := range t.touched {
		if err := t.rewrite(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// survey finds the segments that name packs of gone, those first of which the
// least is left.
func (t *tightRemoval) survey(ctx context.Context) error {
	for info, err := range t.r.store.List(ctx, segmentFolder) {
		if err != nil {
			return err
		}
		s := touchedSegment{name: path.Base(info.Name)}
		dirs, err := t.r.intactSegment(ctx, s.name)
		if err != nil {
			return err
		}
		for _, d := range dirs {
			if t.gone[d.Pack] {
				s.gone = append(s.gone, d.Pack)
				t.naming[d.Pack]++
			} else {
				s.left += len(index.AppendDirectory(nil, d, true))
			}
		}
		if len(s.gone) > 0 {
			t.touched = append(t.touched, s)
		}
	}
	slices.SortFunc(t.touched, func(a, b touchedSegment) int { return cmp.Compare(a.left, b.left) })
	return t.sortAhead()
}

func (t *tightRemoval) sortAhead() error {
	size := map[index.PackID]uint32{}
	for info, err := range t.r.index.Packs() {
		if err != nil {
			return err
		}
		if t.gone[info.ID] {
			size[info.ID] = info.Size
			t.ahead = append(t.ahead, info.ID)
		}
	}
	slices.SortFunc(t.ahead, func(a, b index.PackID) int { return cmp.Compare(size[b], size[a]) })
	return nil
}

// rewrite replaces one segment by what is left of it, and removes the packs that
// none names then.
func (t *tightRemoval) rewrite(ctx context.Context, s touchedSegment) error {
	if s.left > 0 {
		if err := t.putRest(ctx, s); err != nil {
			return err
		}
	}
	if err := t.r.store.Remove(ctx, path.Join(segmentFolder, s.name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, p := range s.gone {
		if t.naming[p]--; t.naming[p] > 0 {
			continue
		}
		if err := t.r.removePackFile(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// putRest publishes what is left of a segment, if need be in the room of packs
// that are to go.
func (t *tightRemoval) putRest(ctx context.Context, s touchedSegment) error {
	dirs, err := t.r.intactSegment(ctx, s.name)
	if err != nil {
		return err
	}
	var plain []byte
	for _, d := range dirs {
		if !t.gone[d.Pack] {
			plain = index.AppendDirectory(plain, d, true)
		}
	}
	_, err = t.r.putSegment(ctx, plain)
	for noSpace(err) && len(t.ahead) > 0 {
		if removed := t.r.removePackFile(ctx, t.ahead[0]); removed != nil {
			return removed
		}
		t.ahead = t.ahead[1:]
		_, err = t.r.putSegment(ctx, plain)
	}
	return err
}
