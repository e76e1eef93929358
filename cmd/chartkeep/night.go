package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"chartkeep/cmd/internal/config"
	"chartkeep/cmd/internal/notify"
	"chartkeep/cmd/internal/preset"
	"chartkeep/cmd/internal/runlog"
	"chartkeep/cmd/internal/ui"
	"chartkeep/index"
	"chartkeep/repo"
	"chartkeep/repo/storage"
	"chartkeep/snapshot"
)

// A night is one run of a plan:
//
//	hooks before → backup → hooks after → verify → cross-check → retention → prune → check
//	             at the first destination that is there
//	→ for every other one that is there: copy → retention → prune → check
//	→ at the first one: drill, when it is due
//	→ maintenance of the databases
//	→ records, notices
//
// Every step is noted with what came of it. The steps after one that failed are
// done as far as they do not need it.
type night struct {
	*program
	config *config.Config
	plan   config.Plan
	memory *notify.Memory

	out      notify.Outcome
	started  []time.Time     // of each step
	read     []int64         // bytes that each step has read back
	reading  int64           // by the step that goes on
	said     []string        // what each step's command wrote, or what a notice is no place for: names
	saying   string          // by the step that goes on
	filled   []preset.Filled // the plan's sources, when they were read
	saved    *snapshot.Snapshot
	home     *opened // where it was saved
	all      []*opened
	wanted   []string // names of the plan's destinations
	absent   []*site
	verified []index.PackID // at home, read back after they were written
	hookLog  bytes.Buffer
	doubtful bool // a snapshot of the plan waits for a person's word
}

// opened is a destination whose repository is open.
type opened struct {
	*site
	r      *repo.Repository
	stored []repo.DocumentID // snapshots that the run has stored here
	finish func() error
}

func newRunID() string {
	b := make([]byte, 16)
	rand.Read(b)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80 // RFC 9562, version 4
	h := hex.EncodeToString(b)
	return fmt.Sprintf("%s-%s-%s-%s-%s", h[:8], h[8:12], h[12:16], h[16:20], h[20:])
}

// run does everything, and says what came of it.
func (n *night) run(ctx context.Context) error {
	n.memory = n.noticeMemory()
	err := n.steps(ctx)
	for _, o := range n.all {
		n.foresee(ctx, o)
		n.record(ctx, o)
	}
	n.recordOthers(ctx)
	n.conclude(ctx, err)
	n.out.Copies = n.states(context.WithoutCancel(ctx))
	n.closeAll()
	n.tell(context.WithoutCancel(ctx))
	return n.verdict(ctx, err)
}

func (n *night) closeAll() {
	for _, o := range n.all {
		if err := o.finish(); err != nil {
			n.Warn("%s: %s", o.Name, oneLine(err))
		}
	}
}

// steps are the night's work. Its error is one that left nothing else to do.
func (n *night) steps(ctx context.Context) error {
	sites, err := n.sites(ctx, n.config, n.plan)
	if err != nil {
		return err
	}
	n.openAll(ctx, sites)
	if len(n.all) == 0 {
		return n.noneOpen()
	}
	n.begin(ctx)
	err = n.hooks(ctx, "before", n.plan.Before)
	if err == nil {
		err = n.backupSomewhere(ctx)
	}
	after := n.hooks(context.WithoutCancel(ctx), "after", n.plan.After)
	if err = cmp.Or(err, after); err != nil && ctx.Err() == nil {
		n.hooks(ctx, "on_failure", n.plan.OnFailure)
	}
	if ctx.Err() == nil {
		n.follow(ctx)
		n.drillWhenDue(ctx)
	}
	if ctx.Err() == nil {
		n.maintain(ctx)
	}
	return nil
}

// openAll opens the destinations that are there.
func (n *night) openAll(ctx context.Context, sites []*site) {
	for _, s := range sites {
		n.wanted = append(n.wanted, s.Name)
		if s.program == nil {
			n.absent = append(n.absent, s)
			n.Remark("%s", oneLine(s.why))
			continue
		}
		n.step(ctx, "open", s.Name, func() (string, error) {
			o, err := n.openSite(ctx, s)
			if err == nil {
				n.all = append(n.all, o)
			}
			return "", err
		})
	}
}

// openSite opens a destination and takes its lock of runs.
func (n *night) openSite(ctx context.Context, s *site) (*opened, error) {
	if s.broken != nil {
		return nil, s.broken
	}
	st, err := s.program.openStore()
	if err != nil {
		return nil, err
	}
	r, err := s.program.open(ctx, st)
	if err != nil {
		return nil, errors.Join(err, storage.Close(st))
	}
	o := &opened{site: s, r: r}
	o.finish = func() error { return errors.Join(r.Close(), storage.Close(st)) }
	lock, err := storage.LockRun(ctx, st, repositoryWait)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
	case err != nil:
		return nil, errors.Join(fmt.Errorf("%s: another computer runs a plan on it: %w", s.program.location, err), o.finish())
	default:
		o.finish = func() error { return errors.Join(lock.Close(), r.Close(), storage.Close(st)) }
	}
	return o, nil
}

// repositoryWait is how long a run waits for another computer's on the same
// repository.
const repositoryWait = time.Hour

// noneOpen is the end of a run without a destination.
func (n *night) noneOpen() error {
	if len(n.absent) > 0 && len(n.out.Steps) == 0 {
		return noneThere(n.plan, n.absent[0].why)
	}
	return failed("What is wrong stands above.", "plan %s: no destination could be opened", n.plan.Name)
}

