package repo

import (
	"context"
	"errors"
	"fmt"
	"path"

	"chartkeep/index"
	"chartkeep/repo/pack"
	"chartkeep/repo/storage"
)

// RepairPack heals a damaged pack from its parity: the healed file, byte for
// byte what was written, takes the damaged one's place in one step. When the
// damage is beyond the parity the file stays as it is and the error says so;
// its undamaged blocks can still be read.
func (r *Repository) RepairPack(ctx context.Context, p index.PackID) error {
	healed, err := r.repaired(ctx, p)
	if err != nil {
		return fmt.Errorf("repair %s: %w", packName(p), err)
	}
	return storage.Replace(ctx, r.store, packName(p), healed)
}

// repaired returns a pack's whole file as it was written.
func (r *Repository) repaired(ctx context.Context, p index.PackID) ([]byte, error) {
	f, err := r.store.Open(ctx, packName(p))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return pack.Repair(f, f.Size(), p)
}

// IndexRepair is what RepairIndex will do, or did.
type IndexRepair struct {
	Broken  []string         // segments that cannot be read, or only with the help of their parity
	Adopted []index.PackID   // packs that no readable segment names
	Lost    map[string]error // packs whose directory cannot be read

	unread error // a segment is broken only in that the store does not give it
}

// PlanIndexRepair finds what is wrong with the index segments.
func (r *Repository) PlanIndexRepair(ctx context.Context) (*IndexRepair, []*index.Directory, error) {
	plan := &IndexRepair{Lost: map[string]error{}}
	named := map[index.PackID]bool{}
	var adopt []*index.Directory
	for info, err := range r.store.List(ctx, segmentFolder) {
		if err != nil {
			return nil, nil, err
		}
		name := path.Base(info.Name)
		dirs, healed, err := r.readSegment(ctx, name)
		if err != nil || healed {
			plan.Broken = append(plan.Broken, name)
			adopt = append(adopt, dirs...)
		}
		if _, ok := errors.AsType[unread](err); ok {
			plan.unread = fmt.Errorf("index segment %.8s: %w", name, err)
		}
		for _, d := range dirs {
			named[d.Pack] = true
		}
	}
	for info, err := range r.store.List(ctx, "packs") {
		if err != nil {
			return nil, nil, err
		}
		id, err := index.ParsePackID(path.Base(info.Name))
		if err != nil || named[id] {
			continue
		}
		d, err := r.ReadDirectory(ctx, id)
		if err != nil {
			plan.Lost[id.String()] = err
			continue
		}
		plan.Adopted = append(plan.Adopted, id)
		adopt = append(adopt, d)
	}
	return plan, adopt, nil
}

// RepairIndex publishes new segments for what the plan adopts, then removes the
// broken ones: in this order, so that at no moment a pack is named by none. When
// packs are lost as well, a segment that the store did not give may be all that
// names them: then all stay, and the error says why.
func (r *Repository) RepairIndex(ctx context.Context, plan *IndexRepair, adopt []*index.Directory) error {
	if err := r.publish(ctx, adopt); err != nil {
		return err
	}
	if plan.unread != nil && len(plan.Lost) > 0 {
		return fmt.Errorf("%d packs cannot be read, and what names them cannot either: %w", len(plan.Lost), plan.unread)
	}
	var errs []error
	for _, name := range plan.Broken {
		errs = append(errs, r.store.Remove(ctx, path.Join(segmentFolder, name)))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return r.SyncIndex(ctx)
}
