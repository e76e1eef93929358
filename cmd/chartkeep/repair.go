package main

import (
	"context"

	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/ui"
	"chartkeep/index"
	"chartkeep/repo"
)

func (p *program) repairCommand() *cli.Command {
	dry := dryRunFlag("change nothing, but say what would be mended")
	return &cli.Command{
		Name:  "repair",
		Usage: "mend what can be mended, and name what cannot",
		Description: `Chartkeep check says which of these is needed.

   chartkeep repair index             # index segments, and files that are kept twice
   chartkeep repair packs             # all that are damaged: reads everything
   chartkeep repair packs 3f9c0a11    # this one
   chartkeep repair snapshots         # keep what is left of snapshots that lost data`,
		Subcommands: []*cli.Command{
			{Name: "index", Usage: "write index segments and second copies anew", Action: p.repairIndex, Flags: []cli.Flag{dry}, Description: `Packs describe themselves, so the index can be made from them alone, and of
whatever much depends on there are two copies. Needs the repository alone.`},
			{Name: "packs", Usage: "mend packs from their parity", ArgsUsage: "[PACK...]", Action: p.repairPacks, Flags: []cli.Flag{dry}, Description: `A mended pack is byte for byte what was written. Of a pack that is past mending,
all that can still be read is stored anew.`},
			{
				Name: "snapshots", Usage: "make copies of damaged snapshots without what is lost", Action: p.repairSnapshots,
				Flags: []cli.Flag{dry, &cli.BoolFlag{Name: "forget", Usage: "then remove the damaged snapshots, and those that cannot be read at all"}},
				Description: `In the copy, files whose content is lost are marked as unreadable; all else is as
it was. A backup of the same data heals damage too, and better: try it first.`,
			},
		},
	}
}

// repaired is the end of a repair, for programs.
type repaired struct {
	Type   string   `json:"message_type"`
	DryRun bool     `json:"dry_run,omitempty"`
	Mended []string `json:"mended"`
	Lost   []string `json:"lost"` // what cannot be mended
}

// faultsOf runs a check, which reads some packs whole, and returns what it finds, and
// which of the packs are as they should be.
func (p *program) faultsOf(ctx context.Context, r *repo.Repository, read []index.PackID) (faults []repo.Fault, whole []index.PackID, err error) {
	progress := new(repo.CheckProgress)
	p.Remark("looking for damage")
	state := func() ui.State { return ui.State{Bytes: progress.Bytes.Load()} }
	err = p.During(state, func() error {
		return r.Check(ctx, repo.CheckOptions{
			ReadData: read, Progress: progress,
			Fault:    func(f repo.Fault) { faults = append(faults, f) },
			Verified: func(p index.PackID) { whole = append(whole, p) },
		})
	})
	return faults, whole, err
}
