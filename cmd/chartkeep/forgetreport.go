package main

import (
	"strings"
	"time"

	"chartkeep/cmd/internal/ui"
	"chartkeep/gc"
	"chartkeep/snapshot"
)

// groupObject is a group and what becomes of it, for programs.
type groupObject struct {
	Type    string           `json:"message_type"`
	Host    string           `json:"host"`
	Plan    string           `json:"plan"`
	Paths   []string         `json:"paths"`
	Tags    []string         `json:"tags"`
	Keep    []snapshotObject `json:"keep"`
	Remove  []snapshotObject `json:"remove"`
	Reasons []reasonObject   `json:"reasons"`
}

// reasonObject says why a snapshot stays, or why no rule keeps it.
type reasonObject struct {
	Snapshot string     `json:"snapshot"`
	Keep     bool       `json:"keep"`
	Matches  []string   `json:"matches"`
	Until    *time.Time `json:"until,omitempty"` // when it would go, if every day brings a snapshot
	Goes     string     `json:"goes,omitempty"`
}

func groupOf(g gc.Group, keep, remove []*snapshot.Snapshot) groupObject {
	o := groupObject{
		Type: "group", Host: g.Host, Plan: g.Plan, Paths: list(g.Paths), Tags: list(g.Tags),
		Keep: objectsOf(keep), Remove: objectsOf(remove), Reasons: []reasonObject{},
	}
	for _, d := range g.Decisions {
		r := reasonObject{Snapshot: d.Snapshot.ID, Keep: d.Keep, Matches: list(d.Reasons), Goes: d.Goes}
		if !d.Until.IsZero() {
			r.Until = &d.Until
		}
		o.Reasons = append(o.Reasons, r)
	}
	return o
}

func objectsOf(all []*snapshot.Snapshot) []snapshotObject {
	objects := []snapshotObject{}
	for _, s := range all {
		objects = append(objects, objectOf(s))
	}
	return objects
}

// sayGroup is a group as a table, the newest first, with a reason for each.
func (f *forgetRun) sayGroup(g gc.Group, byID map[string]*snapshot.Snapshot) {
	if f.Quiet {
		return
	}
	if name := groupName(g); name != "" {
		f.Print("\n%s", name)
	} else {
		f.Print("")
	}
	heads := []string{"", "ID", "Time", "Tags", "Why"}
	if f.dry {
		heads = append(heads, "Goes")
	}
	t := ui.NewTable(heads...)
	for _, d := range g.Decisions {
		s := byID[d.Snapshot.ID]
		verdict, why := "remove", d.Reasons
		if d.Keep {
			verdict = "keep"
		} else if f.Verbose < 1 && !f.dry {
			why = nil // that no rule keeps it goes without saying
		}
		row := []string{verdict, s.ID.Short(), ui.Time(s.Time), strings.Join(s.Tags, ","), strings.Join(why, "\n")}
		if f.dry {
			row = append(row, goes(d))
		}
		t.Row(row...)
	}
	f.Table(t)
	f.Print("")
}

// goes is when a snapshot that stays would go.
func goes(d gc.Decision) string {
	switch {
	case !d.Keep:
		return "now"
	case d.Until.IsZero():
		return d.Goes
	}
	return d.Until.Format(time.DateOnly) + ", " + d.Goes
}

func groupName(g gc.Group) string {
	var parts []string
	for _, part := range []struct {
		name   string
		values []string
	}{{"host", []string{g.Host}}, {"plan", []string{g.Plan}}, {"paths", g.Paths}, {"tags", g.Tags}} {
		if value := ui.Plain(strings.Join(part.values, ", ")); value != "" {
			parts = append(parts, part.name+" "+value)
		}
	}
	return strings.Join(parts, "; ")
}
