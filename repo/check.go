package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"chartkeep/index"
	"chartkeep/repo/crypt"
	"chartkeep/repo/pack"
)

// A Fault is something in the repository that is not as it should be.
type Fault struct {
	File     string // in the store
	Pack     index.PackID
	Problem  error
	Mendable bool                 // `repair` restores it without loss
	CutOff   bool                 // one of two copies is missing, and a run died here that may have been about to write or remove it
	Repair   string               // the command that does, or that saves what is left
	Lost     []index.DamagedBlock // blocks whose chunks cannot be had from this pack any more
}

// CheckOptions say how much is read. Calls of Fault and Verified do not
// overlap.
type CheckOptions struct {
	ReadData []index.PackID // packs to read whole, in this order
	Workers  int            // packs read at a time; 0: 2. Each takes a pack's size of memory
	Fault    func(Fault)
	Verified func(index.PackID) // read whole and found good
	Progress *CheckProgress
	More     func() bool // asked before each pack that is read whole; false ends the reading
}

// CheckProgress counts what is done. It may be read at any time.
type CheckProgress struct {
	Packs, TotalPacks, Bytes, TotalBytes atomic.Int64
}

// checker runs one check.
type checker struct {
	r  *Repository
	ix *index.Index
	o  CheckOptions
	mu sync.Mutex // for o's callbacks

	listed []index.PackID        // in the store, before the segments were read
	named  map[index.PackID]bool // by a segment that can be read
	absent []func() []Fault      // looks again for a missing twin

	expected bool // every pack of ReadData has to be there; packs says it otherwise
}

