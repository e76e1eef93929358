package gc

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Decide says for each snapshot of a group whether it stays, newest first. An
// impossible policy or calendar removes nothing.
func Decide(snaps []Snapshot, p Policy, c Calendar, now time.Time) []Decision {
	return decide(snaps, p, c, now, suspects(snaps))
}

func decide(snaps []Snapshot, p Policy, c Calendar, now time.Time, stop map[owner]Snapshot) []Decision {
	j := newJudge(snaps, p, c, now)
	if why := unusable(p, c); why != "" {
		for i := range j.snaps {
			j.keep(i, reason{why, forever, "never by this policy"})
		}
		return j.decisions()
	}
	views, overtakers := j.views()
	j.keepByHand(stop)
	j.keepFuture()
	for _, v := range views {
		for _, r := range j.rules {
			j.apply(r, v)
		}
	}
	j.keepUnsurpassed()
	j.keepLastOfGroup(views[0])
	j.keepOvertakers(overtakers)
	decisions := j.decisions()
	j.explain(decisions, views)
	return decisions
}

// unusable is why nothing can be removed by p and c.
func unusable(p Policy, c Calendar) string {
	if p.Empty() {
		return "no rule is given, so nothing is removed"
	}
	if err := p.Validate(); err != nil {
		return "the policy is not valid, so nothing is removed: " + err.Error()
	}
	if err := c.Validate(); err != nil {
		return "the calendar is not valid, so nothing is removed: " + err.Error()
	}
	return ""
}

// keepByHand keeps what people or the program's own doubts protect, whatever
// the rules say.
func (j *judge) keepByHand(stop map[owner]Snapshot) {
	for i := range j.snaps {
		s := &j.snaps[i]
		if s.Held {
			j.keep(i, reason{"held", forever, "when it is released"})
		}
		for _, tags := range j.policy.Tags {
			if s.hasAll(tags) {
				j.keep(i, reason{tagged(tags), forever, "never while it has the tag"})
			}
		}
		if suspect, ok := stop[s.owner()]; ok {
			j.keep(i, reason{
				fmt.Sprintf("retention is stopped: %s of %v is suspicious", suspect.short(), j.almanac.Day(suspect.Time)),
				forever, "by the rules, when " + suspect.short() + " is released",
			})
		}
	}
}

// tagged says which tags keep; the empty one stands for having none.
func tagged(tags []string) string {
	if words := strings.Join(tags, "+"); words != "" {
		return "tagged " + words
	}
	return "not tagged"
}

// keepFuture keeps what no rule may count yet.
func (j *judge) keepFuture() {
	for i := range j.snaps {
		if j.future(i) {
			j.keep(i, reason{
				"in the future: saved under a clock that was fast, or with a wrong time",
				j.moments[i].day, "by the rules, when its time has come",
			})
		}
	}
}

// keepUnsurpassed keeps the newest incomplete snapshot while no sound one is
// newer: it holds the latest state of all that could be read.
func (j *judge) keepUnsurpassed() {
	for i := range j.snaps {
		if j.future(i) {
			continue
		}
		if s := &j.snaps[i]; !s.sound() {
			j.keep(i, reason{doubt(s) + ", and none better is newer", j.next, "when a complete one is newer"})
		}
		return
	}
}

// keepLastOfGroup keeps the newest sound snapshot if no rule keeps any. (A
// group without a sound one has kept its newest by now.)
func (j *judge) keepLastOfGroup(sound view) {
	stays := func(i int) bool { return len(j.reasons[i]) > 0 }
	if len(sound.items) > 0 && !slices.ContainsFunc(sound.items, stays) {
		j.keep(sound.items[0], reason{"the last of its group", j.next, "when a newer one is there"})
	}
}

// keepOvertakers keeps what shows that a clock was wrong: without them, those
// that they overtook would pass for sound the next time. None of them was
// itself overtaken, so one pass is enough.
func (j *judge) keepOvertakers(overtakers map[int]int) {
	for i := range j.snaps {
		if first, ok := overtakers[i]; ok && len(j.reasons[i]) > 0 {
			j.keep(first, reason{
				"shows that the clock of " + j.snaps[i].Host + " was wrong: later ones have earlier times",
				slices.MaxFunc(j.reasons[i], reason.compare).until, "when those later ones are gone",
			})
		}
	}
}

func (j *judge) decisions() []Decision {
	all := make([]Decision, len(j.snaps))
	for i := range j.snaps {
		d := &all[i]
		d.Snapshot, d.Keep = j.snaps[i], len(j.reasons[i]) > 0
		for _, r := range j.reasons[i] {
			d.Reasons = append(d.Reasons, r.words)
		}
		if d.Keep {
			d.Until, d.Goes = j.until(i)
		}
	}
	return all
}
