package repo

import (
	"context"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"chartkeep/index"
	"chartkeep/repo/crypt"
	"chartkeep/repo/pack"
)

// data looks at the structure, then at the packs of ReadData. These are read whole,
// one at a time, the first while the structure is looked at, and each other while
// the one before is: drives are fastest so, and turning ones seek least.
func (c *checker) data(ctx context.Context, structure func(context.Context) error) error {
	rooms := make(chan *packRoom, 2)
	for range cap(rooms) {
		room := new(packRoom)
		defer room.release()
		rooms <- room
	}
	g, ctx := errgroup.WithContext(ctx)
	read := make(chan packRead)
	g.Go(func() error {
		defer close(read)
		return c.readPacks(ctx, rooms, read)
	})
	g.Go(func() error {
		if err := structure(ctx); err != nil {
			return err
		}
		for got := range read {
			if err := c.judge(ctx, got); err != nil {
				return err
			}
			rooms <- got.room
		}
		return nil
	})
	return g.Wait()
}

func (c *checker) readPacks(ctx context.Context, rooms <-chan *packRoom, read chan<- packRead) error {
	for _, p := range c.o.ReadData {
		if c.o.More != nil && !c.o.More() {
			return nil
		}
		var room *packRoom
		select {
		case room = <-rooms:
		case <-ctx.Done():
			return ctx.Err()
		}
		select {
		case read <- c.r.readWhole(ctx, p, room):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// judge checks all that one pack holds. Only the end of ctx is an error.
func (c *checker) judge(ctx context.Context, got packRead) error {
	p, err := got.id, got.err
	if err == nil {
		err = pack.Verify(got.data, p).Err()
	}
	if err == nil {
		err = c.r.verifyBlocks(ctx, p, got.data)
	}
	c.o.Progress.Packs.Add(1)
	c.o.Progress.Bytes.Add(int64(len(got.data)))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if c.told[p] {
		return nil
	}
	if err != nil {
		f := c.examine(ctx, p, err)
		f.File, f.Pack = packName(p), p
		c.fault(*f)
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.o.Verified != nil {
		c.o.Verified(p)
	}
	return nil
}

// packRoom is memory for one pack after the other. It takes no more than what was
// read into it, and only a pack longer than usual makes it grow.
type packRoom struct {
	region []byte
	free   func()
}

// usualPack is more than a writer with the usual parity puts into a file, bytes.
const usualPack = pack.TargetSize + pack.TargetSize/8

// bytes returns room for n bytes; what was there before is gone.
func (m *packRoom) bytes(n int64) []byte {
	if n > int64(len(m.region)) {
		m.release()
		m.region, m.free = pack.Region(int(max(n, usualPack)))
	}
	return m.region[:n]
}

func (m *packRoom) release() {
	if m.free != nil {
		m.free()
	}
	m.region, m.free = nil, nil
}

// packRead is a pack's file in memory, or why it is not there.
type packRead struct {
	id   index.PackID
	room *packRoom
	data []byte
	err  error
}

// readWhole reads a pack's file into room.
func (r *Repository) readWhole(ctx context.Context, p index.PackID, room *packRoom) packRead {
	got := packRead{id: p, room: room}
	f, err := r.store.Open(ctx, packName(p))
	if err != nil {
		got.err = err
		return got
	}
	defer f.Close()
	if f.Size() > pack.MaxSize {
		got.err = fmt.Errorf("the pack is too long: %w", ErrDamaged)
		return got
	}
	b := room.bytes(f.Size())
	if got.err = readFull(f, b, 0); got.err != nil {
		return got
	}
	got.data = b
	return got
}

// verifyBlocks checks every block and chunk of a pack that is in memory. The bytes
// are used up.
func (r *Repository) verifyBlocks(ctx context.Context, p index.PackID, data []byte) error {
	bad, err := r.badBlocks(ctx, p, data)
	if err == nil && len(bad) > 0 {
		err = fmt.Errorf("%d blocks do not open, though the file is as it was written: %w", len(bad), ErrDamaged)
	}
	return err
}

// blocksAtOnce is how many blocks of a pack are opened at a time.
const blocksAtOnce = 2

// badBlocks opens every block of a pack that is in memory and computes every
// chunk's ID. The bytes are used up.
func (r *Repository) badBlocks(ctx context.Context, p index.PackID, data []byte) (bad []index.DamagedBlock, err error) {
	ix, err := r.Index(ctx)
	if err != nil {
		return nil, err
	}
	d, err := ix.Directory(p)
	if err != nil {
		return nil, err
	}
	opened := make([]bool, len(d.Blocks))
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range blocksAtOnce {
		g.Go(func() error {
			pr := packReader{r: r, dir: d}
			for i := next.Add(1) - 1; i < int64(len(d.Blocks)); i = next.Add(1) - 1 {
				if err := ctx.Err(); err != nil {
					return err
				}
				opened[i] = pr.good(ctx, data, &d.Blocks[i])
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for i := range d.Blocks {
		if !opened[i] {
			bad = append(bad, index.DamagedBlock{Pack: p, Offset: d.Blocks[i].Offset})
		}
	}
	return bad, nil
}

func (pr *packReader) good(ctx context.Context, data []byte, b *index.Block) bool {
	if uint64(b.Offset)+uint64(b.Sealed) > uint64(len(data)) || b.Sealed < crypt.Overhead {
		return false
	}
	plain, err := pr.open(ctx, data[b.Offset:b.Offset+b.Sealed], b)
	if err != nil {
		return false
	}
	var offset uint32
	for _, c := range b.Chunks {
		if _, err := pr.r.verify(plain, offset, c.Length, c.ID); err != nil {
			return false
		}
		offset += c.Length
	}
	return true
}
