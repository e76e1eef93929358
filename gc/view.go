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

// views are the views that differ from each other, that of the sound first; and
// for each snapshot that was overtaken in the order of writing, the one with
// the latest time that was written before it.
func (j *judge) views() (views []view, overtakers map[int]int) {
	var whole, sound, read []int
	for i := range j.snaps {
		if j.future(i) {
			continue
		}
		whole = append(whole, i)
		if j.snaps[i].sound() {
			sound = append(sound, i)
			if !j.snaps[i].Dated {
				read = append(read, i)
			}
		}
	}
	views = []view{{items: sound}}
	if len(whole) > len(sound) {
		views = append(views, view{items: whole, whole: true})
	}
	slow, fast := j.disorder(read)
	for _, part := range [][]int{without(read, slow), without(read, fast)} {
		if len(part) < len(sound) {
			views = append(views, view{items: part})
		}
	}
	return views, slow
}

func without(items []int, out map[int]int) (rest []int) {
	for _, i := range items {
		if _, ok := out[i]; !ok {
			rest = append(rest, i)
		}
	}
	return rest
}

// disorder finds where the times that a host's clock gave contradict the order
// of writing. slow has those with a later time before them, and the latest of
// these; fast those with an earlier time after them, and the earliest of these.
func (j *judge) disorder(read []int) (slow, fast map[int]int) {
	slow, fast = make(map[int]int), make(map[int]int)
	hosts := make(map[string][]int)
	for _, i := range read {
		if s := &j.snaps[i]; s.Sequence > 0 {
			hosts[s.Host] = append(hosts[s.Host], i)
		}
	}
	for _, written := range hosts {
		slices.SortFunc(written, func(a, b int) int {
			return cmp.Or(cmp.Compare(j.snaps[a].Sequence, j.snaps[b].Sequence), j.snaps[a].Time.Compare(j.snaps[b].Time))
		})
		j.note(slow, written, time.Time.After)
		slices.Reverse(written)
		j.note(fast, written, time.Time.Before)
	}
	return slow, fast
}

// note walks through snapshots in order and notes for each that does not stand
// where its time says, the extreme one of those before it.
func (j *judge) note(out map[int]int, order []int, beyond func(a, b time.Time) bool) {
	for n, extreme := 0, 0; n < len(order); n++ {
		if i := order[n]; beyond(j.snaps[order[extreme]].Time, j.snaps[i].Time) {
			out[i] = order[extreme]
		} else {
			extreme = n
		}
	}
}

// future reports whether the snapshot's time has not yet come.
func (j *judge) future(i int) bool { return j.snaps[i].Time.After(j.now.Add(Tolerance)) }
