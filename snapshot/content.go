package snapshot

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/sources"
)

// An Entry is a node and its path.
type Entry struct {
	Path string
	Node *Node
}

// Entries yields root, whose path is base, and all below it, as Walk does. An
// error stands for what could not be read of a folder.
func Entries(ctx context.Context, load Loader, root *Node, base string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		err := Walk(ctx, load, root, base, func(path string, n *Node, err error) error {
			if !yield(Entry{path, n}, err) {
				return SkipRest
			}
			return nil
		})
		if err != nil {
			yield(Entry{Path: base, Node: root}, err)
		}
	}
}

// A window is what is planned at once: so much content (bytes), or so many
// parts. A dump that has changed every night lies in pieces in many blocks;
// within a window each block is opened once.
const (
	windowSize  = 8 << 20
	windowParts = 8192
	maxWindows  = 4 // in memory
)

// Stream writes the content of files to w, one after the other. Before the
// content of each entry it calls begin; entries other than files have none.
// Reading goes on ahead of writing, in windows of a few MiB. The first thing
// that cannot be read ends it, with an error that names its path.
func Stream(ctx context.Context, r *repo.Repository, entries iter.Seq2[Entry, error], begin func(Entry) error, w io.Writer) error {
	g, ctx := errgroup.WithContext(ctx)
	s := &streamer{r: r, work: g, order: make(chan *window, 1), free: make(chan struct{}, min(maxWindows, 1+runtime.GOMAXPROCS(0)))}
	g.Go(func() error {
		defer close(s.order)
		return s.plan(ctx, entries)
	})
	g.Go(func() error {
		return s.write(ctx, begin, w)
	})
	return g.Wait()
}

func (s *streamer) write(ctx context.Context, begin func(Entry) error, w io.Writer) error {
	for win := range s.order {
		if err := win.write(ctx, begin, w); err != nil {
			return err
		}
		<-s.free
	}
	return nil
}

// streamer plans windows; each is filled by a goroutine of its own while the
// ones before it are written.
type streamer struct {
	r     *repo.Repository
	work  *errgroup.Group
	order chan *window
	free  chan struct{} // bounds the windows in memory
}

// window is a run of content: parts in the order of writing, and the pieces of
// packs that make up its buffer.
type window struct {
	parts []part
	packs map[index.PackID][]want
	data  []byte
	size  int
	err   error         // of filling it
	ready chan struct{} // closed when data and err are set
}

// part is a stretch of a file: size bytes of data, or of a hole.
type part struct {
	entry Entry
	first bool // begin is to be called
	hole  bool
	size  int64
}

// want is a chunk of the window, and where it goes in the buffer.
type want struct {
	piece repo.Piece
	at    int
	path  string
}

// plan cuts the content of all entries into windows.
func (s *streamer) plan(ctx context.Context, entries iter.Seq2[Entry, error]) error {
	win := newWindow()
	for e, err := range entries {
		if err != nil {
			return fmt.Errorf("%s: %w", e.Path, err)
		}
		win.parts = append(win.parts, part{entry: e, first: true})
		if e.Node.Meta.Kind == sources.Regular {
			if win, err = s.file(ctx, win, e); err != nil {
				return fmt.Errorf("%s: %w", e.Path, err)
			}
		}
		if win, err = s.next(ctx, win); err != nil {
			return err
		}
	}
	return s.start(ctx, win)
}

// file plans the content of a file, and returns the window it ends in.
func (s *streamer) file(ctx context.Context, win *window, e Entry) (*window, error) {
	for ref, err := range Chunks(ctx, s.r, e.Node.Content) {
		if err == nil {
			err = s.add(ctx, win, e, ref)
		}
		if err == nil {
			win, err = s.next(ctx, win)
		}
		if err != nil {
			return win, err
		}
	}
	return win, nil
}

// next returns the window to go on with.
func (s *streamer) next(ctx context.Context, win *window) (*window, error) {
	if win.size < windowSize && len(win.parts) < windowParts {
		return win, nil
	}
	return newWindow(), s.start(ctx, win)
}

func newWindow() *window {
	return &window{packs: map[index.PackID][]want{}, ready: make(chan struct{})}
}

// add plans one chunk or hole of an entry.
func (s *streamer) add(ctx context.Context, win *window, e Entry, ref Ref) error {
	win.extend(e, ref)
	if ref.Hole() {
		return nil
	}
	places, err := s.r.Places(ctx, ref.ID)
	if err != nil {
		return err
	}
	if len(places) == 0 || uint64(places[0].Length) != ref.Size {
		return &repo.ChunkError{ID: ref.ID, Err: repo.ErrMissing}
	}
	p := places[0]
	win.packs[p.Pack] = append(win.packs[p.Pack], want{repo.PieceOf(p), win.size, e.Path})
	win.size += int(p.Length)
	return nil
}

// extend adds a reference's bytes to the last part, or begins another.
func (win *window) extend(e Entry, ref Ref) {
	if n := len(win.parts); n > 0 {
		last := &win.parts[n-1]
		if last.entry.Node == e.Node && (last.hole == ref.Hole() || last.size == 0) {
			last.hole = ref.Hole()
			last.size += int64(ref.Size)
			return
		}
	}
	win.parts = append(win.parts, part{entry: e, hole: ref.Hole(), size: int64(ref.Size)})
}

// start fills a window in the background when there is room for one more.
func (s *streamer) start(ctx context.Context, win *window) error {
	select {
	case s.free <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	s.work.Go(func() error {
		defer close(win.ready)
		win.data = make([]byte, win.size)
		win.err = s.fill(ctx, win)
		return win.err
	})
	select {
	case s.order <- win:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fill reads every pack of a window once and in order.
func (s *streamer) fill(ctx context.Context, win *window) error {
	for id, wants := range win.packs {
		slices.SortFunc(wants, func(a, b want) int {
			return cmp.Or(cmp.Compare(a.piece.Block, b.piece.Block), cmp.Compare(a.piece.Offset, b.piece.Offset))
		})
		pieces := make([]repo.Piece, len(wants))
		for i := range wants {
			pieces[i] = wants[i].piece
		}
		err := s.r.ReadPack(ctx, id, pieces, func(d repo.Delivery) error { return win.take(wants, d) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (win *window) take(wants []want, d repo.Delivery) error {
	if d.Err != nil {
		return fmt.Errorf("%s: %w", wants[d.From].path, d.Err)
	}
	for _, w := range wants[d.From:d.To] {
		d.Data = d.Data[copy(win.data[w.at:w.at+int(w.piece.Length)], d.Data):]
	}
	return nil
}

// write waits until the window is filled, and writes it.
func (win *window) write(ctx context.Context, begin func(Entry) error, w io.Writer) error {
	select {
	case <-win.ready:
	case <-ctx.Done():
		return ctx.Err()
	}
	if win.err != nil {
		return win.err
	}
	data := win.data
	for _, p := range win.parts {
		if p.first {
			if err := begin(p.entry); err != nil {
				return err
			}
		}
		var content io.Reader = zeroReader{}
		if !p.hole {
			content, data = bytes.NewReader(data[:p.size]), data[p.size:]
		}
		if _, err := io.CopyN(w, content, p.size); err != nil {
			return err
		}
	}
	return nil
}

// zeroReader is what a hole reads as.
type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
