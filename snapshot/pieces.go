package snapshot

import (
	"cmp"
	"context"
	"io"
	"iter"

	"golang.org/x/sync/errgroup"

	"chartkeep/repo"
)

// pieces reads a content list from its start. It is a run of pieces of data and
// of holes, and a reader of the data up to the next hole.
type pieces struct {
	pull func() (piece, error, bool)
	stop func()

	piece
	held bool // the piece is a hole that Read came upon
	err  error
	end  bool
}

// piece is a stretch of a file.
type piece struct {
	data []byte
	hole int64 // bytes of zeros; 0: data
}

// newPieces reads small files chunk by chunk, as many of them share a block, and
// big ones ahead, in windows.
func newPieces(ctx context.Context, r *repo.Repository, l List) *pieces {
	seq := loaded(ctx, r, l)
	if l.Size() > smallFile {
		seq = windows(ctx, r, l)
	}
	p := &pieces{}
	p.pull, p.stop = iter.Pull2(seq)
	return p
}

// next goes to the next piece that was not taken. It is false at the end, and
// when err is set.
func (p *pieces) next() bool {
	if p.held {
		p.held = false
		return true
	}
	if p.end {
		return false
	}
	var ok bool
	p.piece, p.err, ok = p.pull()
	p.end = !ok || p.err != nil
	return !p.end
}

// Read reads data up to the next hole.
func (p *pieces) Read(b []byte) (int, error) {
	for len(p.data) == 0 {
		if p.held || !p.next() {
			return 0, cmp.Or(p.err, io.EOF)
		}
		p.held = p.hole > 0
	}
	n := copy(b, p.data)
	p.data = p.data[n:]
	return n, nil
}

// loaded yields chunk by chunk.
func loaded(ctx context.Context, r *repo.Repository, l List) iter.Seq2[piece, error] {
	return func(yield func(piece, error) bool) {
		for ref, err := range Chunks(ctx, r, l) {
			var p piece
			switch {
			case err != nil:
			case ref.Hole():
				p.hole = int64(ref.Size)
			default:
				p.data, err = r.Load(ctx, ref.ID)
			}
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

// readAhead is how many windows of a file are in memory: one that is used, and
// those that are filled meanwhile.
const readAhead = 2

// windows yields what Stream would write.
func windows(ctx context.Context, r *repo.Repository, l List) iter.Seq2[piece, error] {
	return func(yield func(piece, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		g, ctx := errgroup.WithContext(ctx)
		s := &streamer{r: r, work: g, order: make(chan *window, 1), free: make(chan struct{}, readAhead)}
		g.Go(func() error {
			defer close(s.order)
			win, err := s.file(ctx, newWindow(), Entry{Node: &Node{Content: l}})
			if err != nil {
				return err
			}
			return s.start(ctx, win)
		})
		wanted := true
		for win := range s.order {
			if !win.filled(ctx) {
				break
			}
			if wanted = win.yield(yield); !wanted {
				break
			}
			<-s.free
		}
		if !wanted {
			cancel()
		}
		if err := g.Wait(); err != nil && wanted {
			yield(piece{}, err)
		}
	}
}

// filled waits until the window is filled, and is false when it never will be.
func (win *window) filled(ctx context.Context) bool {
	select {
	case <-win.ready:
		return win.err == nil
	case <-ctx.Done():
		return false
	}
}

// yield yields the parts of a window, until one is not wanted.
func (win *window) yield(yield func(piece, error) bool) bool {
	data := win.data
	for _, p := range win.parts {
		out := piece{hole: p.size}
		if !p.hole {
			out = piece{data: data[:p.size]}
			data = data[p.size:]
		}
		if p.size > 0 && !yield(out, nil) {
			return false
		}
	}
	return true
}
