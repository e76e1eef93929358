package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"sync"
	"sync/atomic"

	"chartkeep/index"
)

// A Fault is something in the repository that is not as it should be.
type Fault struct {
	File     string // in the store
	Pack     index.PackID
	Problem  error
	Mendable bool                 // `repair` restores it without loss
	CutOff   bool                 // one of two copies is missing, and a run died here, or goes on, that may have been about to write or remove it
	Repair   string               // the command that does, or that saves what is left
	Lost     []index.DamagedBlock // blocks whose chunks cannot be had from this pack any more
}

// CheckOptions say how much is read. Calls of Fault and Verified do not
// overlap.
type CheckOptions struct {
	ReadData []index.PackID // packs to read whole, in this order
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

	listed []index.PackID                  // in the store, before the segments were read
	named  map[index.PackID]bool           // by a segment that can be read
	absent []func(context.Context) []Fault // looks again for a missing twin
	told   map[index.PackID]bool           // packs with a fault that shows without reading them
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
	c := &checker{r: r, ix: ix, o: o, named: map[index.PackID]bool{}, told: map[index.PackID]bool{}}
	if err := c.data(ctx, c.structure); err != nil {
		return err
	}
	if err := c.absentTwins(ctx); err != nil {
		return err
	}
	return ctx.Err()
}

// structure checks all but what packs hold.
func (c *checker) structure(ctx context.Context) error {
	for _, step := range []func(context.Context) error{c.twins, c.list, c.segments, c.unnamed, c.packs} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
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
			c.told[info.ID] = true
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
