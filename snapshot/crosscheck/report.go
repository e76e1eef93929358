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
		number int64
		words  string
	}{
		{r.Missing.Number, "%d without a file in the snapshot"},
		{r.Outside.Number, "%d with a file outside of the folders that are saved"},
		{r.Orphans.Number, "%d files without a row"},
		{int64(len(r.Unchecked)), "%d rules that could not be checked"},
	} {
		if f.number > 0 {
			parts = append(parts, fmt.Sprintf(f.words, f.number))
		}
	}
	return strings.Join(parts, ", ")
}

// Words is the report with names.
func (r *Report) Words() string {
	parts := []string{r.Counts()}
	for _, f := range []struct {
		what     string
		findings Findings
	}{{"missing", r.Missing}, {"outside", r.Outside}, {"without a row", r.Orphans}} {
		if f.findings.Number == 0 {
			continue
		}
		more := ""
		if n := f.findings.Number - int64(len(f.findings.Names)); n > 0 {
			more = fmt.Sprintf(" and %d more", n)
		}
		parts = append(parts, f.what+": "+strings.Join(f.findings.Names, ", ")+more)
	}
	for _, u := range r.Unchecked {
		parts = append(parts, "not checked: "+u)
	}
	return strings.Join(parts, "; ")
}
