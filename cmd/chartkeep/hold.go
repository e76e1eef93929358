package main

import (
	"time"

	"github.com/urfave/cli/v2"

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
			return p.edit(c, func(*snapshot.Snapshot) func(*snapshot.Snapshot) {
				return snapshot.Protect(snapshot.CurrentUser(), c.String("reason"), time.Now())
			})
		},
	}
}

func (p *program) releaseCommand() *cli.Command {
	return &cli.Command{
		Name:        "release",
		Usage:       "end a hold",
		ArgsUsage:   "SNAPSHOT...",
		Description: "   chartkeep release 3f9c0a11",
		Flags:       filterFlags(),
		Action: func(c *cli.Context) error {
			return p.edit(c, func(s *snapshot.Snapshot) func(*snapshot.Snapshot) {
				if s.Hold == nil {
					return nil
				}
				return snapshot.Release
			})
		},
	}
}
