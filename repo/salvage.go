package repo

import (
	"context"

	"chartkeep/index"
)

// Salvage stores anew what can still be had of a pack that is past mending. It
// returns how many chunks that were and how many not, and all blocks of the
// pack: once the writer is flushed, RecordDamage with them makes the new copies
// take the old ones' place.
func (w *Writer) Salvage(ctx context.Context, p index.PackID) (saved, lost int, blocks []index.DamagedBlock, err error) {
	d, err := w.index.Directory(p)
	if err != nil {
		return 0, 0, nil, err
	}
	var pieces []Piece
	for _, b := range d.Blocks {
		blocks = append(blocks, index.DamagedBlock{Pack: p, Offset: b.Offset})
		pieces = append(pieces, piecesOf(b)...)
	}
	lane := w.Lane(d.Class)
	err = w.r.ReadPack(ctx, p, pieces, func(got Delivery) error {
		if got.Err != nil {
			lost += got.To - got.From
			return ctx.Err()
		}
		data := got.Data
		for _, piece := range pieces[got.From:got.To] {
			chunk := data[:piece.Length]
			data = data[piece.Length:]
			if err := lane.PutAgain(w.r.Hash(chunk), chunk); err != nil {
				return err
			}
			saved++
		}
		return nil
	})
	return saved, lost, blocks, err
}

func piecesOf(b index.Block) (pieces []Piece) {
	var offset uint32
	for _, c := range b.Chunks {
		pieces = append(pieces, Piece{Block: b.Offset, Offset: offset, Length: c.Length})
		offset += c.Length
	}
	return pieces
}
