package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/ui"
	"chartkeep/repo"
	"chartkeep/snapshot"
)

func (p *program) tagCommand() *cli.Command {
	return &cli.Command{
		Name:      "tag",
		Usage:     "change the labels of snapshots",
		ArgsUsage: "SNAPSHOT...",
		Description: `Adds, removes or replaces tags. An edited snapshot gets another ID.

   chartkeep tag --add audit-2026 latest
   chartkeep tag --remove audit-2026 --tag audit-2026      # wherever it is`,
		Flags: append(filterFlags(),
			&cli.StringSliceFlag{Name: "add", Usage: "add `TAG`; A,B are two"},
			&cli.StringSliceFlag{Name: "remove", Usage: "remove `TAG`"},
			&cli.StringSliceFlag{Name: "set", Usage: "replace all tags by `TAG`; an empty one removes all"},
		),
		Action: p.tag,
	}
}

func (p *program) tag(c *cli.Context) error {
	change := snapshot.TagChange{Add: splitTags(c.StringSlice("add")...), Remove: splitTags(c.StringSlice("remove")...)}
	if c.IsSet("set") {
		change.Set = list(splitTags(c.StringSlice("set")...))
	}
	if change.Set == nil && len(change.Add)+len(change.Remove) == 0 {
		return usage(c, "--add, --remove or --set is wanted")
	}
	return p.edit(c, repo.RecordTag, func(s *snapshot.Snapshot) func(*snapshot.Snapshot) {
		tags, differ := change.Apply(s.Tags)
		if !differ {
			return nil
		}
		return func(s *snapshot.Snapshot) { s.Tags = tags }
	})
}

// editObject is an edited snapshot for programs.
type editObject struct {
	Type string   `json:"message_type"`
	Old  string   `json:"old_snapshot_id"`
	New  string   `json:"new_snapshot_id"`
	Tags []string `json:"tags"`
	Held bool     `json:"held"`
}

// edit changes the snapshots that arguments and filters name, and records it as
// what it is. plan says how each is to be changed; nil leaves it as it is.
func (p *program) edit(c *cli.Context, kind repo.RecordKind, plan func(*snapshot.Snapshot) func(*snapshot.Snapshot)) error {
	return p.editWith(c, kind, plan, func(_, named []*snapshot.Snapshot) []*snapshot.Snapshot { return named })
}

// editWith is edit for a change that concerns others, too, than those named.
func (p *program) editWith(c *cli.Context, kind repo.RecordKind, plan func(*snapshot.Snapshot) func(*snapshot.Snapshot), widen func(all, named []*snapshot.Snapshot) []*snapshot.Snapshot) error {
	if c.NArg() == 0 && filterOf(c).empty() {
		return usage(c, "which snapshots? Name them, or choose them with --host, --tag, --path or --plan")
	}
	return p.reading(c.Context, func(r *repo.Repository) error {
		all, err := p.snapshots(c.Context, r, filterOf(c))
		if err != nil {
			return err
		}
		named, err := chosen(all, c.Args().Slice())
		if err != nil {
			return err
		}
		rec := repo.Record{Kind: kind, Time: time.Now()}
		if reason := c.String("reason"); reason != "" {
			rec.Steps = []repo.Step{{Name: string(kind), Result: repo.ResultDone, Start: rec.Time, Words: reason}}
		}
		return p.editAll(c.Context, r, widen(all, named), rec, plan)
	})
}

func (p *program) editAll(ctx context.Context, r *repo.Repository, all []*snapshot.Snapshot, rec repo.Record, plan func(*snapshot.Snapshot) func(*snapshot.Snapshot)) (err error) {
	all = slices.DeleteFunc(all, func(s *snapshot.Snapshot) bool { return plan(s) == nil })
	if len(all) == 0 {
		p.Say("nothing to change")
		return nil
	}
	w, err := r.NewWriter(ctx, repo.WriterOptions{})
	if err != nil {
		return err
	}
	defer w.Abort()
	defer func() { p.enter(ctx, r, w, rec, err) }()
	for _, s := range all {
		n, err := snapshot.Edit(ctx, r, w, s, plan(s))
		if err != nil {
			return err
		}
		rec.Snapshots = append(rec.Snapshots, n.ID)
		p.Object(editObject{"changed", string(s.ID), string(n.ID), list(n.Tags), n.Hold != nil})
		p.Say("snapshot %s is now %s", s.ID.Short(), strings.Join(slices.Concat([]string{n.ID.Short()}, n.Tags, marks(n)), " "))
	}
	p.Say("%s changed", ui.Counted(len(all), "snapshot"))
	return nil
}
