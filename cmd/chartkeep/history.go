package main

import (
	"path"
	"strings"

	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/ui"
	"chartkeep/repo"
	"chartkeep/snapshot"
)

func (p *program) historyCommand() *cli.Command {
	return &cli.Command{
		Name:      "history",
		Usage:     "every version of one file, and which snapshots hold it",
		ArgsUsage: "PATH",
		Description: `Lists every version of a file or folder, the oldest first, deleted ones too.

   chartkeep history /srv/OpenDentImages/S/SmithJohn12/pano.jpg`,
		Flags:  filterFlags(),
		Action: p.history,
	}
}

func (p *program) history(c *cli.Context) error {
	if c.NArg() != 1 {
		return usage(c, "one path is wanted")
	}
	at := c.Args().First()
	if !strings.HasPrefix(at, "/") {
		at = treePath(at)
	}
	at = path.Clean(at)
	return p.reading(c.Context, func(r *repo.Repository) error {
		all, err := p.snapshots(c.Context, r, filterOf(c))
		if err != nil {
			return err
		}
		versions, err := snapshot.History(c.Context, r, all, at, func(s *snapshot.Snapshot, err error) {
			p.Warn("snapshot %s: %s", s.ID.Short(), oneLine(err))
		})
		if err != nil {
			return err
		}
		if len(versions) == 0 {
			return failed("To look for it: chartkeep find "+path.Base(at), "no snapshot holds %s", at)
		}
		p.printVersions(versions)
		p.sayGone(all, versions)
		return nil
	})
}

// sayGone says so when the path is in older snapshots only.
func (p *program) sayGone(all []*snapshot.Snapshot, versions []*snapshot.Version) {
	var last *snapshot.Snapshot
	for _, v := range versions {
		if s := newest(v); last == nil || s.Time.After(last.Time) {
			last = s
		}
	}
	if latest := all[len(all)-1]; latest != last && latest.SameSource(last) {
		p.Remark("it is not in the latest snapshot; the last that holds it is %s of %s", last.ID.Short(), ui.Time(last.Time))
	}
}
