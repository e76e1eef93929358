package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// A ledger keeps figures in a file, so that measuring can be done in pieces, of
// which none takes the computer for long. It has one JSON object a line:
//
//	{"set":"1570 MB, …"}                                  of what the figures are
//	{"unit":"pass 1 restic","tool":"restic","step":…}     a figure
//	{"unit":"pass 1 restic","prepared":true}              what is not timed is done
//	{"unit":"pass 1 restic","done":true}                  all of it is measured
//
// Figures of units that are not done do not count.
type ledger struct {
	file  string
	lines []line
	ready map[string]bool
	done  map[string]bool
}

type line struct {
	Set      string `json:"set,omitempty"`
	Unit     string `json:"unit,omitempty"`
	Tool     string `json:"tool,omitempty"`
	Step     string `json:"step,omitempty"`
	Prepared bool   `json:"prepared,omitempty"`
	Done     bool   `json:"done,omitempty"`
	Version  string `json:"version,omitempty"`

	X      float64 `json:"x,omitempty"`
	Wall   float64 `json:"wall,omitempty"`
	CPU    float64 `json:"cpu,omitempty"`
	Memory float64 `json:"memory,omitempty"`
	Stored float64 `json:"stored,omitempty"`
	Added  float64 `json:"added,omitempty"`
}

// openLedger reads what a file has. Figures of another set of data are an error.
func openLedger(file, set string) (*ledger, error) {
	l := &ledger{file: file, ready: map[string]bool{}, done: map[string]bool{}}
	f, err := os.Open(file)
	if os.IsNotExist(err) {
		return l, l.write(line{Set: set})
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var n line
		if err := json.Unmarshal(s.Bytes(), &n); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		switch {
		case n.Set != "" && n.Set != set:
			return nil, fmt.Errorf("%s has figures of other data (%s): remove it, or name another with -work", file, n.Set)
		case n.Prepared:
			l.ready[n.Unit] = true
		case n.Done:
			l.done[n.Unit] = true
		default:
			l.lines = append(l.lines, n)
		}
	}
	return l, nil
}

// write appends lines to the file.
func (l *ledger) write(lines ...line) error {
	f, err := os.OpenFile(l.file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	var b strings.Builder
	for _, n := range lines {
		j, err := json.Marshal(n)
		if err != nil {
			return err
		}
		b.Write(append(j, '\n'))
	}
	_, err = f.WriteString(b.String())
	return err
}

func (l *ledger) prepared(unit string) error {
	l.ready[unit] = true
	return l.write(line{Unit: unit, Prepared: true})
}

// finish keeps the figures of a unit.
func (l *ledger) finish(unit string, r *results) error {
	var lines []line
	for _, tool := range r.tools {
		for _, step := range r.steps {
			for _, f := range r.by[tool+step] {
				lines = append(lines, line{
					Unit: unit, Tool: tool, Step: step,
					X: f.x, Wall: f.wall, CPU: f.cpu, Memory: f.memory, Stored: f.stored, Added: f.added,
				})
			}
		}
	}
	l.done[unit] = true
	l.lines = append(l.lines, lines...)
	return l.write(append(lines, line{Unit: unit, Done: true})...)
}

// results are the figures of all units that are done.
func (l *ledger) results() *results {
	r := new(results)
	for _, n := range l.lines {
		if l.done[n.Unit] && n.Step != "" {
			r.add(n.Tool, n.Step, figure{x: n.X, wall: n.Wall, cpu: n.CPU, memory: n.Memory, stored: n.Stored, added: n.Added})
		}
	}
	return r
}
