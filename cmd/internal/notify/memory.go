package notify

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A Memory is what was said and when. Its zero value has said nothing; it is
// plain data that the caller stores, as JSON, for the next run on this host.
type Memory struct {
	Plans    map[string]*PlanMemory `json:"plans,omitempty"`
	Copies   map[string]Copy        `json:"copies,omitempty"`   // as last seen, by copyKey; for the metrics
	Overdue  map[string]time.Time   `json:"overdue,omitempty"`  // plan or copy: when it was last called overdue
	Watched  map[string]time.Time   `json:"watched,omitempty"`  // plan or copy: since when it is watched
	Warnings map[string]time.Time   `json:"warnings,omitempty"` // Warning.About: when it was last said
	Summary  time.Time              `json:"summary,omitzero"`   // the last one
	Unsent   []Notice               `json:"unsent,omitempty"`   // what reached nobody yet, oldest first
}

// A PlanMemory is what is known of a plan's runs.
type PlanMemory struct {
	Host        string        `json:"host"`
	LastRun     time.Time     `json:"last_run,omitzero"`     // end of the last run of any result
	LastSuccess time.Time     `json:"last_success,omitzero"` // end of the last one that was done
	Duration    time.Duration `json:"duration"`
	Added       int64         `json:"added"`
	Result      Result        `json:"result"`

	Since     time.Time            `json:"since,omitzero"`     // start of the first run with trouble in a row
	Told      map[string]time.Time `json:"told,omitempty"`     // troubles that people know of: when each was last said
	Recovered time.Time            `json:"recovered,omitzero"` // when it was last said that all is well again
}

// What waits is bounded in number, age and size, so that one notice that no
// server takes does not hold up the others for ever. The newest stay.
const (
	maxUnsent    = 20
	maxUnsentAge = 7 * 24 * time.Hour // before the newest
	maxUnsentLog = 16 << 10           // bytes
)

func (m *Memory) keepUnsent(notices []Notice) {
	m.Unsent = nil
	newest := notices[len(notices)-1].Time
	for _, n := range notices[max(0, len(notices)-maxUnsent):] {
		if newest.Sub(n.Time) <= maxUnsentAge {
			n.Late, n.Log = true, cut(n.Log, maxUnsentLog)
			m.Unsent = append(m.Unsent, n)
		}
	}
}

// plan is the memory of a plan, made when there is none.
func (m *Memory) plan(name string) *PlanMemory {
	if m.Plans == nil {
		m.Plans = make(map[string]*PlanMemory)
	}
	p := m.Plans[name]
	if p == nil {
		p = &PlanMemory{}
		m.Plans[name] = p
	}
	return p
}

// note keeps what a run came to.
func (m *Memory) note(o Outcome) {
	p := m.plan(o.Plan)
	end := o.end()
	p.Host, p.Result, p.LastRun = o.Host, o.worst(), end
	if !o.Result.quiet() {
		p.Duration, p.Added = o.Duration, o.Added
	}
	if o.kept() {
		p.LastSuccess = end
	}
	m.noteCopies(o.Copies)
}

// noteState keeps the state. What is in it no more was taken out of the
// configuration, and is forgotten.
func (m *Memory) noteState(s State) {
	m.Copies = nil
	m.noteCopies(s.Copies)
	known := make(map[string]bool)
	for _, c := range s.Copies {
		known[c.Plan], known[copyKey(c)] = true, true
		p := m.plan(c.Plan)
		p.Host = orElse(p.Host, s.Host)
	}
	gone := func(key string) bool { return !known[key] }
	maps.DeleteFunc(m.Plans, func(key string, _ *PlanMemory) bool { return gone(key) })
	maps.DeleteFunc(m.Overdue, func(key string, _ time.Time) bool { return gone(key) })
	maps.DeleteFunc(m.Watched, func(key string, _ time.Time) bool { return gone(key) })
}

func (m *Memory) noteCopies(copies []Copy) {
	for _, c := range copies {
		remember(&m.Copies, copyKey(c), c)
	}
}

// copyKey names a copy. Neither part can hold a slash.
func copyKey(c Copy) string { return c.Plan + "/" + c.Destination }

func remember[V any](in *map[string]V, key string, v V) {
	if *in == nil {
		*in = make(map[string]V)
	}
	(*in)[key] = v
}

func (o Outcome) end() time.Time { return o.Start.Add(o.Duration) }

// troubles are a run's failed sources and steps, as keys: what makes two
// failures the same.
func (o Outcome) troubles() string {
	keys := []string{string(o.Result)}
	for _, s := range o.Sources {
		if !s.Result.well() {
			keys = append(keys, fmt.Sprintf("source %s %s", s.Name, s.Result))
		}
	}
	for _, s := range o.failedSteps() {
		keys = append(keys, fmt.Sprintf("step %s %s %s", s.Name, s.To, s.Result))
	}
	return strings.Join(keys, "; ")
}

// failedSteps are those that need a person.
func (o Outcome) failedSteps() (failed []Step) {
	for _, s := range o.Steps {
		if !s.Result.well() && !s.Result.quiet() {
			failed = append(failed, s)
		}
	}
	return failed
}

// kept reports whether a run made a good snapshot of everything, though another
// step may have failed or an earlier snapshot be in doubt.
func (o Outcome) kept() bool {
	switch o.Result {
	case Done:
		return true
	case Incomplete, Damaged, Interrupted:
		return false
	}
	missing := slices.ContainsFunc(o.Sources, func(s Source) bool { return !s.Result.well() })
	return o.Snapshot != "" && len(o.Doubts) == 0 && !missing
}

// settled is an outcome of which nobody has to guess what it means: a run that
// saved a snapshot was not skipped, nor its drive absent, whatever became of
// its other steps.
func (o Outcome) settled() Outcome {
	if o.Snapshot != "" && o.Result.quiet() {
		o.Result = Done
	}
	return o
}

// worst is the result of a run together with its steps: one that saved
// everything but could not copy it is no success.
func (o Outcome) worst() Result {
	failed := o.failedSteps()
	switch {
	case len(failed) == 0, o.Result != Done && o.Result != Failed:
		return o.Result
	case slices.ContainsFunc(failed, func(s Step) bool { return s.Result == Damaged }):
		return Damaged
	case o.Result == Failed:
		return Failed
	}
	return failed[0].Result
}
