package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"chartkeep/cmd/internal/ui"
	"chartkeep/repo"
	"chartkeep/snapshot/drill"
)

// drilled is the end of a drill, for programs.
type drilled struct {
	Type     string          `json:"message_type"`
	Result   drill.Result    `json:"result"`
	Snapshot repo.DocumentID `json:"snapshot_id"`
	Sources  []drilledSource `json:"sources"`
	Seconds  float64         `json:"seconds_elapsed"`
}

type drilledSource struct {
	Name     string       `json:"name"`
	Kind     string       `json:"kind"`
	Result   drill.Result `json:"result"`
	Tables   int          `json:"tables"`
	Rows     int64        `json:"rows"`
	Bytes    int64        `json:"bytes"`
	Files    int64        `json:"files"`
	Recovery float64      `json:"recovery_seconds"`
	Reason   string       `json:"reason"`
}

// tell says what came of every source.
func (d *drillRun) tell() {
	o := drilled{"summary", d.report.Result(), d.s.ID, []drilledSource{}, time.Since(d.started).Seconds()}
	for _, s := range d.report.Sources {
		reason := ui.Plain(strings.ReplaceAll(s.Reason, "\n", "; "))
		o.Sources = append(o.Sources, drilledSource{s.Name, s.Kind, s.Result, s.Tables, s.Rows, s.Bytes, s.Files, s.Recovery.Seconds(), reason})
		if s.Result == drill.Proven {
			d.Say("%s: proven: %s", s.Name, drillWords(s))
		} else {
			d.Warn("%s: %s: %s", s.Name, s.Result, reason)
		}
	}
	d.Object(o)
}

// drillWords say what was proven of a source.
func drillWords(s drill.Source) string {
	took := "back in " + ui.Duration(s.Recovery)
	if s.Tables > 0 {
		return fmt.Sprintf("%s, %s, %s, %s", ui.Counted(s.Tables, "table"), ui.Counted(s.Rows, "row"), ui.Size(s.Bytes), took)
	}
	return fmt.Sprintf("a sample of %s, %s, %s", ui.Counted(s.Files, "file"), ui.Size(s.Bytes), took)
}

// record is the proof as the repository keeps it. A drill of some sources only
// is no proof of the snapshot.
func (d *drillRun) record(ctx context.Context, err error) repo.Record {
	rec := repo.Record{
		Time: d.started, Host: d.host, Plan: d.s.Plan, Kind: repo.RecordDrill, Destination: d.destination,
		Snapshots: []repo.DocumentID{d.s.ID}, Result: resultOf(ctx, err),
	}
	if err == nil && !d.report.Whole {
		rec.Result = repo.ResultIncomplete
	}
	for _, s := range d.report.Sources {
		words := "proven: " + drillWords(s)
		if s.Result != drill.Proven {
			words = string(s.Result) + ": " + ui.Plain(strings.ReplaceAll(s.Reason, "\n", "; "))
			rec.Errors = append(rec.Errors, s.Name+": "+words)
		}
		rec.Steps = append(rec.Steps, repo.Step{
			Name: "drill of " + s.Name, Result: drillResults[s.Result], Start: s.Started, Duration: s.Took, Bytes: s.Bytes, Words: words,
		})
	}
	return rec
}

var drillResults = map[drill.Result]repo.Result{
	drill.Proven: repo.ResultDone, drill.NotProven: repo.ResultFailed, drill.Differs: repo.ResultDamaged,
}
