package runlog

import (
	"time"

	"chartkeep/repo"
)

// A Line is a record as JSON: in the log of this computer, and for programs that
// ask for the records. Sizes are in bytes, durations in seconds.
type Line struct {
	Type        string            `json:"message_type"` // record
	ID          repo.DocumentID   `json:"id,omitempty"` // empty: only this computer has it
	Sequence    uint64            `json:"sequence,omitempty"`
	Previous    []repo.DocumentID `json:"previous,omitempty"`
	Time        time.Time         `json:"time"`
	Duration    float64           `json:"duration"`
	Host        string            `json:"hostname"`
	User        string            `json:"username,omitempty"`
	Version     string            `json:"program_version,omitempty"`
	Plan        string            `json:"plan,omitempty"`
	Kind        repo.RecordKind   `json:"kind"`
	Result      repo.Result       `json:"result"`
	Destination string            `json:"destination,omitempty"`
	Steps       []LineStep        `json:"steps,omitempty"`
	Snapshots   []repo.DocumentID `json:"snapshots,omitempty"`
	Added       int64             `json:"data_added,omitempty"`
	AddedPacked int64             `json:"data_added_packed,omitempty"`
	Stored      int64             `json:"bytes_stored,omitempty"`
	Free        int64             `json:"bytes_free,omitempty"`
	Total       int64             `json:"bytes_total,omitempty"`
	Errors      []string          `json:"errors,omitempty"`
}

// A LineStep is one step of a record.
type LineStep struct {
	Name     string      `json:"name"`
	Result   repo.Result `json:"result"`
	Start    time.Time   `json:"start"`
	Duration float64     `json:"duration"`
	Bytes    int64       `json:"bytes,omitempty"`
	Words    string      `json:"words,omitempty"`
}

// LineOf returns a record as a line.
func LineOf(rec repo.Record) Line {
	l := Line{
		Type: "record", ID: rec.ID, Sequence: rec.Sequence, Previous: rec.Previous, Time: rec.Time, Duration: rec.Duration.Seconds(),
		Host: rec.Host, User: rec.User, Version: rec.Version, Plan: rec.Plan, Kind: rec.Kind, Result: rec.Result, Destination: rec.Destination,
		Snapshots: rec.Snapshots, Added: rec.Added, AddedPacked: rec.AddedPacked, Stored: rec.Stored, Free: rec.Free, Total: rec.Total, Errors: rec.Errors,
	}
	for _, s := range rec.Steps {
		l.Steps = append(l.Steps, LineStep{s.Name, s.Result, s.Start, s.Duration.Seconds(), s.Bytes, s.Words})
	}
	return l
}

// Record is the inverse of LineOf.
func (l Line) Record() repo.Record {
	rec := repo.Record{
		ID: l.ID, Sequence: l.Sequence, Previous: l.Previous, Time: l.Time, Duration: seconds(l.Duration),
		Host: l.Host, User: l.User, Version: l.Version, Plan: l.Plan, Kind: l.Kind, Result: l.Result, Destination: l.Destination,
		Snapshots: l.Snapshots, Added: l.Added, AddedPacked: l.AddedPacked, Stored: l.Stored, Free: l.Free, Total: l.Total, Errors: l.Errors,
	}
	for _, s := range l.Steps {
		rec.Steps = append(rec.Steps, repo.Step{Name: s.Name, Result: s.Result, Start: s.Start, Duration: seconds(s.Duration), Bytes: s.Bytes, Words: s.Words})
	}
	return rec
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