// Check compares what is stored with what it ought to be: both copies of what
// is kept twice, every index segment, every pack's existence, size and
// directory, and of the packs in ReadData every shard, block and chunk. What it
// finds it tells to o.Fault; an error means that the check could not be done.
// Packs that no segment names are no fault by themselves (see Unnamed): a run
// that was cut off may have left them.
func (r *Repository) Check(ctx context.Context, o CheckOptions) error {
	ix, err := r.Index(ctx)
	if err != nil {
		return err
	}
	if o.Progress == nil {
		o.Progress = new(CheckProgress)
	}
	c := &checker{r: r, ix: ix, o: o, named: map[index.PackID]bool{}}
	for _, step := range []func(context.Context) error{c.twins, c.list, c.segments, c.unnamed, c.packs, c.data, c.absentTwins} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (c *checker) fault(f Fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.o.Fault(f)
}

// segments reads every segment from the store: the local copy may be better
// than what lies there.
func (c *checker) segments(ctx context.Context) error {
	for info, err := range c.r.store.List(ctx, segmentFolder) {
		if err != nil {
			return err
		}
		dirs, healed, err := c.r.readSegment(ctx, path.Base(info.Name))
		if err == nil && healed {
			err = fmt.Errorf("%w; its parity mends it", ErrDamaged)
		}
		if err != nil {
			c.fault(Fault{File: info.Name, Problem: err, Mendable: true, Repair: "chartkeep repair index"})
		}
		if err := c.agree(info.Name, dirs); err != nil {
			return err
		}
		for _, d := range dirs {
			c.named[d.Pack] = true
		}
	}
	return nil
}

// agree takes over a segment that another run has published since the index was
// brought up to date, and compares the others with the index.
func (c *checker) agree(file string, dirs []*index.Directory) error {
	known, err := c.ix.Segments()
	if err != nil {
		return err
	}
	if name := path.Base(file); !known[name] && len(dirs) > 0 {
		return c.r.enter(name, dirs)
	}
	c.compare(file, dirs)
	return nil
}

// list lists the packs. Those of runs that go on meanwhile come later, and their
// segments after them.
func (c *checker) list(ctx context.Context) error {
	for info, err := range c.r.store.List(ctx, "packs") {
		if err != nil {
			return err
		}
		if p, err := index.ParsePackID(path.Base(info.Name)); err == nil {
			c.listed = append(c.listed, p)
		}
	}
	return nil
}

// unnamed adopts the packs that no readable segment names, so that what needs
// them finds them.
func (c *checker) unnamed(ctx context.Context) error {
	u := &c.r.unnamed
	u.mu.Lock()
	defer u.mu.Unlock()
	u.packs = map[index.PackID]bool{}
	for _, p := range c.listed {
		if c.named[p] {
			continue
		}
		d, err := c.r.ReadDirectory(ctx, p)
		if err == nil {
			err = c.r.adopt(d)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			c.fault(Fault{File: packName(p), Pack: p, Repair: repairPacks(p), Problem: fmt.Errorf("no index segment names this pack, and its directory cannot be read: %w", err)})
		}
	}
	return nil
}

func repairPacks(p index.PackID) string { return "chartkeep repair packs " + p.String()[:12] }

// compare holds a segment's directories against the local index.
func (c *checker) compare(name string, dirs []*index.Directory) {
	for _, d := range dirs {
		local, err := c.ix.Directory(d.Pack)
		if err != nil || !bytes.Equal(index.AppendDirectory(nil, local, true), index.AppendDirectory(nil, d, true)) {
			c.fault(Fault{File: name, Pack: d.Pack, Mendable: true, Repair: "chartkeep repair index",
				Problem: errors.Join(errors.New("the local index does not agree with this segment"), err)})
			return
		}
	}
}

// packs checks that every pack exists with its size and its directory.
func (c *checker) packs(ctx context.Context) error {
	stored := map[index.PackID]int64{}
	for info, err := range c.r.store.List(ctx, "packs") {
		if err != nil {
			return err
		}
		if id, err := index.ParsePackID(path.Base(info.Name)); err == nil {
			stored[id] = info.Size
		}
	}
	for info, err := range c.ix.Packs() {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if f := c.pack(ctx, info, stored); f != nil {
			f.File, f.Pack = packName(info.ID), info.ID
			c.fault(*f)
		}
	}
	return nil
}

func (c *checker) pack(ctx context.Context, info index.PackInfo, stored map[index.PackID]int64) *Fault {
	size, there := stored[info.ID]
	if !there {
		return &Fault{Problem: errors.New("the pack is missing"), Repair: "chartkeep repair snapshots", Lost: c.allBlocks(info.ID)}
	}
	want, err := c.ix.Directory(info.ID)
	if err != nil {
		return &Fault{Problem: err, Mendable: true, Repair: "chartkeep repair index"}
	}
	if size != int64(want.Size) {
		return c.examine(ctx, info.ID, fmt.Errorf("the pack is %d bytes long and ought to be %d: %w", size, want.Size, ErrDamaged))
	}
	own, err := c.r.ReadDirectory(ctx, info.ID)
	if err == nil && !bytes.Equal(index.AppendDirectory(nil, own, false), index.AppendDirectory(nil, want, false)) {
		err = fmt.Errorf("the index and the pack's directory do not agree: %w", ErrDamaged)
	}
	if err != nil {
		return c.examine(ctx, info.ID, err)
	}
	return nil
}

func (c *checker) allBlocks(p index.PackID) (all []index.DamagedBlock) {
	d, err := c.ix.Directory(p)
	if err != nil {
		return nil
	}
	for _, b := range d.Blocks {
		all = append(all, index.DamagedBlock{Pack: p, Offset: b.Offset})
	}
	return all
}

// data reads the packs of ReadData whole.
func (c *checker) data(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	next := make(chan index.PackID)
	g.Go(func() error {
		defer close(next)
		for _, p := range c.o.ReadData {
			if c.o.More != nil && !c.o.More() {
				return nil
			}
			select {
			case next <- p:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	workers := c.o.Workers
	if workers == 0 {
		workers = 2
	}
	for range workers {
		g.Go(func() error {
			var room packRoom
			defer room.release()
			for p := range next {
				if err := c.readWhole(ctx, p, &room); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// readWhole checks all that one pack holds. Only the end of ctx is an error.
func (c *checker) readWhole(ctx context.Context, p index.PackID, room *packRoom) error {
	n, err := c.r.verifyPack(ctx, p, room)
	c.o.Progress.Packs.Add(1)
	c.o.Progress.Bytes.Add(n)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, fs.ErrNotExist) && !c.expected {
		return nil // said by packs
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

// verifyPack reads a pack into room and checks every shard, block and chunk.
func (r *Repository) verifyPack(ctx context.Context, p index.PackID, room *packRoom) (n int64, err error) {
	f, err := r.store.Open(ctx, packName(p))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if f.Size() > pack.MaxSize {
		return 0, fmt.Errorf("the pack is too long: %w", ErrDamaged)
	}
	b := room.bytes(f.Size())
	if err := readFull(f, b, 0); err != nil {
		return 0, err
	}
	report, err := pack.Verify(bytes.NewReader(b), int64(len(b)), p)
	if err = errors.Join(err, report.Err()); err != nil {
		return int64(len(b)), err
	}
	bad, err := r.badBlocks(ctx, p, b)
	if err == nil && len(bad) > 0 {
		err = fmt.Errorf("%d blocks do not open, though the file is as it was written: %w", len(bad), ErrDamaged)
	}
	return int64(len(b)), err
}

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
	pr := packReader{r: r, dir: d}
	for i := range d.Blocks {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !pr.good(ctx, data, &d.Blocks[i]) {
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

// examine finds out what parity can make of a damaged pack. A pack can be past
// mending although all its blocks still open: when its tables are gone, nothing
// can vouch for the rest of the file.
func (c *checker) examine(ctx context.Context, p index.PackID, problem error) *Fault {
	f := &Fault{Problem: problem, Repair: repairPacks(p)}
	_, err := c.r.repaired(ctx, p)
	f.Mendable = err == nil
	data, err := c.r.mended(ctx, p)
	if err != nil {
		f.Lost = c.allBlocks(p)
		return f
	}
	if f.Lost, err = c.r.badBlocks(ctx, p, bytes.Clone(data)); err != nil {
		f.Lost = c.allBlocks(p)
	}
	return f
}
