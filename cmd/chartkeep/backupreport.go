package main

import (
	"time"

	"chartkeep/cmd/internal/ui"
	"chartkeep/snapshot"
)

// backupSummary is the last object of a backup.
type backupSummary struct {
	Type       string `json:"message_type"`
	SnapshotID string `json:"snapshot_id"` // empty when none was saved
	DryRun     bool   `json:"dry_run,omitempty"`
	Unchanged  string `json:"unchanged_since,omitempty"` // the snapshot that says all there is to say
	snapshot.Summary
	Duration float64   `json:"total_duration"` // seconds
	Start    time.Time `json:"backup_start"`
	End      time.Time `json:"backup_end"`
}

// report is the end of a run, in words or as an object.
func (b *backupRun) report(s *snapshot.Snapshot) {
	duration := time.Duration(s.Summary.Duration)
	o := backupSummary{
		Type: "summary", SnapshotID: string(s.ID), DryRun: b.dry, Summary: s.Summary,
		Duration: duration.Seconds(), Start: b.started, End: b.started.Add(duration),
	}
	if b.unchanged(s) {
		o.Unchanged = string(b.parent.ID)
	}
	b.Object(o)
	n := &s.Summary
	b.Say("files    %s new, %s changed, %s unchanged", ui.Count(n.FilesNew), ui.Count(n.FilesChanged), ui.Count(n.FilesUnmodified))
	b.Say("folders  %s new, %s changed, %s unchanged", ui.Count(n.DirsNew), ui.Count(n.DirsChanged), ui.Count(n.DirsUnmodified))
	b.Say("total    %s, %s, in %s", ui.Counted(n.Files, "file"), ui.Size(n.Bytes), ui.Duration(duration))
	if o.DryRun {
		b.Say("to add   %s new, before compression", ui.Size(n.DataAdded))
	} else {
		b.Say("added    %s new, %s in the repository", ui.Size(n.DataAdded), ui.Size(n.DataAddedPacked))
	}
	if n.Inconsistent > 0 {
		b.Say("         %s changed while being read; marked in the snapshot", ui.Counted(n.Inconsistent, "file"))
	}
	b.Say("%s", b.outcome(s))
}

func (b *backupRun) outcome(s *snapshot.Snapshot) string {
	switch {
	case b.unchanged(s):
		return "nothing has changed since snapshot " + b.parent.ID.Short() + "; no snapshot saved"
	case b.dry:
		return "dry run: nothing was stored"
	}
	return "snapshot " + s.ID.Short() + " saved"
}
