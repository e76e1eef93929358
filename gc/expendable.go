package gc

import (
	"bytes"
	"slices"

	"chartkeep/chunk"
	"chartkeep/index"
)

// copiesAtOnce is how many chunks are looked up together, in the order of their
// IDs: so the index reads each of its pages once. In the order of packs it would
// read one for nearly every chunk, once they do not all fit in memory.
const copiesAtOnce = 1 << 17

// A needing is a marked chunk and the pack, to be deleted, that it lies in.
type needing struct {
	id   chunk.ID
	pack index.PackID
}

// expendable returns those of the packs that can go: every marked chunk in them
// lies, undamaged, in a pack that stays as well.
func (p *PrunePlan) expendable(packs []index.PackID) (map[index.PackID]bool, error) {
	doomed := map[index.PackID]bool{}
	for _, id := range packs {
		doomed[id] = true
	}
	var batch []needing
	for info, err := range p.index.Packs() {
		if err != nil {
			return nil, err
		}
		if !doomed[info.ID] {
			continue
		}
		d, err := p.index.Directory(info.ID)
		if err != nil {
			return nil, err
		}
		for _, id := range p.livePieces(d, info.First).ids {
			batch = append(batch, needing{id, info.ID})
		}
		if len(batch) >= copiesAtOnce {
			if err := p.spare(batch, doomed); err != nil {
				return nil, err
			}
			batch = batch[:0]
		}
	}
	if err := p.spare(batch, doomed); err != nil {
		return nil, err
	}
	for id := range doomed {
		delete(p.relied, id)
	}
	return doomed, nil
}

// spare takes out of doomed the packs with a chunk that no pack outside doomed
// holds undamaged. Packs only ever leave doomed, so what was found outside stays
// outside.
func (p *PrunePlan) spare(chunks []needing, doomed map[index.PackID]bool) error {
	slices.SortFunc(chunks, func(a, b needing) int { return bytes.Compare(a.id[:], b.id[:]) })
	for i := range chunks {
		c := &chunks[i]
		if !doomed[c.pack] {
			continue
		}
		places, err := p.index.Lookup(c.id)
		if err != nil {
			return err
		}
		elsewhere := slices.ContainsFunc(places, func(at index.Place) bool {
			return !doomed[at.Pack] && !p.damaged[index.DamagedBlock{Pack: at.Pack, Offset: at.BlockOffset}]
		})
		if !elsewhere {
			delete(doomed, c.pack)
			p.relied[c.pack] = true
		}
	}
	return nil
}
