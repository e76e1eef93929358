package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// results are the figures of all passes, by program and step.
type results struct {
	tools, steps []string // in the order in which they were first run
	by           map[string][]*figure
}

func (r *results) add(tool, step string, f figure) *figure {
	if r.by == nil {
		r.by = map[string][]*figure{}
	}
	if !slices.Contains(r.steps, step) {
		r.steps = append(r.steps, step)
	}
	if !slices.Contains(r.tools, tool) {
		r.tools = append(r.tools, tool)
	}
	r.by[tool+step] = append(r.by[tool+step], &f)
	return &f
}

// drop takes the last figure of a step back.
func (r *results) drop(tool, step string) {
	all := r.by[tool+step]
	r.by[tool+step] = all[:len(all)-1]
}

// median returns one quantity of a step; ok is false when it was not measured.
func (r *results) median(tool, step string, of func(*figure) float64) (x float64, ok bool) {
	var all []float64
	for _, f := range r.by[tool+step] {
		all = append(all, of(f))
	}
	if len(all) == 0 {
		return 0, false
	}
	slices.Sort(all)
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2, true
}

// A quantity is one table and one plot.
type quantity struct {
	title, file, format string
	of                  func(*figure) float64
}

var quantities = []quantity{
	{"Wall time, seconds", "wall", "%.2f", func(f *figure) float64 { return f.wall }},
	{"Processor time, seconds", "cpu", "%.2f", func(f *figure) float64 { return f.cpu }},
	{"Most memory, MB", "memory", "%.0f", func(f *figure) float64 { return f.memory }},
	{"Repository, MB", "repository", "%.0f", func(f *figure) float64 { return f.stored }},
}

// passes says what a figure is made of.
func passes(n int) string {
	if n == 1 {
		return "one pass"
	}
	return fmt.Sprintf("medians of up to %d passes", n)
}

// page is the measured part of the page. The plots are named after it; without a
// name there are none.
func (r *results) page(o options, tools []tool, plots string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured on %s with `make bench`: %s; %s; %s, page cache %s.\n\n",
		time.Now().Format(time.DateOnly), machine(), o.set(), passes(o.passes), coldWords())
	for _, t := range tools {
		fmt.Fprintf(&b, "- %s: %s\n", t.name, t.version)
	}
	for _, q := range quantities {
		fmt.Fprintf(&b, "\n### %s\n\n%s", q.title, r.table(q, tools))
		if plots != "" {
			fmt.Fprintf(&b, "\n![%s](%s-%s.svg)\n", q.title, plots, q.file)
		}
	}
	return b.String()
}

func coldWords() string {
	if cold() {
		return "dropped before each step"
	}
	return "not dropped"
}

func (r *results) table(q quantity, tools []tool) string {
	var b strings.Builder
	b.WriteString("| step |")
	for _, t := range tools {
		fmt.Fprintf(&b, " %s |", t.name)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(tools)) + "\n")
	for _, step := range r.stepsOf(q, tools) {
		fmt.Fprintf(&b, "| %s |", step)
		for _, t := range tools {
			cell := "–"
			if x, ok := r.median(t.name, step, q.of); ok {
				cell = fmt.Sprintf(q.format, x)
			}
			fmt.Fprintf(&b, " %s |", cell)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// stepsOf are the steps for which the quantity is anything.
func (r *results) stepsOf(q quantity, tools []tool) (list []string) {
	for _, step := range r.steps {
		if slices.ContainsFunc(tools, func(t tool) bool { x, _ := r.median(t.name, step, q.of); return x > 0 }) {
			list = append(list, step)
		}
	}
	return list
}

// machine describes the computer, without its name.
func machine() string {
	model := runtime.GOARCH
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, after, ok := strings.Cut(string(b), "model name\t: "); ok {
			model, _, _ = strings.Cut(after, "\n")
		}
	}
	return fmt.Sprintf("%s, %d processors, %s", strings.TrimSpace(model), runtime.NumCPU(), runtime.GOOS)
}

// draw writes a plot for each quantity.
func (r *results) draw(plots string, tools []tool) error {
	for _, q := range quantities {
		name := fmt.Sprintf("%s-%s.svg", plots, q.file)
		if err := os.WriteFile(filepath.Clean(name), []byte(r.plot(q, tools)), 0o644); err != nil {
			return err
		}
	}
	return nil
}
