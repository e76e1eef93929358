package main

import (
	"context"
	"errors"
	"fmt"

	"chartkeep/cmd/internal/ui"
	"chartkeep/repo/storage"
	"chartkeep/snapshot"
	"chartkeep/snapshot/transfer"
)

// copyTo copies to another destination what was saved since it was last there.
func (n *night) copyTo(ctx context.Context, o *opened) {
	n.step(ctx, "copy", o.Name, func() (note string, err error) {
		err = n.home.program.locked(ctx, n.home.r, storage.Shared, func() error {
			return o.program.locked(ctx, o.r, storage.Shared, func() error {
				note, err = n.copyNew(ctx, o)
				return err
			})
		})
		return note, err
	})
}

func (n *night) copyNew(ctx context.Context, o *opened) (string, error) {
	here, err := n.mine(ctx, n.home)
	if err != nil {
		return "", err
	}
	var pr snapshot.Progress
	// What the other side's own retention has removed does not come back: Newer.
	options := transfer.Options{Newer: true, Progress: &pr, Warn: func(err error) { n.Warn("%s", oneLine(err)) }}
	plan, err := transfer.New(ctx, n.home.r, o.r, here, options)
	if err != nil {
		return "", err
	}
	var result *transfer.Result
	state := func() ui.State {
		return ui.State{Files: pr.Files.Load(), Bytes: pr.Bytes.Load(), TotalBytes: pr.TotalBytes.Load()}
	}
	err = n.During(state, func() error {
		result, err = plan.Run(ctx)
		return err
	})
	if err != nil {
		return "", err
	}
	for _, pair := range result.Copied {
		o.stored = append(o.stored, pair.To.ID)
	}
	for _, f := range result.Failed {
		err = errors.Join(err, f)
	}
	return fmt.Sprintf("%s, %s", ui.Counted(len(result.Copied), "snapshot"), ui.Size(result.Packed)), err
}
