package gc_test

import (
	"slices"
	"strings"
	"testing"

	"chartkeep/gc"
)

func TestGroupsAreWhatTheirSnapshotsHaveInCommon(t *testing.T) {
	snaps := []gc.Snapshot{saved("2026-11-17", "a"), saved("2026-11-18", "b"), saved("2026-11-19", "c"), saved("2026-11-20", "d")}
	snaps[0].Host, snaps[0].Paths = "elm", []string{"/y", "/x"}
	snaps[1].Host, snaps[1].Paths = "elm", []string{"/x", "/y"}
	snaps[2].Host, snaps[2].Paths, snaps[2].Plan = "elm", []string{"/x"}, "night"
	snaps[3].Host, snaps[3].Paths, snaps[3].Tags = "ash", []string{"/x"}, []string{"t"}
	for by, want := range map[string]int{"": 1, "host": 2, "hosts,paths": 3, "plan": 2, "tags": 2, "host, plan,path ,tag": 3} {
		parsed, err := gc.ParseGroupBy(by)
		if err != nil {
			t.Fatal(err)
		}
		groups := gc.DecideGroups(snaps, parsed, gc.Policy{Last: 1}, gc.Calendar{}, snaps[3].Time)
		inOrder := slices.IsSortedFunc(groups, func(a, b gc.Group) int {
			return strings.Compare(a.Host+a.Plan+strings.Join(a.Paths, ""), b.Host+b.Plan+strings.Join(b.Paths, ""))
		})
		stay := 0
		for _, g := range groups {
			stay += len(kept(g.Decisions))
		}
		if len(groups) != want || stay != want || !inOrder {
			t.Errorf("by %q: %d groups, %d snapshots stay, in order %v, want %d", by, len(groups), stay, inOrder, want)
		}
		if again, err := gc.ParseGroupBy(parsed.String()); err != nil || again != parsed {
			t.Errorf("%q becomes %q", by, parsed)
		}
	}
	if _, err := gc.ParseGroupBy("host,weather"); err == nil {
		t.Error("grouped by the weather")
	}
}

func TestSuspicionStopsAPlanInAllGroups(t *testing.T) {
	snaps := []gc.Snapshot{saved("2026-11-20", "a"), saved("2026-11-19", "b"), saved("2026-11-18", "c"), saved("2026-11-17", "d")}
	for i := range snaps {
		snaps[i].Plan, snaps[i].Paths = "night", []string{"/x"}
	}
	snaps[0].Suspicious, snaps[0].Paths = true, []string{"/new"}
	snaps[3].Plan = "noon"
	groups := gc.DecideGroups(snaps, gc.GroupBy{Paths: true}, gc.Policy{Last: 1}, gc.Calendar{}, snaps[0].Time)
	if len(groups) != 2 || len(kept(groups[1].Decisions)) != 2 {
		t.Fatalf("%+v", groups)
	}
	if d := groups[1].Decisions[1]; !slices.Contains(d.Reasons, "retention is stopped: a of 2026-11-20 is suspicious") {
		t.Errorf("%s: %q", d.Snapshot.ID, d.Reasons)
	}
	snaps[0].Suspicious = false
	groups = gc.DecideGroups(snaps, gc.GroupBy{Paths: true}, gc.Policy{Last: 1}, gc.Calendar{}, snaps[0].Time)
	if len(kept(groups[1].Decisions)) != 1 {
		t.Errorf("%+v", groups[1])
	}
}
