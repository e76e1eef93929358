package gc

import (
	"cmp"
	"slices"
	"time"
)

// A view is a part of the group, as indices from newest to oldest, to which
// the rules are applied by itself. The package comment says which there are.
type view struct {
	items []int
	whole bool // with incomplete ones
}

// views are the views that differ from each other, and for each snapshot that
// was overtaken in the order of writing, the one with the latest time that was
// written before it.
func (j *judge) views() (views []view, overtakers map[int]int) {
	var whole, sound, rising, falling []int
	for i := range j.snaps {
		if j.future(i) {
			continue
		}
		whole = append(whole, i)
		if j.snaps[i].sound() {
			sound = append(sound, i)
		}
	}
	slow, fast := j.disorder(sound)
	for _, i := range sound {
		if j.snaps[i].Dated {
			continue
		}
		if _, ok := slow[i]; !ok {
			rising = append(rising, i)
		}
		if _, ok := fast[i]; !ok {
			falling = append(falling, i)
		}
	}
	views = []view{{items: sound}}
	if len(whole) > len(sound) {
		views = append(views, view{items: whole, whole: true})
	}
	for _, part := range [][]int{rising, falling} {
		if len(part) > 0 && len(part) < len(sound) {
			views = append(views, view{items: part})
		}
	}
	return views, slow
}

// disorder finds where the times that a host's clock gave contradict the order
// in which it wrote the snapshots. slow has those with a later time before
// them, and the latest of these; fast those with an earlier time after them,
// and the earliest of these.
func (j *judge) disorder(sound []int) (slow, fast map[int]int) {
	slow, fast = make(map[int]int), make(map[int]int)
	hosts := make(map[string][]int)
	for _, i := range sound {
		if s := &j.snaps[i]; s.Sequence > 0 && !s.Dated {
			hosts[s.Host] = append(hosts[s.Host], i)
		}
	}
	for _, written := range hosts {
		slices.SortFunc(written, func(a, b int) int { return cmp.Compare(j.snaps[a].Sequence, j.snaps[b].Sequence) })
		j.passed(written, slow, time.Time.After)
		slices.Reverse(written)
		j.passed(written, fast, time.Time.Before)
	}
	return slow, fast
}

// passed walks through snapshots in order and notes for each that does not
// stand where its time says, the extreme one of those before it.
func (j *judge) passed(order []int, note map[int]int, beyond func(a, b time.Time) bool) {
	extreme := -1
	for start := 0; start < len(order); {
		end := start // of those with the same number: none came first
		for end < len(order) && j.snaps[order[end]].Sequence == j.snaps[order[start]].Sequence {
			if i := order[end]; extreme >= 0 && beyond(j.snaps[extreme].Time, j.snaps[i].Time) {
				note[i] = extreme
			}
			end++
		}
		for ; start < end; start++ {
			if i := order[start]; extreme < 0 || beyond(j.snaps[i].Time, j.snaps[extreme].Time) {
				extreme = i
			}
		}
	}
}

// future reports whether the snapshot's time has not yet come.
func (j *judge) future(i int) bool { return j.snaps[i].Time.After(j.now.Add(Tolerance)) }
