package forecast

import (
	"math"
	"slices"

	"chartkeep/repo"
)

// Room says whether the next run fits.
type Room uint8

// The answers.
const (
	Unknown   Room = iota // nothing is known of earlier runs or of the place
	Enough                // it fits with a margin
	Tight                 // it fits if it is no larger than usual
	NotEnough             // it will not fit
)

func (r Room) String() string {
	return [...]string{"not known", "enough", "tight", "not enough"}[min(r, NotEnough)]
}

// An Estimate is what the next run will add, bytes.
type Estimate struct {
	Expected int64 // as much as it usually is, or at least is
	Need     int64 // as much as it should have room for
}

const (
	recentRuns = 14
	often      = 0.8      // of the runs were not larger than what is counted on
	margin     = 1.5      // times that
	always     = 64 << 20 // bytes that every run may take: a pack on its way, segments

	leastShare = 0.3 // of a first run's bytes remains at least, compressed
	mostShare  = 1.1 // and at most: with parity
)

// Next estimates from the records of earlier runs of one plan in one place,
// oldest first, what its next run adds. The first of them stored everything and
// says nothing, unless it is the only one. Of a first run only the bytes that a
// survey has found are known, or nothing (0).
func Next(runs []repo.Record, surveyed int64) Estimate {
	var added []int64
	for _, rec := range runs {
		if rec.Result == repo.ResultDone || rec.Result == repo.ResultIncomplete {
			added = append(added, rec.AddedPacked)
		}
	}
	if len(added) < 2 {
		return Estimate{int64(leastShare * float64(surveyed)), int64(mostShare * float64(surveyed))}
	}
	added = added[max(1, len(added)-recentRuns):]
	slices.Sort(added)
	large := added[int(math.Ceil(often*float64(len(added))))-1]
	return Estimate{added[len(added)/2], int64(margin*float64(large)) + always}
}

// In says whether the estimate fits a place with so much free space, bytes.
func (e Estimate) In(free int64) Room {
	switch {
	case e == (Estimate{}):
		return Unknown
	case free < e.Expected:
		return NotEnough
	case free < e.Need:
		return Tight
	}
	return Enough
}
