package repo

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"sync"

	"chartkeep/chunk"
	"chartkeep/index"
	"chartkeep/repo/crypt"
	"chartkeep/repo/storage"
)

// A Piece is a chunk by its place in a pack. Pieces compare in the order in
// which a pack is read.
type Piece struct {
	Block  uint32 // offset of the block in the pack file
	Offset uint32 // of the chunk in the block's plaintext
	Length uint32
}

// PieceOf returns the piece that a place names.
func PieceOf(p index.Place) Piece { return Piece{p.BlockOffset, p.Offset, p.Length} }

// Less orders pieces as they lie in the pack.
func (p Piece) Less(q Piece) bool {
	return p.Block < q.Block || p.Block == q.Block && p.Offset < q.Offset
}

// Readahead is how much of a pack is read with one call, and how large a gap
// between two wanted blocks is read over rather than skipped, bytes.
const (
	readAtOnce = 2 << 20
	readOver   = 128 << 10
)

var readBuffers = sync.Pool{New: func() any { b := make([]byte, readAtOnce); return &b }}

// A Delivery is the plaintext of pieces [From, To) that lie back to back in
// their block, or the error that stands for the one piece From. The data is
// valid during the call only.
type Delivery struct {
	From, To int
	Data     []byte
	Err      error
	Whole    *Compressed // when the pieces are a whole block of this pack
}

// Compressed is a block's payload: what was sealed of it. It is valid as long as
// the delivery that it came with.
type Compressed struct {
	Codec   index.Codec
	Payload []byte
}

// ReadPack reads pieces of one pack, sorted by Less, and delivers them in this
// order. The pack is read once and in order, every needed block is opened once,
// and every chunk's ID is computed again. A chunk that cannot be had from this
// pack is sought with Load; when that fails too, its delivery carries the error
// (a *ChunkError), and the others go on. An error of deliver ends the reading.
func (r *Repository) ReadPack(ctx context.Context, p index.PackID, pieces []Piece, deliver func(Delivery) error) error {
	ix, err := r.Index(ctx)
	if err != nil {
		return err
	}
	dir, err := ix.Directory(p)
	if err != nil {
		return err
	}
	pr := packReader{r: r, dir: dir, pieces: pieces, deliver: deliver}
	pr.file, pr.closed = r.store.Open(ctx, packName(p))
	if ctx.Err() != nil || errors.Is(pr.closed, storage.ErrAbsent) {
		return pr.closed
	}
	if pr.closed == nil {
		defer pr.file.Close()
	}
	return pr.run(ctx)
}

// packReader walks the pieces of one pack.
type packReader struct {
	r       *Repository
	dir     *index.Directory
	file    storage.File
	closed  error // why there is no file
	pieces  []Piece
	deliver func(Delivery) error
	plain   []byte     // reused between blocks
	whole   Compressed // the block that was opened last
}

// run cuts the wanted blocks into stretches that are read with one call.
func (pr *packReader) run(ctx context.Context) error {
	blocks, err := pr.wantedBlocks()
	if err != nil {
		return err
	}
	buf := readBuffers.Get().(*[]byte)
	defer readBuffers.Put(buf)
	next := 0
	for len(blocks) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := stretch(blocks)
		if next, err = pr.readStretch(ctx, blocks[:n], buf, next); err != nil {
			return err
		}
		blocks = blocks[n:]
	}
	return nil
}

// wantedBlocks returns the directory's blocks that hold a piece, in order.
func (pr *packReader) wantedBlocks() ([]*index.Block, error) {
	var wanted []*index.Block
	for i, piece := range pr.pieces {
		if i > 0 && piece.Block == pr.pieces[i-1].Block {
			continue
		}
		all := pr.dir.Blocks
		k := sort.Search(len(all), func(k int) bool { return all[k].Offset >= piece.Block })
		if k == len(all) || all[k].Offset != piece.Block {
			return nil, fmt.Errorf("pack %.8s has no block at %d: %w", pr.dir.Pack, piece.Block, ErrDamaged)
		}
		wanted = append(wanted, &all[k])
	}
	return wanted, nil
}

