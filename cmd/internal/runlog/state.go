package runlog

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"chartkeep/repo"
	"chartkeep/repo/storage"
	"chartkeep/repo/storage/local"
)

// State is what a computer knows of a plan at a destination, also while the drive
// is away. Times that are zero have not been.
type State struct {
	Plan        string          `json:"plan"`
	Destination string          `json:"destination"`
	Tried       time.Time       `json:"tried,omitzero"`        // the end of the last attempt
	Result      repo.Result     `json:"result,omitempty"`      // what came of it
	Seen        time.Time       `json:"seen,omitzero"`         // when the destination was there last
	AbsentSince time.Time       `json:"absent_since,omitzero"` // the first attempt that it was missing at, if it still is
	Saved       time.Time       `json:"saved,omitzero"`        // the start of the last run that saved a snapshot
	Complete    time.Time       `json:"complete,omitzero"`     // likewise, a complete one
	Snapshot    repo.DocumentID `json:"snapshot,omitempty"`    // the one of Saved
	Proven      time.Time       `json:"proven,omitzero"`       // when stored data was last read back and found good
	Failures    int             `json:"failures,omitempty"`    // attempts in a row that saved nothing though the destination was there
}

// proofs are the steps that read stored data back.
var proofs = []string{"verify", "check", "drill"}

// Note takes in what came of a run.
func (s *State) Note(rec repo.Record) {
	if rec.Result == repo.ResultSkipped {
		return
	}
	s.Tried, s.Result = rec.Time.Add(rec.Duration), rec.Result
	if rec.Result == repo.ResultAbsent {
		if s.AbsentSince.IsZero() {
			s.AbsentSince = rec.Time
		}
		return
	}
	s.Seen, s.AbsentSince = s.Tried, time.Time{}
	s.noteProofs(rec)
	if rec.Kind != repo.RecordRun && rec.Kind != repo.RecordBackup && rec.Kind != repo.RecordCopy {
		return
	}
	if len(rec.Snapshots) == 0 {
		s.Failures++
		return
	}
	s.Saved, s.Snapshot, s.Failures = rec.Time, rec.Snapshots[len(rec.Snapshots)-1], 0
	if rec.Result != repo.ResultIncomplete {
		s.Complete = rec.Time
	}
}

func (s *State) noteProofs(rec repo.Record) {
	for _, step := range rec.Steps {
		if slices.Contains(proofs, step.Name) && step.Result == repo.ResultDone && step.Bytes > 0 {
			s.Proven = step.Start.Add(step.Duration)
		}
	}
}

const stateFolder = "state"

// LoadState returns what is known of a plan at a destination; at first that is
// nothing but the two names.
func LoadState(ctx context.Context, dir, plan, destination string) (State, error) {
	s := State{Plan: plan, Destination: destination}
	st, err := local.New(dir)
	if errors.Is(err, storage.ErrAbsent) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("state of plan %s at %s: %w", plan, destination, err)
	}
	defer storage.Close(st)
	read, err := readState(ctx, st, s.file())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s, nil
	case err != nil:
		return s, fmt.Errorf("state of plan %s at %s: %w", plan, destination, err)
	case read.Plan != plan || read.Destination != destination:
		return s, fmt.Errorf("state of plan %s at %s: the file %s is of another", plan, destination, s.file())
	}
	return read, nil
}

const maxState = 64 << 10

func readState(ctx context.Context, st storage.Store, name string) (s State, err error) {
	b, err := storage.ReadAll(ctx, st, name, maxState)
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	return s, err
}

// Save stores the state, in one step and durably. The folder is made if need be.
func (s State) Save(ctx context.Context, dir string) error {
	b, err := json.MarshalIndent(s, "", "  ")
	if err == nil {
		err = s.put(ctx, dir, append(b, '\n'))
	}
	if err != nil {
		return fmt.Errorf("state of plan %s at %s: %w", s.Plan, s.Destination, err)
	}
	return nil
}

func (s State) put(ctx context.Context, dir string, b []byte) error {
	st, err := local.Create(dir)
	if err != nil {
		return err
	}
	defer storage.Close(st)
	return storage.Replace(ctx, st, s.file(), b)
}

func (s State) file() string {
	return path.Join(stateFolder, plainName(s.Plan)+"."+plainName(s.Destination)+".json")
}

// plainName is a name as the configuration allows it, or the hash of another.
func plainName(name string) string {
	if name != "" && len(name) < 64 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == "" && name[0] != '-' && name[0] != '_' {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return "x" + hex.EncodeToString(sum[:16])
}

// States returns all that is known, by plan and destination. What cannot be read
// is returned as errors beside the others.
func States(ctx context.Context, dir string) (all []State, broken []error, err error) {
	st, err := local.New(dir)
	if errors.Is(err, storage.ErrAbsent) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("states of plans: %w", err)
	}
	defer storage.Close(st)
	for info, err := range st.List(ctx, stateFolder) {
		if err != nil {
			return nil, nil, fmt.Errorf("states of plans: %w", err)
		}
		s, err := readState(ctx, st, info.Name)
		if err != nil {
			broken = append(broken, fmt.Errorf("%s: %w", info.Name, err))
			continue
		}
		all = append(all, s)
	}
	return all, broken, nil
}
