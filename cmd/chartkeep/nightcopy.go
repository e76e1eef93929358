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
	chosen, err := n.newer(ctx, o)
	if err != nil {
		return "", err
	}
	var pr snapshot.Progress
	options := transfer.Options{Progress: &pr, Warn: func(err error) { n.Warn("%s", oneLine(err)) }}
	plan, err := transfer.New(ctx, n.home.r, o.r, chosen, options)
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

// newer are the plan's snapshots at home that are newer than the newest which the
// destination has. What its own retention has removed does not come back.
func (n *night) newer(ctx context.Context, o *opened) (chosen []*snapshot.Snapshot, err error) {
	here, err := n.mine(ctx, n.home)
	if err != nil {
		return nil, err
	}
	there, err := n.mine(ctx, o)
	if err != nil {
		return nil, err
	}
	for _, s := range here {
		if len(there) == 0 || s.Time.After(there[len(there)-1].Time) || s.ID == n.saved.ID {
			chosen = append(chosen, s)
		}
	}
	return chosen, nil
}
