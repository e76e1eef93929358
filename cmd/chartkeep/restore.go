package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/ui"
	"chartkeep/repo"
	"chartkeep/snapshot"
	"chartkeep/snapshot/restore"
)

func (p *program) restoreCommand() *cli.Command {
	return &cli.Command{
		Name:      "restore",
		Usage:     "bring a snapshot, a folder or a file back",
		ArgsUsage: "SNAPSHOT[:PATH]",
		Description: `Restores a snapshot, or a folder or file of it, into a folder. The whole of a
snapshot keeps its paths: /srv/x comes to lie in DIR/srv/x. What is in a folder
that is named comes to lie in DIR itself, and so does a single file.

   chartkeep restore latest --target /tmp/out
   chartkeep restore latest:/srv/practice --target /srv/practice --overwrite if-changed
   chartkeep restore 3f9c0a11:/srv/practice/S/Smith/pano.jpg --target .
   chartkeep restore latest:/srv/practice --target out -i 'S/Smith*' -e '*.tmp'

Free space is checked before anything is written. A file is replaced only when
the restored one is complete. Items that cannot be restored are named, and all
others come back: exit code 1.`,
		Flags: append(filterFlags(),
			&cli.StringFlag{Name: "target", Aliases: []string{"t"}, Usage: "restore into `DIR`, which is made if need be"},
			&cli.StringSliceFlag{Name: "include", Aliases: []string{"i"}, Usage: "only what matches `PATTERN`, relative to what is restored (*, ?, **)"},
			&cli.StringSliceFlag{Name: "exclude", Aliases: []string{"e"}, Usage: "not what matches `PATTERN`"},
			&cli.StringFlag{Name: "overwrite", Value: restore.Always.String(), Usage: "`WHEN` files that are there are replaced: always, if-changed, if-newer, never"},
			&cli.BoolFlag{Name: "delete", Usage: "delete what is in the restored folders and not in the snapshot"},
			&cli.BoolFlag{Name: "verify", Usage: "read the files back, compare them with the snapshot, and wait until they are on the disk"},
			&cli.BoolFlag{Name: "sparse", Usage: "leave runs of zeros as holes"},
			&cli.BoolFlag{Name: "dry-run", Aliases: []string{"n"}, Usage: "write nothing, but say what would be restored"},
		),
		Action: p.restore,
	}
}

// restoreRun is one run of the command.
type restoreRun struct {
	*program
	r        *repo.Repository
	at       place
	target   string
	pick     *selection
	o        restore.Options
	verify   bool
	progress restore.Progress
	started  time.Time
	items    int
	kept     map[string]bool // by the overwrite policy, though they may differ
}

func (p *program) restore(c *cli.Context) error {
	arg, err := oneOrTwo(c)
	if err != nil {
		return err
	}
	x := &restoreRun{program: p, target: c.String("target"), verify: c.Bool("verify"), started: time.Now(), kept: map[string]bool{}}
	if x.target == "" {
		return usage(c, "where to? --target DIR is wanted")
	}
	if x.pick, err = newSelection(c.StringSlice("include"), c.StringSlice("exclude")); err != nil {
		return usage(c, "%w", err)
	}
	x.o = restore.Options{
		Select: x.pick.pick, Delete: c.Bool("delete"), Sparse: c.Bool("sparse"), DryRun: c.Bool("dry-run"),
		Progress: &x.progress, Problem: x.problem, Item: x.item,
	}
	if x.o.Overwrite, err = restore.ParseOverwrite(c.String("overwrite")); err != nil {
		return usage(c, "--overwrite: %w", err)
	}
	return p.reading(c.Context, func(r *repo.Repository) error {
		x.r = r
		if x.at, err = p.place(c.Context, r, filterOf(c), arg); err != nil {
			return err
		}
		return x.run(c.Context)
	})
}

func (x *restoreRun) run(ctx context.Context) error {
	x.pick.base = x.at.path
	if x.o.Delete {
		x.pick.covers = x.at.snapshot.Paths
	}
	if err := x.checkTarget(); err != nil {
		return err
	}
	sink, done, err := x.open()
	if err != nil {
		return fmt.Errorf("restore to %s: %w", x.target, err)
	}
	x.announce()
	summary, err := x.write(ctx, sink)
	verified := int64(0)
	if err == nil && x.verify && !x.o.DryRun {
		verified, err = x.compare(ctx, sink, &summary)
	}
	if err = errors.Join(err, done()); err != nil {
		return x.explain(err)
	}
	x.report(summary, verified)
	return x.outcome(summary)
}

