package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/ui"
	"chartkeep/repo"
	"chartkeep/snapshot"
)

func (p *program) findCommand() *cli.Command {
	return &cli.Command{
		Name:      "find",
		Usage:     "which snapshots hold a file",
		ArgsUsage: "PATTERN...",
		Description: `Looks for names in all snapshots, and lists each distinct version of a file
once, with the snapshots that hold it. In a pattern * stands for any letters, ?
for one, ** for any folders. A pattern with a slash in front is a whole path.

   chartkeep find 'smith*.jpg'
   chartkeep find -i --newest-first 'S/smith*/pano.dcm'
   chartkeep find '/srv/OpenDentImages/**/*.pdf' --snapshot latest

To restore what was found: chartkeep restore SNAPSHOT:PATH --target DIR`,
		Flags: append(filterFlags(),
			&cli.BoolFlag{Name: "ignore-case", Aliases: []string{"i"}, Usage: "case does not count"},
			&cli.BoolFlag{Name: "newest-first", Aliases: []string{"N"}, Usage: "the newest snapshots' versions first, instead of by path"},
			&cli.StringSliceFlag{Name: "snapshot", Aliases: []string{"s"}, Usage: "look only in `SNAPSHOT`"},
		),
		Action: p.find,
	}
}

func (p *program) find(c *cli.Context) error {
	if c.NArg() == 0 {
		return usage(c, "what to look for? A pattern is wanted")
	}
	patterns, err := snapshot.NewPatterns(c.Args().Slice(), c.Bool("ignore-case"))
	if err != nil {
		return usage(c, "%w", err)
	}
	return p.reading(c.Context, func(r *repo.Repository) error {
		all, err := p.snapshots(c.Context, r, filterOf(c))
		if err != nil {
			return err
		}
		if all, err = chosen(all, c.StringSlice("snapshot")); err != nil {
			return err
		}
		found, err := p.search(c.Context, r, patterns, all)
		if err != nil {
			return err
		}
		if c.Bool("newest-first") {
			slices.SortStableFunc(found, func(a, b *snapshot.Version) int { return newest(b).Time.Compare(newest(a).Time) })
		}
		p.printVersions(found)
		if len(found) == 0 {
			p.Remark("nothing found in %s", ui.Counted(len(all), "snapshot"))
		}
		return nil
	})
}

func (p *program) search(ctx context.Context, r *repo.Repository, patterns *snapshot.Patterns, all []*snapshot.Snapshot) ([]*snapshot.Version, error) {
	f := snapshot.NewFinder(r, patterns, func(path string, err error) {
		p.Warn("%s cannot be searched: %s", ui.Plain(path), oneLine(err))
	})
	slices.SortStableFunc(all, func(a, b *snapshot.Snapshot) int { return a.Time.Compare(b.Time) })
	for _, s := range all {
		if err := f.Add(ctx, s); err != nil {
			return nil, err
		}
	}
	return f.Versions(), nil
}

// newest is the last snapshot that holds a version: the one to restore from.
func newest(v *snapshot.Version) *snapshot.Snapshot { return v.Snapshots[len(v.Snapshots)-1] }

// foundObject is a version for programs.
type foundObject struct {
	Path      string    `json:"path"`
	Kind      string    `json:"type"`
	Snapshot  string    `json:"snapshot"`  // the newest that holds it
	Snapshots []string  `json:"snapshots"` // all that do, the oldest first
	Size      int64     `json:"size"`
	MTime     time.Time `json:"mtime"`
	Content   string    `json:"content"` // equal content, equal name
	First     time.Time `json:"first_time"`
	Last      time.Time `json:"last_time"`
}

func foundOf(v *snapshot.Version) foundObject {
	o := foundObject{
		Path: v.Path, Kind: v.Node.Meta.Kind.String(), Snapshot: string(newest(v).ID), Size: v.Node.Meta.Size, MTime: v.Node.Meta.MTime.Time(),
		Content: snapshot.ContentID(v.Node), First: v.Snapshots[0].Time, Last: newest(v).Time,
	}
	for _, s := range v.Snapshots {
		o.Snapshots = append(o.Snapshots, string(s.ID))
	}
	return o
}

// printVersions lists versions, each with the snapshot to restore it from.
func (p *program) printVersions(found []*snapshot.Version) {
	for _, v := range found {
		p.Object(foundOf(v))
	}
	if len(found) == 0 {
		return
	}
	t := ui.NewTable("Modified", ">Size", "In snapshots", "Restore it from")
	for _, v := range found {
		m := &v.Node.Meta
		t.Row(ui.Time(m.MTime.Time()), ui.Size(m.Size), span(v.Snapshots), newest(v).ID.Short()+":"+p.Path(v.Path))
	}
	p.Table(t)
}

// span says how many snapshots there are, and from when to when.
func span(s []*snapshot.Snapshot) string {
	first, last := s[0].Time.Format(time.DateOnly), s[len(s)-1].Time.Format(time.DateOnly)
	if first != last {
		first += " to " + last
	}
	return fmt.Sprintf("%d (%s)", len(s), first)
}
