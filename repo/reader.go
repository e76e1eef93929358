package repo

import (
	"context"
	"errors"
	"fmt"

	"chartkeep/chunk"
	"chartkeep/index"
	"chartkeep/repo/crypt"
	"chartkeep/repo/pack"
	"chartkeep/repo/storage"
)

// ErrMissing says that no pack is known to hold a chunk.
var ErrMissing = errors.New("not in the repository")

// A ChunkError says which chunk could not be read, and where it was sought.
type ChunkError struct {
	ID   chunk.ID
	Pack index.PackID // the last place tried; zero when there is none
	Err  error
}

func (e *ChunkError) Error() string {
	if e.Pack.IsZero() {
		return fmt.Sprintf("chunk %.8s: %v", e.ID, e.Err)
	}
	return fmt.Sprintf("chunk %.8s in pack %.8s: %v", e.ID, e.Pack, e.Err)
}

func (e *ChunkError) Unwrap() error { return e.Err }

// Load returns a chunk's plaintext. Its ID is computed again before it is
// returned. The caller must not change it. Where a place is damaged the next
// one is tried, then the parity of each.
func (r *Repository) Load(ctx context.Context, id chunk.ID) ([]byte, error) {
	places, err := r.Places(ctx, id)
	if err != nil {
		return nil, err
	}
	failed := &ChunkError{ID: id, Err: ErrMissing}
	for _, read := range []func(context.Context, index.Place) ([]byte, error){r.block, r.mendedBlock} {
		for _, p := range places {
			b, err := read(ctx, p)
			if err == nil {
				b, err = r.verify(b, p.Offset, p.Length, id)
			}
			if err == nil {
				return b, nil
			}
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			failed.Pack, failed.Err = p.Pack, err
		}
	}
	return nil, failed
}

// verify cuts a chunk out of a block and computes its ID again.
func (r *Repository) verify(block []byte, offset, length uint32, id chunk.ID) ([]byte, error) {
	if uint64(offset)+uint64(length) > uint64(len(block)) {
		return nil, fmt.Errorf("the index places it outside its block: %w", ErrDamaged)
	}
	data := block[offset : offset+length : offset+length]
	if r.hasher.Sum(data) != id {
		return nil, fmt.Errorf("content does not have this ID: %w", ErrDamaged)
	}
	return data, nil
}

// block returns the plaintext of the block at a place, from the cache or from
// its pack.
func (r *Repository) block(ctx context.Context, p index.Place) ([]byte, error) {
	key := blockKey{p.Pack, p.BlockOffset}
	if b := r.blocks.get(key); b != nil {
		return b, nil
	}
	f, err := r.store.Open(ctx, packName(p.Pack))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	sealed := make([]byte, p.BlockSealed)
	if err := readFull(f, sealed, int64(p.BlockOffset)); err != nil {
		return nil, err
	}
	b, err := r.openBlock(ctx, sealed, blockOf(p), p.Session, p.Class)
	if err == nil {
		r.blocks.add(key, b)
	}
	return b, err
}

func blockOf(p index.Place) index.Block {
	return index.Block{Offset: p.BlockOffset, Sealed: p.BlockSealed, Plain: p.BlockPlain, Codec: p.Codec}
}

func readFull(f storage.File, b []byte, off int64) error {
	if off+int64(len(b)) > f.Size() {
		return fmt.Errorf("the file ends before this block: %w", ErrDamaged)
	}
	_, err := f.ReadAt(b, off)
	return err
}

// openBlock opens and decompresses a sealed block. The sealed bytes are used up.
func (r *Repository) openBlock(ctx context.Context, sealed []byte, b index.Block, session [16]byte, c index.Class) ([]byte, error) {
	s, err := r.session(ctx, session)
	if err != nil {
		return nil, err
	}
	payload, err := s.Open(sealed[crypt.NonceSize:crypt.NonceSize], sealed, sealedAs(c))
	if err != nil {
		return nil, fmt.Errorf("block at %d: %w: %w", b.Offset, ErrDamaged, err)
	}
	if b.Codec == index.Raw && len(payload) == int(b.Plain) {
		return payload, nil
	}
	return r.codec.Decode(nil, payload, b.Codec, int(b.Plain))
}

// mendedBlock reads a block from its pack after as much of the pack as parity
// allows has been mended in memory. The pack's file is not touched: that is
// what a repair is for.
func (r *Repository) mendedBlock(ctx context.Context, p index.Place) ([]byte, error) {
	data, err := r.mended(ctx, p.Pack)
	if err != nil {
		return nil, err
	}
	end := uint64(p.BlockOffset) + uint64(p.BlockSealed)
	if end > uint64(len(data)) {
		return nil, ErrDamaged
	}
	sealed := append([]byte(nil), data[p.BlockOffset:end]...)
	b, err := r.openBlock(ctx, sealed, blockOf(p), p.Session, p.Class)
	if err == nil {
		r.options.Warn(fmt.Errorf("pack %.8s is damaged; read with the help of its parity. To mend it: chartkeep repair packs", p.Pack))
		r.blocks.add(blockKey{p.Pack, p.BlockOffset}, b)
	}
	return b, err
}

// mendedPack is the pack that was mended last; damage comes in runs.
type mendedPack struct {
	id   index.PackID
	data []byte
}

func (r *Repository) mended(ctx context.Context, id index.PackID) ([]byte, error) {
	r.mendedMu.Lock()
	defer r.mendedMu.Unlock()
	if r.healed.id == id {
		return r.healed.data, nil
	}
	f, err := r.store.Open(ctx, packName(id))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, _, err := pack.Mend(f, f.Size(), id)
	if err == nil {
		r.healed = mendedPack{id, data}
	}
	return data, err
}
