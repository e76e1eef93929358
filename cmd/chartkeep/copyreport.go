package main

import (
	"fmt"
	"time"

	"chartkeep/cmd/internal/ui"
	"chartkeep/snapshot/transfer"
)

// copySummary is the last object of a copying.
type copySummary struct {
	Type       string  `json:"message_type"`
	DryRun     bool    `json:"dry_run,omitempty"`
	Companions bool    `json:"companions"`
	Copied     int     `json:"snapshots_copied"`
	Present    int     `json:"snapshots_present"`
	Failed     int     `json:"snapshots_failed"`
	Chunks     int64   `json:"chunks_copied"`
	Bytes      int64   `json:"bytes_copied"` // plaintext
	Packed     int64   `json:"bytes_packed"`
	Whole      int64   `json:"blocks_whole"`
	Cut        int64   `json:"blocks_cut"`
	Duration   float64 `json:"total_duration"` // seconds
}

// copiedObject is a snapshot that was copied, for programs.
type copiedObject struct {
	Type string `json:"message_type"`
	From string `json:"snapshot_id"`
	To   string `json:"copy_id"`
}

func (x *copying) copied(p transfer.Pair) {
	x.Object(copiedObject{"copied", string(p.From.ID), string(p.To.ID)})
	x.Say("snapshot %s of %s is copied, as %s", p.From.ID.Short(), ui.Time(p.From.Time), p.To.ID.Short())
}

// planned says what a run would do.
func (x *copying) planned(p *transfer.Plan) {
	x.Object(copySummary{
		Type: "summary", DryRun: true, Companions: p.Companions, Copied: len(p.Missing), Present: len(p.Present),
		Chunks: p.Chunks, Bytes: p.Bytes, Duration: time.Since(x.started).Seconds(),
	})
	for _, s := range p.Missing {
		x.Say("snapshot %s of %s would be copied", s.ID.Short(), ui.Time(s.Time))
	}
	verb := "copied"
	if !p.Companions {
		verb = "read"
	}
	x.Print("dry run: %s, %s, would be %s%s", ui.Counted(len(p.Missing), "snapshot"), ui.Size(p.Bytes), verb, presentWords(len(p.Present)))
}

func presentWords(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; %s there already", ui.Counted(n, "snapshot"))
}

// report is the end of a run, in words or as an object.
func (x *copying) report(r *transfer.Result) {
	took := time.Since(x.started)
	x.Object(copySummary{
		"summary", false, r.Companions, len(r.Copied), len(r.Present), len(r.Failed), r.Chunks, r.Bytes, r.Packed, r.Whole, r.Cut, took.Seconds(),
	})
	if x.Quiet {
		return
	}
	x.Print("copied    %s, %s of new data, %s there, in %s%s",
		ui.Counted(len(r.Copied), "snapshot"), ui.Size(r.Bytes), ui.Size(r.Packed), ui.Duration(took), presentWords(len(r.Present)))
}

// maxLost is how many lost paths of a snapshot are named.
const maxLost = 20

// unread says which snapshots were not copied, and why.
func (x *copying) unread(r *transfer.Result) error {
	if len(r.Failed) == 0 {
		return nil
	}
	for _, f := range r.Failed {
		for i, l := range f.Lost {
			if i == maxLost {
				x.Warn("snapshot %s: and %d more paths", f.Snapshot.ID.Short(), len(f.Lost)-i)
				break
			}
			why := "something of it is missing"
			if l.Err != nil {
				why = oneLine(l.Err)
			}
			x.Warn("snapshot %s: %s cannot be read: %s", f.Snapshot.ID.Short(), ui.Plain(l.Path), why)
		}
	}
	err := fmt.Errorf("%s not copied, because data of %s is damaged here", countedWas(len(r.Failed), "snapshot"), itsTheir(len(r.Failed)))
	return &failure{exitIncomplete, err, "To see what is damaged and what mends it: chartkeep check --read-data. To copy what is left of it: chartkeep repair snapshots, then copy again."}
}

func countedWas(n int, noun string) string { return ui.Counted(n, noun) + " " + wasWere(n) }

func itsTheir(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}
