package main

import (
	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/ui"
	"chartkeep/repo"
	"chartkeep/snapshot"
	"chartkeep/sources"
)

func (p *program) diffCommand() *cli.Command {
	return &cli.Command{
		Name:      "diff",
		Usage:     "what differs between two snapshots",
		ArgsUsage: "SNAPSHOT[:PATH] SNAPSHOT[:PATH]",
		Description: `Lists what differs, from the first to the second:

   +  added          M  content changed
   -  removed        T  type changed (a file became a folder, …)
                     U  only mode, owner, time or attributes changed

   chartkeep diff latest~1 latest
   chartkeep diff 3f9c0a11:/srv/practice latest:/srv/practice`,
		Flags:  filterFlags(),
		Action: p.diff,
	}
}

// change is a difference for programs.
type change struct {
	Type     string `json:"message_type"`
	Path     string `json:"path"`
	Modifier string `json:"modifier"`
}

// tally counts what was added or removed.
type tally struct {
	Files  int64 `json:"files"`
	Dirs   int64 `json:"dirs"`
	Others int64 `json:"others"`
	Bytes  int64 `json:"bytes"`
}

func (t *tally) add(n *snapshot.Node) {
	switch n.Meta.Kind {
	case sources.Regular:
		t.Files++
		t.Bytes += n.Meta.Size
	case sources.Dir:
		t.Dirs++
	default:
		t.Others++
	}
}

// statistics is the end of a diff.
type statistics struct {
	Type     string `json:"message_type"`
	Source   string `json:"source_snapshot"`
	Target   string `json:"target_snapshot"`
	Changed  int64  `json:"changed_files"`
	Metadata int64  `json:"changed_metadata"`
	Added    tally  `json:"added"`
	Removed  tally  `json:"removed"`
}

func (s *statistics) count(d snapshot.Difference) {
	switch d.Kind {
	case snapshot.AddedPath:
		s.Added.add(d.New)
	case snapshot.RemovedPath:
		s.Removed.add(d.Old)
	case snapshot.UpdatedMetadata:
		s.Metadata++
	default:
		s.Changed++
	}
}

func (p *program) diff(c *cli.Context) error {
	if c.NArg() != 2 {
		return usage(c, "two snapshots are wanted")
	}
	return p.reading(c.Context, func(r *repo.Repository) error {
		a, err := p.place(c.Context, r, filterOf(c), c.Args().Get(0))
		if err != nil {
			return err
		}
		b, err := p.place(c.Context, r, filterOf(c), c.Args().Get(1))
		if err != nil {
			return err
		}
		stats := statistics{Type: "statistics", Source: string(a.snapshot.ID), Target: string(b.snapshot.ID)}
		err = snapshot.Diff(c.Context, r, a.node, b.node, b.path, func(d snapshot.Difference) error {
			stats.count(d)
			p.printDifference(d)
			return nil
		})
		if err != nil {
			return err
		}
		p.Object(stats)
		p.Print("")
		p.Print("changed  %s, and %s in metadata only", ui.Counted(stats.Changed, "file"), ui.Count(stats.Metadata))
		p.Print("added    %s", words(stats.Added))
		p.Print("removed  %s", words(stats.Removed))
		return nil
	})
}

func words(t tally) string {
	s := ui.Counted(t.Files, "file") + ", " + ui.Counted(t.Dirs, "folder")
	if t.Others > 0 {
		s += ", " + ui.Counted(t.Others, "other")
	}
	return s + ", " + ui.Size(t.Bytes)
}

func (p *program) printDifference(d snapshot.Difference) {
	path := d.Path
	if n := d.New; n != nil && n.Meta.Kind == sources.Dir || n == nil && d.Old.Meta.Kind == sources.Dir {
		path += "/"
	}
	p.Object(change{"change", path, string(d.Kind)})
	p.Print("%c    %s", d.Kind, p.Path(path))
}
