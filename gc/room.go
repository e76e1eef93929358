package gc

import (
	"context"
	"errors"
	"math"
)

// What rewriting takes besides the needed bytes themselves: the padding of packs
// is a sixteenth at most, a chunk's record in the directory and in the segment
// some dozens of bytes, and a run has a session and a last pack that is not full.
const (
	bytesPerChunk = 100
	bytesPerRun   = 256 << 10
)

// cost is how much has to be free for these packs to be rewritten, bytes.
func (p *PrunePlan) cost(victims []packUse) (total int64) {
	for i := range victims {
		total += p.costOf(&victims[i])
	}
	if total > 0 {
		total += bytesPerRun
	}
	return total
}

func (p *PrunePlan) costOf(v *packUse) int64 {
	parity := int64(p.r.Config().Parity)
	return v.live*(100+parity)/100*17/16 + int64(v.needed)*bytesPerChunk
}

// room is how much the repository's store can take, bytes.
func (p *PrunePlan) room(ctx context.Context) (int64, error) {
	free, _, err := p.r.SpaceFree(ctx)
	if errors.Is(err, errors.ErrUnsupported) {
		return math.MaxInt64, nil
	}
	return int64(min(free, math.MaxInt64)), err
}

// fitting divides packs into those for which there is room now, and the rest.
// If there is not room for all, the reserve is given up.
func (p *PrunePlan) fitting(ctx context.Context, packs []packUse) (fit, rest []packUse, err error) {
	room, err := p.room(ctx)
	if err == nil && room < p.cost(packs) && p.giveUpReserve(ctx) {
		room, err = p.room(ctx)
	}
	if err != nil {
		return nil, nil, err
	}
	room -= bytesPerRun
	for i := range packs {
		if cost := p.costOf(&packs[i]); cost <= room {
			fit, room = append(fit, packs[i]), room-cost
		} else {
			rest = append(rest, packs[i])
		}
	}
	return fit, rest, nil
}

// giveUpReserve reports whether that freed something.
func (p *PrunePlan) giveUpReserve(ctx context.Context) bool {
	freed, err := p.r.GiveUpReserve(ctx)
	return err == nil && freed > 0
}