// step does one thing and notes what came of it.
func (n *night) step(ctx context.Context, name, to string, work func() (note string, err error)) error {
	began := time.Now()
	note, err := work()
	s := notify.Step{Name: name, To: to, Result: n.resultOf(ctx, err), Duration: time.Since(began), Note: note}
	if err != nil {
		s.Error = oneLine(err)
		n.Warn("%s: %s", stepWords(name, to), s.Error)
	} else if note != "" {
		n.Remark("%s: %s", stepWords(name, to), note)
	}
	if name == "open" && err == nil {
		return nil // worth no line
	}
	n.out.Steps = append(n.out.Steps, s)
	n.started, n.read, n.said = append(n.started, began), append(n.read, n.reading), append(n.said, n.saying)
	n.reading, n.saying = 0, ""
	return err
}

func stepWords(name, to string) string {
	if to == "" {
		return name
	}
	return name + " (" + to + ")"
}

// resultOf is what an error makes of a step.
func (n *night) resultOf(ctx context.Context, err error) notify.Result {
	if err == nil {
		return notify.Done
	}
	switch explain(ctx, err).code {
	case exitIncomplete:
		return notify.Incomplete
	case exitAbsent:
		return notify.Absent
	case exitLocked:
		return notify.Skipped
	case exitDamage:
		return notify.Damaged
	case exitInterrupted:
		return notify.Interrupted
	}
	return notify.Failed
}

// gravity orders results, the gravest last.
var gravity = []notify.Result{
	notify.Done, notify.Skipped, notify.Absent, notify.Suspicious, notify.Incomplete, notify.Damaged, notify.Failed, notify.Interrupted,
}

func graver(a, b notify.Result) notify.Result {
	if slices.Index(gravity, a) < slices.Index(gravity, b) {
		return b
	}
	return a
}

// conclude sums up the steps.
func (n *night) conclude(ctx context.Context, err error) {
	n.out.Duration = time.Since(n.out.Start)
	n.out.Result = notify.Done
	if err != nil {
		n.out.Result, n.out.Error = n.resultOf(ctx, err), oneLine(err)
	}
	for _, s := range n.out.Steps {
		if s.Name == maintenanceStep {
			continue // it is no part of the backup
		}
		if s.Result != notify.Absent || n.saved == nil {
			n.out.Result = graver(n.out.Result, s.Result)
		}
		if n.out.Error == "" && s.Error != "" && s.Result != notify.Absent {
			n.out.Error = stepWords(s.Name, s.To) + ": " + s.Error
		}
	}
	if n.doubtful {
		n.out.Result = graver(n.out.Result, notify.Suspicious)
	}
	if n.saved != nil {
		n.out.Snapshot, n.out.Sources = n.saved.ID.Short(), sourceResults(n.saved)
		n.out.Doubts, n.out.Added = n.saved.Suspicion, n.saved.Summary.DataAddedPacked
	}
	n.out.Log = tail(n.hookLog.String(), logExcerpt)
}

// logExcerpt is how much of the hooks' output goes into a notice, bytes.
const logExcerpt = 8 << 10

func tail(s string, n int) string {
	if len(s) > n {
		return "…" + s[len(s)-n:]
	}
	return s
}

func sourceResults(s *snapshot.Snapshot) (all []notify.Source) {
	for _, r := range s.Sources {
		o := notify.Source{Name: r.Name, Kind: r.Kind, Result: notify.Done, Error: r.Error}
		if r.Error != "" {
			o.Result = notify.Incomplete
			if r.Files == 0 {
				o.Result = notify.Failed
			}
		}
		all = append(all, o)
	}
	return all
}

// verdict is the run's end for whoever started it.
func (n *night) verdict(ctx context.Context, err error) error {
	n.Object(runObjectOf(n))
	if err != nil {
		return err
	}
	text := fmt.Errorf("plan %s: %s", n.plan.Name, cmp.Or(n.out.Error, string(n.out.Result)))
	switch n.out.Result {
	case notify.Done:
		n.Say("plan %s done in %s", n.plan.Name, ui.Duration(n.out.Duration))
		return nil
	case notify.Suspicious:
		n.Say("plan %s done in %s; retention waits: a snapshot looks wrong", n.plan.Name, ui.Duration(n.out.Duration))
		return nil
	case notify.Incomplete:
		return &failure{exitIncomplete, text, "Everything else was saved. What is missing is named above."}
	case notify.Damaged:
		return &failure{exitDamage, text, "What mends it stands above, with each fault."}
	}
	return &failure{exitFailed, text, "What failed is named above; what was saved is listed by: chartkeep snapshots"}
}

// severity orders exit codes of several plans.
func severity(code int) int {
	return slices.Index([]int{exitDone, exitLocked, exitAbsent, exitIncomplete, exitDamage, exitFailed}, code)
}

// skip notes a run that another one stood in the way of.
func (n *night) skip(ctx context.Context, busy *runlog.BusyError) {
	n.memory = n.noticeMemory()
	n.out.Result, n.out.Error = notify.Skipped, busy.Error()
	n.out.Duration = time.Since(n.out.Start)
	n.keep(ctx, n.recordAt("", notify.Skipped))
	n.tell(ctx)
	n.Object(runObjectOf(n))
}
