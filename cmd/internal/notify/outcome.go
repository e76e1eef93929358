package notify

import "time"

// A Result is how a run, a step of it, or a source ended.
type Result string

const (
	Done        Result = "done"
	Incomplete  Result = "incomplete"  // saved, but not all of it
	Failed      Result = "failed"      // an error ended it
	Absent      Result = "absent"      // the destination was not there
	Skipped     Result = "skipped"     // another run was at work
	Suspicious  Result = "suspicious"  // saved, but out of all proportion to the runs before
	Interrupted Result = "interrupted" // cancelled, or the computer was shut down
	Damaged     Result = "damaged"     // what is stored does not read back as it was written
)

// What a Notice is about besides the result of a run.
const (
	Recovered Result = "recovered"
	Warned    Result = "warning"
	Overdue   Result = "overdue"
	Summary   Result = "summary"
	Tested    Result = "test"
)

// well reports whether nobody needs to do anything about r.
func (r Result) well() bool { return r == Done }

// quiet reports whether r is said only when the copy is overdue.
func (r Result) quiet() bool { return r == Absent || r == Skipped }

// A Run is one run of a plan.
type Run struct {
	Practice string
	Host     string
	Plan     string
	ID       string // unique, such as a UUID; shown by monitors; may be empty
	Start    time.Time
}

// An Outcome is what became of a run.
type Outcome struct {
	Run
	Duration time.Duration
	Result   Result
	Snapshot string // short ID; empty: nothing was saved
	To       string // the destination that it was saved to first
	Sources  []Source
	Steps    []Step
	Added    int64 // bytes by which the repository grew
	Error    string
	Warnings []Warning
	Doubts   []string // why it is suspicious, in words
	Log      string   // an excerpt, for the IT provider
	Copies   []Copy   // those that the run knows of; for the metrics
}

// A Source is what became of one source of the plan.
type Source struct {
	Name   string
	Kind   string // "files", "command", "mysql", "postgres"
	Result Result
	Error  string
}

// A Step is one thing that a run did: "backup", "verify", "retention",
// "prune", "check", "copy", a hook ("before", "after"), …
type Step struct {
	Name     string
	To       string // destination; empty: none of its own
	Result   Result
	Duration time.Duration
	Note     string // what was done, in a few words
	Error    string
}

// A Warning is of something that will need a person. What it is about ("space
// red") says whether two are the same; its words may change from day to day.
type Warning struct {
	About string
	Words string // a sentence: "The drive red will be full about 14 March."
}

// A Copy is what one destination holds of a plan. Times that are zero never
// were; numbers that are negative are not known.
type Copy struct {
	Plan        string
	Destination string
	Days        []time.Weekday // on which it is expected; none: every day

	LastGood   time.Time // newest snapshot that is complete and not suspicious
	LastID     string    // its short ID
	LastTry    time.Time
	LastResult Result

	Verified time.Time // the copy's data was read back last; the time of the part that was read longest ago
	Drilled  time.Time // it was last restored for proof

	Size        int64 // bytes in the repository
	Free        int64 // bytes free beside it
	Full        time.Time
	AbsentSince time.Time
	Suspicious  int       // snapshots that wait for a person's word
	Next        time.Time // next run, as scheduled
}

// A State is all copies of a practice.
type State struct {
	Practice string
	Host     string
	Copies   []Copy
	Warnings []Warning
}
