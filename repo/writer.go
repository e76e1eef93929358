package repo

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"chartkeep/chunk"
	"chartkeep/index"
	"chartkeep/repo/crypt"
	"chartkeep/repo/pack"
)

// WriterOptions tune a writing run. The zero value means the defaults.
type WriterOptions struct {
	Level       pack.Level    // 0: what the repository was made with
	Concurrency int           // sealing workers; 0: one a processor
	DryRun      bool          // hash, claim and count, but store nothing
	Aside       bool          // store what is put and nothing else: copies that an earlier run left unwritten stay so
	Lean        bool          // give the memory of each stored pack back: up to 32 MiB less, for a hundredth of the time
	Publish     time.Duration // at most this long until what was stored can be used by a later run; 0: 5 minutes
}

// A Writer is one writing run: a session and the packs that are being filled.
// Chunks enter through lanes. After an error the writer is of no more use.
type Writer struct {
	r       *Repository
	index   *index.Index
	codec   *pack.Codec
	publish time.Duration
	dry     bool
	aside   bool
	lean    bool

	ctx     context.Context
	cancel  context.CancelCauseFunc
	session func() (*crypt.Session, error)
	tidied  chan struct{} // closed when the copies that other runs left single are two

	laneMu sync.Mutex
	lanes  []*Lane

	blocks  chan *openBlock
	spare   sync.Pool // of *openBlock
	sealers errgroup.Group

	open    [2]packSlot // by class
	storing errgroup.Group

	recentMu     sync.Mutex
	recent       []index.PackID // durable packs that no segment names yet; the index has their directories
	recentChunks int            // in them
	published    time.Time

	added, packed, chunks atomic.Int64
	ledger                ledger
}

// packSlot holds the pack that is being filled for one class.
type packSlot struct {
	mu       sync.Mutex
	pack     *openPack
	builders chan *pack.Builder // idle ones; their number bounds the memory
}

// openPack is a builder into which blocks are being sealed.
type openPack struct {
	*pack.Builder
	sealing sync.WaitGroup
	chunks  int
	bytes   int // that the blocks take
	blocks  [][]index.Chunk
}

// maxChunks is how many chunks make a pack full, whatever their size: its
// directory is held in memory as a whole, here and by every reader.
const maxChunks = 32 << 10

// metaBytes is how many bytes of blocks make a pack of trees full: much less than
// would go in, because all of it is in memory until then, and trees of a million
// files take some 60 MB.
const metaBytes = 8 << 20

// packsInFlight is how many packs of a class may be in memory: one that is
// filled while the others are written and synced. Tree packs are few.
var packsInFlight = map[index.Class]int{index.Data: 2, index.Meta: 1}

// NewWriter begins a writing run. The session's keys are being made durable
// meanwhile; nothing is stored before they are.
func (r *Repository) NewWriter(ctx context.Context, o WriterOptions) (*Writer, error) {
	ix, err := r.Index(ctx)
	if err != nil {
		return nil, err
	}
	w := &Writer{r: r, index: ix, codec: r.codec, dry: o.DryRun, aside: o.Aside, lean: o.Lean, publish: o.Publish, published: time.Now(), blocks: make(chan *openBlock), tidied: make(chan struct{})}
	if o.Level != 0 {
		if w.codec, err = pack.NewCodec(o.Level); err != nil {
			return nil, err
		}
	}
	if w.publish == 0 {
		w.publish = 5 * time.Minute
	}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	w.session = sync.OnceValues(w.newSession)
	w.startSealing(o.Concurrency)
	return w, nil
}

func (w *Writer) newSession() (*crypt.Session, error) {
	s, err := w.r.newSession(w.ctx)
	if err == nil {
		w.ledger.noteFile(sessionName(s.ID()))
	}
	return s, err
}

func (w *Writer) startSealing(workers int) {
	if workers == 0 {
		workers = min(runtime.NumCPU(), runtime.GOMAXPROCS(0)) // more would hold more blocks, and not be faster
	}
	if w.dry {
		close(w.tidied)
	} else {
		w.sealers.Go(func() error {
			defer close(w.tidied)
			_, err := w.session()
			if err == nil && !w.aside {
				w.r.completeTwins(w.ctx) // after this run's own session has both copies
			}
			return w.fail(err)
		})
	}
	for range workers {
		w.sealers.Go(func() error { return w.fail(w.sealBlocks()) })
	}
	for c, n := range packsInFlight {
		s := w.slot(c)
		s.builders = make(chan *pack.Builder, n)
		for range n {
			s.builders <- nil // made when first needed
		}
	}
}

func (w *Writer) slot(c index.Class) *packSlot { return &w.open[c-1] }

// fail stops the run: everything that waits is woken with the first error.
func (w *Writer) fail(err error) error {
	if err != nil {
		w.cancel(err)
	}
	return err
}

func (w *Writer) failure() error { return context.Cause(w.ctx) }

// Err is what the repository itself failed of, a full drive for one, or nil.
// Nothing more can be written after that.
func (w *Writer) Err() error { return w.failure() }

func (w *Writer) newBlock(c index.Class) *openBlock {
	b, _ := w.spare.Get().(*openBlock)
	if b == nil {
		b = &openBlock{data: make([]byte, 0, pack.BlockSize)}
	}
	*b = openBlock{class: c, data: b.data[:0]}
	return b
}