// stretch counts the blocks from the first on that one read call covers.
func stretch(blocks []*index.Block) int {
	start := blocks[0].Offset
	end := start + blocks[0].Sealed
	n := 1
	for n < len(blocks) {
		b := blocks[n]
		if b.Offset-end > readOver || b.Offset+b.Sealed-start > readAtOnce {
			break
		}
		end = b.Offset + b.Sealed
		n++
	}
	return n
}

func (pr *packReader) readStretch(ctx context.Context, blocks []*index.Block, buf *[]byte, next int) (int, error) {
	start := blocks[0].Offset
	last := blocks[len(blocks)-1]
	length := int(last.Offset + last.Sealed - start)
	if length > len(*buf) {
		*buf = make([]byte, length)
	}
	sealed := (*buf)[:length]
	readErr := pr.closed
	if readErr == nil {
		readErr = readFull(pr.file, sealed, int64(start))
	}
	for _, b := range blocks {
		end := next
		for end < len(pr.pieces) && pr.pieces[end].Block == b.Offset {
			end++
		}
		plain, err := []byte(nil), readErr
		if err == nil {
			plain, err = pr.open(ctx, sealed[b.Offset-start:][:b.Sealed], b)
		}
		if err := pr.block(ctx, b, plain, err, next, end); err != nil {
			return end, err
		}
		next = end
	}
	return next, nil
}

// open is openBlock with a buffer that is used again.
func (pr *packReader) open(ctx context.Context, sealed []byte, b *index.Block) ([]byte, error) {
	s, err := pr.r.session(ctx, pr.dir.Session)
	if err != nil {
		return nil, err
	}
	payload, err := s.Open(sealed[crypt.NonceSize:crypt.NonceSize], sealed, sealedAs(pr.dir.Class))
	if err != nil {
		return nil, err
	}
	pr.whole = Compressed{b.Codec, payload}
	if b.Codec == index.Raw && len(payload) == int(b.Plain) {
		return payload, nil
	}
	pr.plain, err = pr.r.codec.Decode(pr.plain[:0], payload, b.Codec, int(b.Plain))
	return pr.plain, err
}

// block delivers the wanted pieces [from, to) of an opened block, as many at a
// time as lie back to back.
func (pr *packReader) block(ctx context.Context, b *index.Block, plain []byte, blockErr error, from, to int) error {
	ids, err := pr.ids(b, from, to)
	if err != nil {
		return err
	}
	for from < to {
		n := 0
		if blockErr == nil {
			n = pr.verified(plain, ids, from, to)
		}
		d := Delivery{From: from, To: from + n}
		if n > 0 {
			last := pr.pieces[from+n-1]
			d.Data = plain[pr.pieces[from].Offset : last.Offset+last.Length]
			if len(d.Data) == int(b.Plain) {
				d.Whole = &pr.whole
			}
		} else {
			d.To = from + 1
			d.Data, d.Err = pr.r.Load(ctx, ids[0])
		}
		if err := pr.deliver(d); err != nil {
			return err
		}
		ids = ids[d.To-from:]
		from = d.To
	}
	return nil
}

// verified counts the pieces from the first on that lie back to back and have
// their IDs.
func (pr *packReader) verified(plain []byte, ids []chunk.ID, from, to int) (n int) {
	end := pr.pieces[from].Offset
	for i := from; i < to && pr.pieces[i].Offset == end; i++ {
		if _, err := pr.r.verify(plain, end, pr.pieces[i].Length, ids[n]); err != nil {
			break
		}
		end += pr.pieces[i].Length
		n++
	}
	return n
}

// ids returns the IDs of pieces [from, to), which lie in block b.
func (pr *packReader) ids(b *index.Block, from, to int) ([]chunk.ID, error) {
	ids := make([]chunk.ID, 0, to-from)
	k, offset := 0, uint32(0)
	for _, piece := range pr.pieces[from:to] {
		for k < len(b.Chunks) && offset < piece.Offset {
			offset += b.Chunks[k].Length
			k++
		}
		if k == len(b.Chunks) || offset != piece.Offset || b.Chunks[k].Length != piece.Length {
			return nil, fmt.Errorf("pack %.8s has no chunk at %d+%d: %w", pr.dir.Pack, b.Offset, piece.Offset, ErrDamaged)
		}
		ids = append(ids, b.Chunks[k].ID)
	}
	return ids, nil
}
