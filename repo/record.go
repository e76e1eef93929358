package repo

import (
	"time"
)

// A Record says what one run did to the repository, or found in it: when, where,
// who, what came of it. Records are kept for ever (see Writer.Log).
type Record struct {
	ID       DocumentID   // its document; not part of the stored form
	Sequence uint64       // more than that of every record its writer knew of; Log sets it
	Previous []DocumentID // the records that no other followed yet; Log sets them

	Time     time.Time // start, in the zone of the host
	Duration time.Duration
	Host     string
	User     string
	Version  string // of the program
	Plan     string

	Kind        RecordKind
	Result      Result
	Destination string // as the configuration names the place
	Steps       []Step
	Snapshots   []DocumentID // that it made, or that it is about
	Added       int64        // plaintext of new chunks, bytes
	AddedPacked int64        // what they take in the repository, bytes
	Stored      int64        // what the repository takes, bytes; 0: not known
	Free, Total int64        // of the place it lies on, bytes; Total 0: not known
	Errors      []string     // in words
}

// A Step is one part of a run, such as the check after the backup.
type Step struct {
	Name     string
	Result   Result
	Start    time.Time
	Duration time.Duration
	Bytes    int64
	Words    string // what it did, or why it did not
}

// RecordKind is what a run was about. A reader shows kinds that it does not know
// as they are.
type RecordKind string

// The kinds of records.
const (
	RecordRun     RecordKind = "run" // of a plan, with all that belongs to it
	RecordBackup  RecordKind = "backup"
	RecordCheck   RecordKind = "check"
	RecordForget  RecordKind = "forget"
	RecordPrune   RecordKind = "prune"
	RecordCopy    RecordKind = "copy"
	RecordDrill   RecordKind = "drill"
	RecordRepair  RecordKind = "repair"
	RecordTag     RecordKind = "tag"
	RecordHold    RecordKind = "hold"
	RecordRelease RecordKind = "release"
)

// Result is what came of a run or of a step.
type Result string

// The results.
const (
	ResultDone        Result = "done"
	ResultFailed      Result = "failed"
	ResultIncomplete  Result = "incomplete" // saved, but some items could not be read
	ResultAbsent      Result = "absent"     // the place is not there
	ResultSkipped     Result = "skipped"
	ResultDamaged     Result = "damaged" // done, and damage was found
	ResultInterrupted Result = "interrupted"
)

// Good reports whether nothing is left to be done.
func (r Result) Good() bool { return r == ResultDone || r == ResultSkipped }