// sealBlocks is one worker: compress, seal into the open pack, again.
func (w *Writer) sealBlocks() error {
	var scratch []byte
	for {
		select {
		case b, ok := <-w.blocks:
			if !ok {
				return nil
			}
			var err error
			if scratch, err = w.seal(b, scratch); err != nil {
				w.unclaim(b.chunks)
				return err
			}
			if cap(b.data) <= 2*pack.BlockSize {
				w.spare.Put(b)
			}
		case <-w.ctx.Done():
			return w.failure()
		}
	}
}

func (w *Writer) seal(b *openBlock, scratch []byte) ([]byte, error) {
	s, err := w.session()
	if err != nil {
		return scratch, err
	}
	payload := b.data
	if !b.compressed {
		payload, scratch = w.compress(b, scratch)
	}
	sealed := len(payload) + crypt.Overhead
	room, p, err := w.reserve(b, sealed)
	if err != nil {
		return scratch, err
	}
	s.Seal(room[:0], payload, sealedAs(b.class))
	p.sealing.Done()
	w.packed.Add(int64(sealed))
	return scratch, nil
}

// compress returns a block's payload, which may stand in scratch.
func (w *Writer) compress(b *openBlock, scratch []byte) (payload, next []byte) {
	payload, codec, err := w.codec.Encode(scratch[:0], b.data)
	if err != nil { // the payload is the block as it was, and good to be stored
		w.r.options.Warn(fmt.Errorf("%w; the block is stored uncompressed. Have this computer's memory tested", err))
	}
	if codec != index.Raw {
		scratch = payload
	}
	b.codec, b.plain = codec, uint32(len(b.data))
	return payload, scratch
}

// unclaim gives back the claims on chunks that will not be stored, so that a
// later writer of the same repository stores them.
func (w *Writer) unclaim(chunks []index.Chunk) {
	for _, c := range chunks {
		w.index.Unclaim(c.ID)
	}
}

// sealedAs is the kind that blocks of a class are bound to: file content is
// sealed with a session's data key, trees with its metadata key.
func sealedAs(c index.Class) crypt.Kind {
	if c == index.Meta {
		return crypt.Tree
	}
	return crypt.Data
}

// Flush stores everything that was put and returns when it is durable and the
// index segments that name it are. The writer then takes documents only.
func (w *Writer) Flush() error {
	var errs []error
	w.laneMu.Lock()
	for _, l := range w.lanes {
		errs = append(errs, l.Close())
	}
	w.laneMu.Unlock()
	close(w.blocks)
	errs = append(errs, w.sealers.Wait())
	for i := range w.open {
		slot := &w.open[i]
		slot.mu.Lock()
		if slot.pack != nil {
			w.store(slot)
		}
		slot.mu.Unlock()
	}
	errs = append(errs, w.storing.Wait())
	w.closeBuilders()
	if err := errors.Join(errs...); err != nil {
		return first(w.failure(), err)
	}
	w.recentMu.Lock()
	defer w.recentMu.Unlock()
	if err := w.publishRecent(w.ctx); err != nil {
		return err
	}
	return w.r.nameAdopted(w.ctx, nil)
}

func first(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// Abort gives up a run that will not be flushed. The packs that it stored are
// published if that is possible at once, so that the next run uses what they
// hold. After Flush it does nothing.
func (w *Writer) Abort() {
	w.cancel(context.Canceled)
	w.sealers.Wait()
	w.storing.Wait()
	w.closeBuilders()
	w.dropLanes()
	w.recentMu.Lock()
	defer w.recentMu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), lastWords)
	defer cancel()
	_ = w.publishRecent(ctx) // or the next run stores it again
}

// dropLanes gives up what the lanes have gathered.
func (w *Writer) dropLanes() {
	w.laneMu.Lock()
	defer w.laneMu.Unlock()
	for _, l := range w.lanes {
		l.mu.Lock()
		if l.block != nil {
			w.unclaim(l.block.chunks)
			l.block = nil
		}
		l.mu.Unlock()
	}
}

// lastWords is how long a run that was asked to stop may take to publish what it
// stored.
const lastWords = 10 * time.Second

// closeBuilders gives back the memory of the idle builders. All are, but for one
// in each slot of a run that was aborted.
func (w *Writer) closeBuilders() {
	for i := range w.open {
		slot := &w.open[i]
		if slot.pack != nil {
			w.giveUp(slot.pack)
			slot.pack.Close()
			slot.pack = nil
		}
		for len(slot.builders) > 0 {
			if b := <-slot.builders; b != nil {
				b.Close()
			}
		}
	}
}

// Added returns the plaintext bytes of the new chunks so far, and the bytes
// that their sealed blocks take.
func (w *Writer) Added() (plain, sealed int64) { return w.added.Load(), w.packed.Load() }

// AddedChunks returns how many chunks were stored so far.
func (w *Writer) AddedChunks() int64 { return w.chunks.Load() }

// Hash returns the ID that data has in this repository.
func (r *Repository) Hash(data []byte) chunk.ID { return r.hasher.Sum(data) }
