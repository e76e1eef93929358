package schedule

import (
	"slices"
	"time"

	"chartkeep/gc"
)

// aheadOfGaps is for how long the ends of gaps are written out.
const aheadOfGaps = 10 * 366 * 24 * time.Hour

// gaps are the instants in the coming years at which a plan runs because the
// clock is put forward over its time. systemd leaves such a run out.
func (h Host) gaps(t Times) (all []time.Time) {
	p := t.pattern()
	for now := h.Now.In(h.Practice); ; {
		_, end := now.ZoneBounds()
		if end.IsZero() || end.After(h.Now.Add(aheadOfGaps)) {
			return all
		}
		// A gap at midnight belongs to the day that begins with it.
		before := dateOf(end.Add(-time.Second))
		for _, day := range slices.Compact([]gc.Date{before, dateOf(end)}) {
			if slices.Contains(t.Skip, day) || !p.on(day) {
				continue
			}
			for _, clock := range p.clocks {
				at := instant(day, clock, h.Practice)
				if at.Equal(end) && clockOf(at) != clock && !slices.ContainsFunc(all, at.Equal) {
					all = append(all, at)
				}
			}
		}
		now = end
	}
}
