package main

import (
	"time"

	"chartkeep/cmd/internal/ui"
	"chartkeep/snapshot/restore"
)

// restoreSummary is the last object of a restore.
type restoreSummary struct {
	Type     string  `json:"message_type"`
	Snapshot string  `json:"snapshot_id"`
	Target   string  `json:"target"`
	DryRun   bool    `json:"dry_run,omitempty"`
	Files    int64   `json:"files_restored"`
	Bytes    int64   `json:"bytes_restored"`
	Skipped  int64   `json:"files_skipped"`
	Deleted  int64   `json:"files_deleted"`
	Verified int64   `json:"files_verified,omitempty"`
	Seconds  float64 `json:"seconds_elapsed"`
	Errors   int64   `json:"errors"`
}

// report is the end of a run, in words or as an object.
func (x *restoreRun) report(s restore.Summary, verified int64) {
	took := time.Since(x.started)
	x.Object(restoreSummary{
		"summary", string(x.at.snapshot.ID), x.target, x.o.DryRun, s.Files, s.Bytes, s.Skipped, s.Deleted, verified, took.Seconds(), s.Errors,
	})
	if x.Quiet {
		return
	}
	if s.Skipped > 0 {
		x.Print("kept      %s, by --overwrite %s", ui.Counted(s.Skipped, "file"), x.o.Overwrite)
	}
	if s.Deleted > 0 {
		x.Print("deleted   %s that %s not in the snapshot", ui.Counted(s.Deleted, "item"), isAre(s.Deleted))
	}
	if verified > 0 {
		x.Print("compared  %s with the snapshot", ui.Counted(verified, "file"))
	}
	if x.o.DryRun {
		x.Print("dry run: %s, %s, would be restored to %s", ui.Counted(s.Files, "file"), ui.Size(s.Bytes), x.target)
		return
	}
	x.Print("restored  %s, %s, to %s in %s", ui.Counted(s.Files, "file"), ui.Size(s.Bytes), x.target, ui.Duration(took))
}

func isAre(n int64) string {
	if n == 1 {
		return "is"
	}
	return "are"
}
