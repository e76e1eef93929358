package notify

import (
	"fmt"
	"strings"
)

// details are a run for the IT provider, one fact a line.
func (s Settings) details(o Outcome) []string {
	lines := []string{
		fmt.Sprintf("Computer %s, plan %s, result: %s", o.Host, o.Plan, o.Result),
		fmt.Sprintf("Began %s, took %s", o.Start.In(s.zone()).Format("2006-01-02 15:04:05 MST"), span(o.Duration)),
	}
	if o.ID != "" {
		lines = append(lines, "Run "+o.ID)
	}
	if o.Snapshot != "" {
		lines = append(lines, fmt.Sprintf("Snapshot %s%s, %s added", o.Snapshot, at(o.To), size(o.Added)))
	}
	if o.Error != "" {
		lines = append(lines, "Error: "+o.Error)
	}
	for _, source := range o.Sources {
		lines = append(lines, fact(fmt.Sprintf("Source %s (%s)", source.Name, source.Kind), source.Result, source.Error))
	}
	for _, step := range o.Steps {
		lines = append(lines, fact("Step "+strings.TrimSpace(step.Name+" "+step.To), step.Result, stepFacts(step)...))
	}
	for _, w := range o.Warnings {
		lines = append(lines, "Warning: "+w.Words)
	}
	return lines
}

func stepFacts(s Step) (facts []string) {
	if s.Duration > 0 {
		facts = append(facts, span(s.Duration))
	}
	return append(facts, s.Note, s.Error)
}

// fact is a line about one thing; empty facts are left out.
func fact(about string, result Result, facts ...string) string {
	line := about + ": " + string(result)
	for _, f := range facts {
		if f != "" {
			line += ", " + f
		}
	}
	return line
}
