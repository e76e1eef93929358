package transfer

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"chartkeep/chunk"
	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/repo/storage"
)

// copier copies the blocks of one companion to the other.
type copier struct {
	*Plan
	w      *repo.Writer
	result *Result

	// Content that does not compress stays apart from what does.
	raw, zipped, trees *repo.Lane

	mu  sync.Mutex // for bad and result
	bad map[chunk.ID]error
}

// copyBlocks copies what is missing, and then the manifests that need it.
func (p *Plan) copyBlocks(ctx context.Context, r *Result) error {
	w, err := p.to.NewWriter(ctx, repo.WriterOptions{})
	if err != nil {
		return fmt.Errorf("target: %w", err)
	}
	defer w.Abort()
	c := &copier{
		Plan: p, w: w, result: r, bad: map[chunk.ID]error{},
		raw: w.Lane(index.Data), zipped: w.Lane(index.Data), trees: w.Lane(index.Meta),
	}
	for _, f := range p.faults {
		c.bad[f.ID] = f.Err
	}
	if err := c.copyPacks(ctx); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("target: %w", err)
	}
	r.Bytes, r.Packed = w.Added()
	r.Chunks = w.AddedChunks()
	return c.manifests(ctx)
}

// copyPacks reads the packs in order, a few at a time. The trees come when all
// content is on its way, so that packs fill with one of them.
func (c *copier) copyPacks(ctx context.Context) error {
	for _, class := range []index.Class{index.Data, index.Meta} {
		g, ctx := errgroup.WithContext(ctx)
		g.SetLimit(c.o.Workers)
		for _, part := range c.packs {
			if part.Class == class {
				g.Go(func() error { return c.copyPack(ctx, part) })
			}
		}
		if err := g.Wait(); err != nil {
			return err
		}
	}
	return nil
}

// request is what is read of a pack: pieces, their IDs, and of which blocks they
// are all.
type request struct {
	pieces []repo.Piece
	ids    []chunk.ID
	fresh  []bool // claimed, so to be stored
	whole  map[uint32][]index.Chunk
	cut    int64
}

func (c *copier) copyPack(ctx context.Context, part packPart) error {
	d, err := c.source.Directory(part.ID)
	if err != nil {
		return err
	}
	q, err := c.request(d, part.First)
	if err != nil {
		return err
	}
	stored := 0
	err = c.from.ReadPack(ctx, part.ID, q.pieces, func(got repo.Delivery) error {
		stored = got.From
		if err := c.take(d.Class, q, got); err != nil {
			return err
		}
		stored = got.To
		return nil
	})
	if err != nil {
		for i := stored; i < len(q.ids); i++ {
			if q.fresh[i] {
				c.target.Unclaim(q.ids[i])
			}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.result.Cut += q.cut
	return err
}

// mostly is how much of a block's plaintext has to be missing in the target for
// the block to be copied whole, in percent. What it holds twice then stays within
// what prune leaves.
const mostly = 95

// request claims the chunks of a pack that the target has to store.
func (c *copier) request(d *index.Directory, ordinal uint64) (*request, error) {
	q := &request{whole: map[uint32][]index.Chunk{}}
	for _, b := range d.Blocks {
		fresh, missing, needed := make([]bool, len(b.Chunks)), uint64(0), true
		for i, ch := range b.Chunks {
			var err error
			switch {
			case !c.marks.Has(ordinal):
				needed = false
			default:
				fresh[i], err = c.target.Claim(ch.ID)
			}
			if err != nil {
				return nil, err
			}
			if fresh[i] {
				missing += uint64(ch.Length)
			}
			ordinal++
		}
		if missing > 0 {
			q.add(b, fresh, needed && missing*100 >= uint64(b.Plain)*mostly)
		}
	}
	return q, nil
}

// add asks for a block: for all of it, or for what is fresh.
func (q *request) add(b index.Block, fresh []bool, whole bool) {
	offset := uint32(0)
	for i, ch := range b.Chunks {
		if whole || fresh[i] {
			q.pieces = append(q.pieces, repo.Piece{Block: b.Offset, Offset: offset, Length: ch.Length})
			q.ids = append(q.ids, ch.ID)
			q.fresh = append(q.fresh, fresh[i])
		}
		offset += ch.Length
	}
	if whole {
		q.whole[b.Offset] = b.Chunks
	} else {
		q.cut++
	}
}

// take stores what was read.
func (c *copier) take(class index.Class, q *request, got repo.Delivery) error {
	if got.Err != nil {
		return c.lose(q, got.From, got.Err)
	}
	chunks, whole := q.whole[q.pieces[got.From].Block]
	if whole && got.Whole != nil {
		return c.takeWhole(class, chunks, got)
	}
	lane := c.lane(class, got.Whole)
	data := got.Data
	for i := got.From; i < got.To; i++ {
		n := q.pieces[i].Length
		if q.fresh[i] {
			if err := lane.PutAgain(q.ids[i], data[:n]); err != nil {
				return fmt.Errorf("target: %w", err)
			}
			c.o.Progress.Bytes.Add(int64(n))
		}
		data = data[n:]
	}
	return nil
}

func (c *copier) takeWhole(class index.Class, chunks []index.Chunk, got repo.Delivery) error {
	if err := c.w.PutBlock(class, chunks, *got.Whole); err != nil {
		return fmt.Errorf("target: %w", err)
	}
	c.o.Progress.Bytes.Add(int64(len(got.Data)))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.result.Whole++
	return nil
}

func (c *copier) lane(class index.Class, whole *repo.Compressed) *repo.Lane {
	switch {
	case class == index.Meta:
		return c.trees
	case whole != nil && whole.Codec == index.Raw:
		return c.raw
	}
	return c.zipped
}

// lose notes a chunk that the source has lost. That the source itself has gone is
// another matter.
func (c *copier) lose(q *request, i int, err error) error {
	if errors.Is(err, storage.ErrAbsent) {
		return err
	}
	if q.fresh[i] {
		c.target.Unclaim(q.ids[i])
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bad[q.ids[i]] = err
	return nil
}

// manifests stores the manifests of all snapshots of which nothing is lost.
func (c *copier) manifests(ctx context.Context) error {
	whole := map[chunk.ID]bool{}
	for _, s := range c.Missing {
		if len(c.bad) > 0 {
			failed, err := c.damaged(ctx, s, c.bad, whole)
			if err != nil {
				return err
			}
			if failed != nil {
				c.result.Failed = append(c.result.Failed, failed)
				continue
			}
		}
		if err := c.store(ctx, c.w, c.result, s, &s.Root); err != nil {
			return err
		}
	}
	return nil
}
