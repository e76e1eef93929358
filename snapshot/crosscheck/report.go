package crosscheck

import (
	"fmt"
	"strings"
)

// A Report says how rows and files agree.
type Report struct {
	Rows      int64 // that name a file
	Nameless  int64 // rows that name none
	Found     int64 // rows whose file is in the snapshot
	Missing   Findings
	Outside   Findings
	Files     int64 // at places where every file ought to have a row
	Orphans   Findings
	Unchecked []string // rules that could not be followed, and why
}

// Findings are things of one kind: how many, and the first of their names.
type Findings struct {
	Number int64
	Names  []string
}

// shown is how many names are kept of each kind.
const shown = 20

func (f *Findings) add(name string) {
	if f.Number++; len(f.Names) < shown {
		f.Names = append(f.Names, name)
	}
}

// Good reports whether everything was checked, and every row has its file in the
// snapshot. Orphans are no loss.
func (r *Report) Good() bool {
	return r.Missing.Number == 0 && r.Outside.Number == 0 && len(r.Unchecked) == 0
}

// Counts is the report without names, for those who may not read them.
func (r *Report) Counts() string {
	parts := []string{fmt.Sprintf("%d of %d rows have their file", r.Found, r.Rows)}
	for _, f := range []struct {
		number    int64
		one, more string
	}{
		{r.Missing.Number, "without a file in the snapshot", ""},
		{r.Outside.Number, "with a file outside of the folders that are saved", ""},
		{r.Orphans.Number, "file without a row", "files without a row"},
		{int64(len(r.Unchecked)), "rule that could not be checked", "rules that could not be checked"},
	} {
		words := f.one
		if f.number != 1 && f.more != "" {
			words = f.more
		}
		if f.number > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", f.number, words))
		}
	}
	return strings.Join(parts, ", ")
}

// Lines are the names of what was found, one line of each kind.
func (r *Report) Lines() (lines []string) {
	for _, f := range []struct {
		what     string
		findings Findings
	}{{"missing", r.Missing}, {"outside", r.Outside}, {"without a row", r.Orphans}} {
		if f.findings.Number == 0 {
			continue
		}
		line := f.what + ": " + strings.Join(f.findings.Names, ", ")
		if n := f.findings.Number - int64(len(f.findings.Names)); n > 0 {
			line += fmt.Sprintf(" and %d more", n)
		}
		lines = append(lines, line)
	}
	for _, u := range r.Unchecked {
		lines = append(lines, "not checked: "+u)
	}
	return lines
}

// Words is the report with names, in one line.
func (r *Report) Words() string {
	return strings.Join(append([]string{r.Counts()}, r.Lines()...), "; ")
}
