package gc

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A GroupBy says which snapshots are judged together: those that are equal in
// all that is set.
type GroupBy struct{ Host, Plan, Paths, Tags bool }

// ParseGroupBy reads a list such as host,plan,paths; the empty one puts all
// snapshots into one group.
func ParseGroupBy(s string) (GroupBy, error) {
	var by GroupBy
	for word := range strings.SplitSeq(s, ",") {
		switch strings.TrimSpace(word) {
		case "host", "hosts":
			by.Host = true
		case "plan", "plans":
			by.Plan = true
		case "path", "paths":
			by.Paths = true
		case "tag", "tags":
			by.Tags = true
		case "":
		default:
			return GroupBy{}, fmt.Errorf("group by %q: want some of host, plan, paths, tags", word)
		}
	}
	return by, nil
}

// String gives the form that ParseGroupBy reads.
func (by GroupBy) String() string {
	var words []string
	for _, part := range []struct {
		set  bool
		word string
	}{{by.Host, "host"}, {by.Plan, "plan"}, {by.Paths, "paths"}, {by.Tags, "tags"}} {
		if part.set {
			words = append(words, part.word)
		}
	}
	return strings.Join(words, ",")
}

// A Group is what its snapshots have in common, as far as they were grouped by
// it, and the decisions on them, newest first.
type Group struct {
	Host, Plan  string
	Paths, Tags []string // sorted
	Decisions   []Decision
}

// DecideGroups divides snapshots into groups, sorted, and decides each. A
// suspicious snapshot stops its plan in all groups.
func DecideGroups(snaps []Snapshot, by GroupBy, p Policy, c Calendar, now time.Time) []Group {
	var groups []Group
	var members [][]Snapshot
	for _, s := range snaps {
		g := by.group(s)
		n := slices.IndexFunc(groups, func(other Group) bool { return g.compare(other) == 0 })
		if n < 0 {
			n = len(groups)
			groups, members = append(groups, g), append(members, nil)
		}
		members[n] = append(members[n], s)
	}
	stop := suspects(snaps)
	for n := range groups {
		groups[n].Decisions = decide(members[n], p, c, now, stop)
	}
	slices.SortFunc(groups, Group.compare)
	return groups
}

// group is the group to which s belongs.
func (by GroupBy) group(s Snapshot) (g Group) {
	if by.Host {
		g.Host = s.Host
	}
	if by.Plan {
		g.Plan = s.Plan
	}
	if by.Paths {
		g.Paths = slices.Sorted(slices.Values(s.Paths))
	}
	if by.Tags {
		g.Tags = slices.Sorted(slices.Values(s.Tags))
	}
	return g
}

func (g Group) compare(o Group) int {
	for _, c := range []int{
		strings.Compare(g.Host, o.Host),
		strings.Compare(g.Plan, o.Plan),
		slices.Compare(g.Paths, o.Paths),
		slices.Compare(g.Tags, o.Tags),
	} {
		if c != 0 {
			return c
		}
	}
	return 0
}

// An owner is who makes the snapshots that a suspicion stops.
type owner struct{ host, plan string }

func (s *Snapshot) owner() owner { return owner{s.Host, s.Plan} }

// suspects are the newest suspicious snapshots of each owner.
func suspects(snaps []Snapshot) map[owner]Snapshot {
	found := make(map[owner]Snapshot)
	for _, s := range snaps {
		if known, ok := found[s.owner()]; s.Suspicious && (!ok || newestFirst(s, known) < 0) {
			found[s.owner()] = s
		}
	}
	return found
}
