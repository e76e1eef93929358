package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A study measures this program alone, by one size that grows or one choice.
type study struct {
	name, title string
	x           string // what the size is
	words       string // how it is measured
	units       func(*lab) []unit
	plotted     []string // steps; none: no plot
}

var studies = []study{filesStudy, streamStudy, nightsStudy, yearStudy, largeStudy, levelsStudy}

// lab is where a study runs the program: a bench with a folder of its own.
type lab struct {
	bench
	o    options
	kept string // folder of what is saved; it stays from unit to unit
}

func runStudy(o options, name string) error {
	s, err := studyOf(name)
	if err != nil {
		return err
	}
	tools := found(options{program: o.program, only: ours})
	if len(tools) == 0 {
		return fmt.Errorf("%s is not there", o.program)
	}
	work := filepath.Join(o.work, name)
	if err := errors.Join(os.MkdirAll(work, 0o755), os.MkdirAll(work+"-data", 0o755)); err != nil {
		return err
	}
	l, err := openLedger(ledgerFile(o.work, name), fmt.Sprintf("seed %d, shrunk %d times", o.seed, o.shrink))
	if err != nil {
		return err
	}
	version := tools[0].version
	tools[0].name = "" // there is no other one here
	at := &lab{bench: bench{tool: tools[0], work: work, data: o.data()}, o: o, kept: work + "-data"}
	units := s.units(at)
	for i := range units {
		measure := units[i].measure
		units[i].measure = func(r *results) error { at.results = r; return measure(r) }
	}
	if err := runUnits(o, l, units); err != nil || o.prepareOnly {
		return err
	}
	if n := left(l, units); n > 0 {
		fmt.Fprintf(os.Stderr, "%s: %d of %d left; the same command goes on with them\n", name, n, len(units))
	} else if err := errors.Join(os.RemoveAll(work), os.RemoveAll(at.kept)); err != nil {
		return err
	}
	return s.report(o, l.results(), version)
}

func studyOf(name string) (study, error) {
	var names []string
	for _, s := range studies {
		if s.name == name {
			return s, nil
		}
		names = append(names, s.name)
	}
	return study{}, fmt.Errorf("no study %s: there are %s", name, strings.Join(names, ", "))
}

// report writes what is measured so far.
func (s study) report(o options, r *results, version string) error {
	text := fmt.Sprintf("Measured on %s with `go run ./cmd/bench %s`: %s; %s; page cache %s. %s\n\n%s",
		time.Now().Format(time.DateOnly), s.name, machine(), version, coldWords(), s.words, s.table(r))
	if o.write == "" {
		fmt.Print(text)
		return nil
	}
	if len(s.plotted) > 0 {
		plot := strings.TrimSuffix(o.write, filepath.Ext(o.write)) + "-" + s.name + ".svg"
		if err := os.WriteFile(plot, []byte(s.lines(r)), 0o644); err != nil {
			return err
		}
		text += fmt.Sprintf("\n![%s](%s)\n", s.title, filepath.Base(plot))
	}
	if err := s.place(o.write); err != nil {
		return err
	}
	return replacePart(o.write, s.name, text)
}

// place adds the study's part to a page that does not have it.
func (s study) place(page string) error {
	old, err := os.ReadFile(page)
	if err != nil || strings.Contains(string(old), fmt.Sprintf(begin, " "+s.name)) {
		return err
	}
	part := fmt.Sprintf("\n## %s\n\n"+begin+end, s.title, " "+s.name, " "+s.name)
	return os.WriteFile(page, append(old, part...), 0o644)
}

// table has a row for each step at each size.
func (s study) table(r *results) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s | step | wall, s | processor, s | most memory, MB | added, MB |\n|---|---|---|---|---|---|\n", s.x)
	for _, p := range r.points() {
		added := "–"
		if p.added != 0 {
			added = fmt.Sprintf("%.3g", p.added)
		}
		x := fmt.Sprintf("%g", p.x)
		if p.tool != "" {
			x = p.tool
		}
		fmt.Fprintf(&b, "| %s | %s | %.2f | %.2f | %.0f | %s |\n", x, p.step, p.wall, p.cpu, p.memory, added)
	}
	return b.String()
}

// point is the median of a step at one size.
type point struct {
	tool, step string
	figure
}

// points are in the order of sizes, then of steps.
func (r *results) points() (list []point) {
	for _, x := range r.sizes() {
		for _, tool := range r.tools {
			for _, step := range r.steps {
				if p, ok := r.point(tool, step, x); ok {
					list = append(list, p)
				}
			}
		}
	}
	return list
}

// measure runs one command in the study, for one size. The folder's growth is what
// was added.
func (l *lab) measure(x float64, step, script string, stdin io.Reader) *figure {
	before := size(l.repository())
	l.stdin = stdin
	f := l.step(step, script, "")
	l.stdin = nil
	if f != nil {
		f.x, f.added = x, float64(size(l.repository())-before)/1e6
	}
	return f
}

// as has what follows measured under a name of its own.
func (l *lab) as(name string) *lab {
	other := *l
	other.name = name
	return &other
}
