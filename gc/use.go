package gc

import (
	"context"
	"sort"

	"chartkeep/chunk"
	"chartkeep/index"
	"chartkeep/repo"
)

// packUse is how much of a pack is needed.
type packUse struct {
	index.PackInfo
	needed         int   // chunks
	live, unused   int64 // sealed bytes
	wanted, passed int64 // of the blocks that the newest snapshots need something of: what they need, and what they do not
	damaged        bool  // a block is beyond repair
	lost           bool  // and something in it is needed that no other pack holds
}

func (u *packUse) whole() bool { return u.needed == int(u.Chunks) }

// scattered reports whether a restore of what is newest passes over more in the
// pack than it wants, and enough that rewriting the pack is worth it.
func (u *packUse) scattered() bool { return u.passed > max(u.wanted/2, u.live/8, worthParting) }

// worthParting is how much a restore must be spared for a pack to be rewritten,
// sealed bytes.
const worthParting = 256 << 10

func (u *packUse) waste() float64 { return float64(u.unused) / float64(u.live+u.unused) }

// use sums up what the marks need of a pack. A block's sealed bytes count to
// the needed and the unused side by the share of its plaintext.
func (p *PrunePlan) use(info index.PackInfo, d *index.Directory) packUse {
	u := packUse{PackInfo: info}
	ordinal := u.First
	for _, b := range d.Blocks {
		needed, plain, newest := 0, uint64(0), uint64(0)
		for _, c := range b.Chunks {
			if p.marks.Has(ordinal) {
				needed++
				plain += uint64(c.Length)
			}
			if p.newest.Has(ordinal) {
				newest += uint64(c.Length)
			}
			ordinal++
		}
		live := shareOf(&b, plain)
		u.needed += needed
		u.live += live
		u.unused += int64(b.Sealed) - live
		if newest > 0 {
			u.wanted += shareOf(&b, newest)
			u.passed += int64(b.Sealed) - shareOf(&b, newest)
		}
		if p.damaged[index.DamagedBlock{Pack: d.Pack, Offset: b.Offset}] {
			u.damaged, u.lost = true, u.lost || needed > 0
		}
	}
	return u
}

// shareOf is what some of a block's plaintext takes of its sealed bytes.
func shareOf(b *index.Block, plain uint64) int64 {
	return int64((uint64(b.Sealed)*plain + uint64(b.Plain) - 1) / uint64(b.Plain))
}

// choose decides on every pack.
func (p *PrunePlan) choose(ctx context.Context) error {
	var c candidates
	for info, err := range p.index.Packs() {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		d, err := p.index.Directory(info.ID)
		if err != nil {
			return err
		}
		u := p.use(info, d)
		p.Packs++
		p.Live += u.live
		p.Unused += u.unused
		p.UnusedAfter += u.unused
		if _, there := p.stored[u.ID]; there {
			p.relied[u.ID] = true
		}
		p.sort(u, &c)
	}
	p.rewriteSome(&c)
	if err := p.rewriteScattered(ctx, c.scattered); err != nil {
		return err
	}
	p.Delete, p.Rewrite = len(p.dead), len(p.victims)
	return nil
}

// candidates are the packs that may be worth rewriting.
type candidates struct {
	damaged []packUse                 // and all that is needed of them can be read
	small   map[index.Class][]packUse // whatever is needed of them
	partly  []packUse                 // partly needed

	scattered []packUse
}

// smallPack is the size below which packs of a class are put together when
// there are mergeFrom of them or more: every night leaves one.
const (
	smallPack = 2 << 20
	mergeFrom = 12
)

// sort takes a dead pack into the plan and others among the candidates.
func (p *PrunePlan) sort(u packUse, c *candidates) {
	switch {
	case u.needed == 0:
		p.dead = append(p.dead, u.ID)
		p.UnusedAfter -= u.unused
		p.Freed += int64(u.Size)
		delete(p.relied, u.ID)
	case u.lost:
		// What is damaged may be mended yet, by a copy of the file or by a
		// better cable.
		p.Lost++
	case u.damaged:
		c.damaged = append(c.damaged, u)
	case u.Size < smallPack:
		if c.small == nil {
			c.small = map[index.Class][]packUse{}
		}
		c.small[u.Class] = append(c.small[u.Class], u)
	case !u.whole():
		c.partly = append(c.partly, u)
	}
	if u.scattered() && !u.lost {
		c.scattered = append(c.scattered, u)
	}
}

// rewriteSome takes candidates into the plan until little enough is unused.
func (p *PrunePlan) rewriteSome(c *candidates) {
	p.rewrite(c.damaged)
	for _, class := range []index.Class{index.Data, index.Meta} {
		if small := c.small[class]; len(small) >= mergeFrom {
			p.rewrite(small)
			continue
		}
		for _, u := range c.small[class] {
			if !u.whole() {
				c.partly = append(c.partly, u)
			}
		}
	}
	most := p.o.MaxUnused(p.Live)
	sort.Slice(c.partly, func(i, k int) bool { return c.partly[i].waste() > c.partly[k].waste() })
	for i := range c.partly {
		if p.UnusedAfter <= most {
			break
		}
		p.rewrite(c.partly[i : i+1])
	}
}

// rewriteScattered takes packs into the plan that are worth rewriting although all
// of them may be needed: rewriting parts what the newest snapshots need from what
// only older ones do, so that a restore after years of nights reads little more
// than one after the first. It never takes the last room on a drive, and whoever
// lets as much be unused as is needed wants nothing rewritten.
func (p *PrunePlan) rewriteScattered(ctx context.Context, scattered []packUse) error {
	if p.o.MaxUnused(p.Live) >= p.Live {
		return nil
	}
	taken := map[index.PackID]bool{}
	for i := range p.victims {
		taken[p.victims[i].ID] = true
	}
	room, err := p.room(ctx)
	if err != nil {
		return err
	}
	room -= p.cost(p.victims)
	for i := range scattered {
		u := &scattered[i]
		if taken[u.ID] {
			continue
		}
		if room -= p.costOf(u); room < p.Live/16 {
			break
		}
		before := len(p.victims)
		p.rewrite(scattered[i : i+1])
		p.Scattered += len(p.victims) - before
	}
	return nil
}

// rewrite takes packs into the plan, as long as the bound allows.
func (p *PrunePlan) rewrite(uses []packUse) {
	for _, u := range uses {
		if p.o.MaxRepack < 0 || p.o.MaxRepack > 0 && p.RewriteBytes+u.live > p.o.MaxRepack {
			continue
		}
		p.victims = append(p.victims, u)
		p.UnusedAfter -= u.unused
		p.RewriteBytes += u.live
		p.Freed += int64(float64(u.Size) * u.waste())
	}
}

// livePieces are the marked chunks of a pack.
type livePieces struct {
	pieces []repo.Piece
	ids    []chunk.ID
	newest []bool // the newest snapshots need it
}

// livePieces returns the marked chunks of a pack whose first ordinal is given.
func (p *PrunePlan) livePieces(d *index.Directory, ordinal uint64) (l livePieces) {
	for _, b := range d.Blocks {
		var offset uint32
		for _, c := range b.Chunks {
			if p.marks.Has(ordinal) {
				l.pieces = append(l.pieces, repo.Piece{Block: b.Offset, Offset: offset, Length: c.Length})
				l.ids = append(l.ids, c.ID)
				l.newest = append(l.newest, p.newest.Has(ordinal))
			}
			offset += c.Length
			ordinal++
		}
	}
	return l
}
