package main

import (
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"chartkeep/repo"
	"chartkeep/snapshot"
)

func (p *program) holdCommand() *cli.Command {
	return &cli.Command{
		Name:      "hold",
		Usage:     "protect snapshots from being forgotten",
		ArgsUsage: "SNAPSHOT...",
		Description: `A snapshot on hold stays, whatever the retention rules say, until it is
released. An edited snapshot gets another ID.

   chartkeep hold --reason "records request, case 4711" 3f9c0a11`,
		Flags: append(filterFlags(), &cli.StringFlag{Name: "reason", Usage: "why, as `TEXT`"}),
		Action: func(c *cli.Context) error {
			return p.edit(c, repo.RecordHold, func(*snapshot.Snapshot) func(*snapshot.Snapshot) {
				return snapshot.Protect(snapshot.CurrentUser(), c.String("reason"), time.Now())
			})
		},
	}
}

func (p *program) releaseCommand() *cli.Command {
	return &cli.Command{
		Name:      "release",
		Usage:     "end a hold, or the suspicion of a snapshot",
		ArgsUsage: "SNAPSHOT...",
		Description: `Ends a hold. For a snapshot that was flagged because it looks wrong (most files
gone, an empty dump) it says that you have looked, and that it is right, and so
were those of its plan before it: retention of the plan goes on.

   chartkeep release 3f9c0a11
   chartkeep release --reason "the old scans were moved" latest`,
		Flags: append(filterFlags(), &cli.StringFlag{Name: "reason", Usage: "why, as `TEXT`"}),
		Action: func(c *cli.Context) error {
			return p.editWith(c, repo.RecordRelease, func(s *snapshot.Snapshot) func(*snapshot.Snapshot) {
				if s.Hold == nil && !s.Suspicious() {
					return nil
				}
				return snapshot.Release(snapshot.CurrentUser(), c.String("reason"), time.Now())
			}, withDoubtsBefore)
		},
	}
}

// withDoubtsBefore adds the suspicious snapshots before a suspicious one that is
// named: they look wrong for the same reason, and whoever has looked at the last
// one need not look at each.
func withDoubtsBefore(all, named []*snapshot.Snapshot) []*snapshot.Snapshot {
	wide := slices.Clone(named)
	for _, s := range named {
		for _, o := range all {
			if s.Suspicious() && o.Suspicious() && o.Hold == nil && o.SameSource(s) && o.Time.Before(s.Time) && !slices.Contains(wide, o) {
				wide = append(wide, o)
			}
		}
	}
	return wide
}
