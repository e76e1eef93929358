package repo

import (
	"context"
	"time"

	"chartkeep/index"
	"chartkeep/repo/pack"
)

// reserve makes room for a sealed block in the open pack of its class, and
// closes a pack that has none left. The caller calls sealing.Done.
func (w *Writer) reserve(b *openBlock, sealed int) ([]byte, *openPack, error) {
	blk := index.Block{Sealed: uint32(sealed), Plain: b.plain, Codec: b.codec, Chunks: b.chunks}
	slot := w.slot(b.class)
	slot.mu.Lock()
	defer slot.mu.Unlock()
	for {
		if slot.pack == nil {
			p, err := w.newPack(b.class)
			if err != nil {
				return nil, nil, err
			}
			slot.pack = p
		}
		if !slot.pack.full(b.class) {
			if room, ok := slot.pack.Reserve(sealed, blk); ok {
				slot.pack.sealing.Add(1)
				slot.pack.chunks += len(b.chunks)
				slot.pack.bytes += sealed
				slot.pack.blocks = append(slot.pack.blocks, b.chunks)
				return room, slot.pack, nil
			}
		}
		w.store(slot)
	}
}

// full reports whether the pack takes no more blocks, although there may be room.
func (p *openPack) full(c index.Class) bool {
	return p.chunks >= maxChunks || c == index.Meta && p.bytes >= metaBytes
}

func (w *Writer) newPack(c index.Class) (*openPack, error) {
	s, err := w.session()
	if err != nil {
		return nil, err
	}
	select {
	case b := <-w.slot(c).builders:
		if b == nil {
			b = pack.NewBuilder(w.r.config.Parity, packBox{w.r.box})
		}
		b.Reset(s.ID(), c)
		return &openPack{Builder: b}, nil
	case <-w.ctx.Done():
		return nil, w.failure()
	}
}

// store writes the slot's pack while the next one is filled. The slot's lock is
// held.
func (w *Writer) store(slot *packSlot) {
	p := slot.pack
	slot.pack = nil
	w.storing.Go(func() error {
		p.sealing.Wait()
		err := w.fail(w.storePack(p))
		if err != nil {
			w.giveUp(p)
		}
		if w.lean || p.chunks > manyChunks {
			p.Shed()
		}
		slot.builders <- p.Builder
		return err
	})
}

// manyChunks is how many chunks make it worth while to give a stored pack's memory
// back: small files take seconds to fill the next one, which is a second at most for
// dumps, and need memory for each chunk beside it.
const manyChunks = 12 << 10

// giveUp is for a pack that will not be stored, or not be known.
func (w *Writer) giveUp(p *openPack) {
	for _, chunks := range p.blocks {
		w.unclaim(chunks)
	}
}

func (w *Writer) storePack(p *openPack) error {
	done, err := p.Finish()
	if err != nil {
		return err
	}
	if err := w.r.store.Put(w.ctx, packName(done.ID), done.Parts...); err != nil {
		return err
	}
	w.ledger.notePack(done.ID)
	if err := w.index.Add(done.Directory); err != nil {
		return err
	}
	return w.publishWhenDue(done.Directory)
}

// publishEvery bounds what a crash makes useless until a repair, in packs;
// publishChunks what the index holds in memory of packs that no segment names.
const (
	publishEvery  = 64
	publishChunks = 1 << 18
)

func (w *Writer) publishWhenDue(d *index.Directory) error {
	w.recentMu.Lock()
	defer w.recentMu.Unlock()
	w.recent = append(w.recent, d.Pack)
	w.recentChunks += d.NumChunks()
	if len(w.recent) < publishEvery && w.recentChunks < publishChunks && time.Since(w.published) < w.publish {
		return nil
	}
	return w.publishRecent(w.ctx)
}

func (w *Writer) publishRecent(ctx context.Context) error {
	err := w.r.publishKnown(ctx, w.recent, w.ledger.noteSegment)
	if err == nil {
		w.recent, w.recentChunks, w.published = nil, 0, time.Now()
	}
	return err
}
