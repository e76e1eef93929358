package repo

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"chartkeep/index"
	"chartkeep/repo/crypt"
	"chartkeep/repo/storage"
)

// RemovePacks deletes packs, those that no segment names, and the sessions that
// nothing is sealed with any more. The caller holds the exclusive lock and
// knows that nothing needs them. Segments without the packs are published
// before the old segments go, and those go before the packs: wherever it is cut
// off, what is left is whole, and a second call ends the work.
func (r *Repository) RemovePacks(ctx context.Context, gone map[index.PackID]bool) error {
	if err := r.SyncIndex(ctx); err != nil {
		return err
	}
	// What needs no writing goes first: a full drive has room for the rest then.
	unlisted, err := r.UnlistedPacks(ctx)
	if err != nil {
		return err
	}
	for _, p := range unlisted {
		if err := r.removePackFile(ctx, p); err != nil {
			return err
		}
	}
	// Adopted packs are named first, those of gone too: only what a segment names
	// does the index forget when the segment goes.
	if err := r.withReserve(ctx, func() error { return r.nameAdopted(ctx, nil) }); err != nil {
		return err
	}
	err = r.withReserve(ctx, func() error { return r.rewriteSegments(ctx, gone) })
	if noSpace(err) {
		err = r.removeTightly(ctx, gone)
	}
	if err != nil {
		return err
	}
	for p := range gone {
		if err := r.removePackFile(ctx, p); err != nil {
			return err
		}
	}
	if err := r.SyncIndex(ctx); err != nil {
		return err
	}
	r.completeAllTwins(ctx) // before the traces of the runs that left them open
	r.cleanTemp(ctx)
	return r.removeSessions(ctx)
}

func (r *Repository) removePackFile(ctx context.Context, p index.PackID) error {
	if err := r.store.Remove(ctx, packName(p)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove pack: %w", err)
	}
	return nil
}

// tempAge is how old what a killed run left half written must be to be removed;
// the store itself never touches a living run's.
const tempAge = time.Hour

func (r *Repository) cleanTemp(ctx context.Context) {
	if _, err := storage.CleanTemp(ctx, r.store, tempAge); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		r.options.Warn(fmt.Errorf("remove what a killed run left: %w", err))
	}
}

// Small segments are put together when there are this many.
const (
	smallSegment      = 256 << 10
	mergeSegmentsFrom = 16
)

// rewriteSegments publishes anew what is left of the segments that name a pack
// of gone, and puts small segments together.
func (r *Repository) rewriteSegments(ctx context.Context, gone map[index.PackID]bool) (err error) {
	var names, small []string
	for info, err := range r.store.List(ctx, segmentFolder) {
		if err != nil {
			return err
		}
		names = append(names, path.Base(info.Name))
		if info.Size < smallSegment {
			small = append(small, path.Base(info.Name))
		}
	}
	merge := map[string]bool{}
	if len(small) >= mergeSegmentsFrom {
		for _, n := range small {
			merge[n] = true
		}
	}
	m := segmentMerge{r: r, gone: gone, seen: map[index.PackID]bool{}}
	for _, n := range names {
		if err = m.take(ctx, n, merge[n]); err != nil {
			break
		}
	}
	if err == nil {
		err = m.put(ctx)
	}
	if err != nil {
		m.giveUp(ctx)
		return err
	}
	return m.removeOld(ctx)
}

// segmentMerge gathers directories from old segments into new ones.
type segmentMerge struct {
	r     *Repository
	gone  map[index.PackID]bool
	seen  map[index.PackID]bool
	plain []byte

	fresh, old []string
}

func (m *segmentMerge) take(ctx context.Context, name string, merge bool) error {
	dirs, err := m.r.intactSegment(ctx, name)
	if err != nil {
		return err
	}
	for _, d := range dirs {
		merge = merge || m.gone[d.Pack]
	}
	if !merge {
		return nil
	}
	m.old = append(m.old, name)
	for _, d := range dirs {
		if m.gone[d.Pack] || m.seen[d.Pack] {
			continue
		}
		m.seen[d.Pack] = true
		m.plain = index.AppendDirectory(m.plain, d, true)
		if len(m.plain) >= segmentPlain {
			if err := m.put(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// intactSegment reads a segment that must not be guessed at.
func (r *Repository) intactSegment(ctx context.Context, name string) ([]*index.Directory, error) {
	dirs, _, err := r.readSegment(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("index segment %.8s: %w; to mend it: chartkeep repair index", name, err)
	}
	return dirs, nil
}

func (m *segmentMerge) put(ctx context.Context) error {
	if len(m.plain) == 0 {
		return nil
	}
	name, err := m.r.putSegment(ctx, m.plain)
	m.plain = m.plain[:0]
	if err == nil {
		m.fresh = append(m.fresh, name)
	}
	return err
}

// giveUp removes what was written before there was no room for the rest: the old
// segments are still there.
func (m *segmentMerge) giveUp(ctx context.Context) {
	for _, n := range m.fresh {
		m.r.store.Remove(ctx, path.Join(segmentFolder, n))
	}
}

func (m *segmentMerge) removeOld(ctx context.Context) error {
	for _, n := range m.old {
		if err := m.r.store.Remove(ctx, path.Join(segmentFolder, n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// removeSessions deletes the sessions that no pack and no document uses.
func (r *Repository) removeSessions(ctx context.Context) error {
	used := map[string]bool{}
	for info, err := range r.index.Packs() {
		if err != nil {
			return err
		}
		used[hex.EncodeToString(info.Session[:])] = true
	}
	for _, kind := range documentKinds {
		ids, err := r.ListDocuments(ctx, kind)
		if err != nil {
			return err
		}
		sessions := make([]crypt.SessionID, len(ids))
		err = eachSmall(ctx, len(ids), func(i int) (err error) {
			sessions[i], err = r.documentSession(ctx, kind, ids[i])
			if kind == Log && errors.Is(err, ErrDamaged) {
				return nil // nothing that was saved depends on it
			}
			return err
		})
		if err != nil {
			return err
		}
		for _, s := range sessions {
			used[s.String()] = true
		}
	}
	discarded, broken, err := r.binEntries(ctx)
	if err != nil || len(broken) > 0 { // what those need is not known
		return err
	}
	for _, d := range discarded {
		used[hex.EncodeToString(d.file[len(documentMagic):documentHead])] = true
	}
	names, err := listTwins(ctx, r.store, sessionFolder)
	if err != nil {
		return err
	}
	for _, n := range names {
		if !used[n] {
			if err := removeTwins(ctx, r.store, path.Join(sessionFolder, n)); err != nil {
				return err
			}
		}
	}
	return nil
}

// documentSession reads which session sealed a document.
func (r *Repository) documentSession(ctx context.Context, kind DocumentKind, id DocumentID) (s crypt.SessionID, err error) {
	head := len(documentMagic)
	_, err = readTwins(ctx, r.store, path.Join(string(kind), string(id)), func(b []byte) error {
		if len(b) < head+len(s) || documentWhole(string(id), b) != nil {
			return ErrDamaged
		}
		copy(s[:], b[head:])
		return nil
	})
	return s, err
}

// SpaceFree is how much more the repository's store can take, in bytes.
func (r *Repository) SpaceFree(ctx context.Context) (free, total uint64, err error) {
	return storage.FreeSpace(ctx, r.store)
}
