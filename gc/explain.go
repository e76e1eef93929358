package gc

// explain says for each snapshot that goes why no rule keeps it. A sound one
// is told by the view of the sound, another by the view of all.
func (j *judge) explain(decisions []Decision, views []view) {
	for i := range decisions {
		if d := &decisions[i]; !d.Keep && !d.Snapshot.sound() {
			d.Reasons = append(d.Reasons, doubt(&d.Snapshot))
		}
	}
	for _, r := range j.rules {
		for n, v := range views {
			if n == 0 || v.whole {
				j.explainRule(decisions, r, v)
			}
		}
	}
	for i := range decisions {
		if d := &decisions[i]; !d.Keep && len(j.policy.Tags) > 0 {
			d.Reasons = append(d.Reasons, "not tagged to be kept")
		}
	}
}

func (j *judge) explainRule(decisions []Decision, r rule, v view) {
	if len(v.items) == 0 {
		return
	}
	items := j.counted(r, v)
	if !r.within.Zero() {
		items = j.within(r, v)
	}
	found, _ := j.periods(r.unit, items)
	ranks := make(map[int]int)
	for rank, p := range found {
		ranks[p.key] = rank
	}
	for n, i := range v.items {
		if d := &decisions[i]; !d.Keep && d.Snapshot.sound() == !v.whole {
			d.Reasons = append(d.Reasons, r.word+": "+j.against(r, i, n >= len(items), found, ranks))
		}
	}
}

// against is why a rule does not keep a snapshot.
func (j *judge) against(r rule, i int, outside bool, found []period, ranks map[int]int) string {
	date := dayNumbered(j.moments[i].day)
	if why, closed := j.almanac.Closed(date); closed && r.unit.openDaysOnly {
		return date.String() + " is a closed day (" + why + ")"
	}
	if outside && r.within.Zero() {
		return "a complete one is newer"
	}
	if outside {
		return "more than " + r.span + " before the newest"
	}
	key := r.unit.key(j.moments[i])
	rank := ranks[key]
	if better := found[rank].best; better != i && (r.count <= 0 || rank < r.count) {
		return j.snaps[better].short() + " stands for the " + r.unit.one
	}
	return "no place beside the newest " + r.unit.count(r.count)
}
