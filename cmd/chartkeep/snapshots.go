package main

import (
	"encoding/hex"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/ui"
	"chartkeep/repo"
	"chartkeep/snapshot"
)

func (p *program) snapshotsCommand() *cli.Command {
	return &cli.Command{
		Name:      "snapshots",
		Usage:     "list the snapshots",
		ArgsUsage: "[SNAPSHOT...]",
		Description: `Lists the snapshots, the oldest first.

   chartkeep snapshots
   chartkeep snapshots --latest 5 -H server
   chartkeep snapshots --json | jq -r .id`,
		Flags: append(filterFlags(),
			&cli.IntFlag{Name: "latest", Usage: "only the last `N` of them"}),
		Action: p.listSnapshots,
	}
}

// snapshotObject is a snapshot for programs.
type snapshotObject struct {
	ID       string          `json:"id"`
	ShortID  string          `json:"short_id"`
	Time     time.Time       `json:"time"`
	Hostname string          `json:"hostname"`
	Username string          `json:"username"`
	Plan     string          `json:"plan"`
	Tags     []string        `json:"tags"`
	Paths    []string        `json:"paths"`
	Tree     string          `json:"tree"`
	Parent   string          `json:"parent"`
	Previous string          `json:"previous,omitempty"`
	Original string          `json:"original,omitempty"`
	Complete bool            `json:"complete"`
	Hold     *snapshot.Hold  `json:"hold,omitempty"`
	Program  string          `json:"program_version"`
	Summary  snapshotSummary `json:"summary"`
}

type snapshotSummary struct {
	snapshot.Summary
	Duration float64 `json:"total_duration"` // seconds
}

func objectOf(s *snapshot.Snapshot) snapshotObject {
	return snapshotObject{
		ID: string(s.ID), ShortID: s.ID.Short(), Time: s.Time, Hostname: s.Host, Username: s.User, Plan: s.Plan,
		Tags: list(s.Tags), Paths: list(s.Paths), Tree: treeID(&s.Root), Parent: string(s.Parent), Previous: string(s.Previous),
		Original: string(s.Original), Complete: s.Complete, Hold: s.Hold, Program: s.Version,
		Summary: snapshotSummary{s.Summary, time.Duration(s.Summary.Duration).Seconds()},
	}
}

// list is never null in JSON.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// treeID names the tree below a folder; an empty one has no name.
func treeID(n *snapshot.Node) string {
	var id strings.Builder
	for _, r := range n.Tree.Refs {
		id.WriteString(hex.EncodeToString(r.ID[:]))
	}
	return id.String()
}

func (p *program) listSnapshots(c *cli.Context) error {
	return p.reading(c.Context, func(r *repo.Repository) error {
		all, err := p.snapshots(c.Context, r, filterOf(c))
		if err != nil {
			return err
		}
		if all, err = chosen(all, c.Args().Slice()); err != nil {
			return err
		}
		if n := c.Int("latest"); n > 0 {
			all = all[max(0, len(all)-n):]
		}
		for _, s := range all {
			p.Object(objectOf(s))
		}
		p.Table(p.snapshotTable(all))
		p.Say("%s", ui.Counted(len(all), "snapshot"))
		return nil
	})
}

func (p *program) snapshotTable(all []*snapshot.Snapshot) *ui.Table {
	t := ui.NewTable("ID", "Time", "Host", "Plan", "Tags", "Paths", ">Files", ">Size", "")
	for _, s := range all {
		paths := make([]string, len(s.Paths))
		for i := range s.Paths {
			paths[i] = p.Path(s.Paths[i])
		}
		t.Row(s.ID.Short(), ui.Time(s.Time), s.Host, s.Plan, strings.Join(s.Tags, ","), strings.Join(paths, "\n"),
			ui.Count(s.Summary.Files), ui.Size(s.Summary.Bytes), strings.Join(marks(s), ", "))
	}
	return t
}

// marks are what is special about a snapshot.
func marks(s *snapshot.Snapshot) (m []string) {
	if !s.Complete {
		m = append(m, "incomplete")
	}
	if s.Hold != nil {
		m = append(m, "on hold")
	}
	return m
}