// checkTarget refuses to restore into the repository, and warns of what will be
// replaced.
func (x *restoreRun) checkTarget() error {
	if x.location != "" && inside(nearest(x.target), x.location) {
		return failed("Name another folder with --target.", "%s is in the repository", x.target)
	}
	there, err := os.ReadDir(x.target)
	if err == nil && len(there) > 0 && x.o.Overwrite == restore.Always && !x.o.DryRun {
		x.Warn("%s is not empty; files in it that the snapshot has too are replaced (--overwrite if-newer or never keeps them)", x.target)
	}
	if err == nil && len(there) > 0 && x.o.Delete && !x.o.DryRun {
		x.Warn("what is in the restored folders of %s and not in the snapshot is deleted", x.target)
	}
	return nil
}

// nearest is a path, or the first folder above it that exists.
func nearest(p string) string {
	if abs, err := filepath.Abs(p); err == nil {
		p = abs
	}
	for {
		if _, err := os.Lstat(p); err == nil || filepath.Dir(p) == p {
			return p
		}
		p = filepath.Dir(p)
	}
}

// announce is the line at the start.
func (x *restoreRun) announce() {
	s := x.at.snapshot
	x.Remark("restoring %s:%s of %s to %s", s.ID.Short(), ui.Plain(x.at.path), ui.Time(s.Time), x.target)
	if !s.Complete {
		x.Remark("%s could not be read when this snapshot was made", ui.Counted(s.Summary.Errors, "item"))
	}
}

func (x *restoreRun) state() ui.State {
	pr := &x.progress
	return ui.State{Files: pr.Files.Load(), TotalFiles: pr.TotalFiles.Load(), Bytes: pr.Bytes.Load(), TotalBytes: pr.TotalBytes.Load()}
}

func (x *restoreRun) write(ctx context.Context, to sink) (summary restore.Summary, err error) {
	err = x.During(x.state, func() error {
		summary, err = restore.Run(ctx, x.r, x.at.node, to, x.o)
		return err
	})
	return summary, err
}

// compare reads back what was restored. Files that the overwrite policy kept
// need not be as in the snapshot.
func (x *restoreRun) compare(ctx context.Context, from sink, summary *restore.Summary) (verified int64, err error) {
	o := x.o
	o.Select = func(rel string, dir bool) (selected, below bool) {
		if x.kept[rel] {
			return false, false
		}
		return x.pick.pick(rel, dir)
	}
	x.Remark("comparing the restored files with the snapshot")
	err = x.During(func() ui.State { return ui.State{} }, func() error {
		verified, err = restore.Verify(ctx, x.r, x.at.node, from, o, func(path string, err error) {
			summary.Errors++
			x.problem(path, fmt.Errorf("compare: %w", err))
		})
		return err
	})
	return verified, err
}

func (x *restoreRun) problem(path string, err error) {
	if path == "" {
		path = "."
	}
	if x.JSON {
		x.ErrorObject(problemObject{"error", path, oneLine(err)})
		return
	}
	x.Warn("%s: %s", ui.Plain(path), oneLine(err))
}

// itemObject is an entry that was restored, for programs that want to know.
type itemObject struct {
	Type   string `json:"message_type"`
	Action string `json:"action"`
	Item   string `json:"item"`
	Size   int64  `json:"size"`
}

func (x *restoreRun) item(path, action string, n *snapshot.Node) {
	x.items++
	if action == "skipped" && x.o.Overwrite >= restore.IfNewer {
		x.kept[path] = true
	}
	if x.Verbose < 1 {
		return
	}
	o := itemObject{Type: "verbose_status", Action: action, Item: path}
	if n != nil {
		o.Size = n.Meta.Size
	}
	x.Object(o)
	x.Remark("%-8s %s", action, ui.Plain(path))
}

// explain adds to an error what to do about it.
func (x *restoreRun) explain(err error) error {
	err = fmt.Errorf("restore to %s: %w", x.target, err)
	if errors.Is(err, restore.ErrSpace) {
		return &failure{exitFailed, err, "Nothing was written. Free space there, name another --target, or restore less with --include."}
	}
	return err
}

func (x *restoreRun) outcome(s restore.Summary) error {
	switch {
	case s.Errors > 0:
		return failed("They are named above. To see what is damaged and what mends it: chartkeep check --read-data",
			"%s could not be restored; everything else was", ui.Counted(s.Errors, "item"))
	case x.items == 0 && len(x.pick.includes) > 0:
		return failed("Patterns are relative to what is restored. To see what is there: chartkeep ls -R SNAPSHOT[:PATH]",
			"nothing in %s:%s matches --include", x.at.snapshot.ID.Short(), x.at.path)
	}
	return nil
}
