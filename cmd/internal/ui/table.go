package ui

import (
	"strings"
	"unicode/utf8"
)

// A Table is rows of text under a heading. A heading that begins with '>' is a
// column that is aligned to the right. A cell may hold several lines.
type Table struct {
	heads []string
	right []bool
	rows  [][]string
}

// NewTable makes an empty table.
func NewTable(heads ...string) *Table {
	t := &Table{}
	for _, h := range heads {
		name, right := strings.CutPrefix(h, ">")
		t.heads, t.right = append(t.heads, name), append(t.right, right)
	}
	return t
}

// Row adds a row.
func (t *Table) Row(cells ...string) {
	lines := make([][]string, len(cells))
	height := 1
	for i, c := range cells {
		lines[i] = strings.Split(c, "\n")
		height = max(height, len(lines[i]))
	}
	for y := range height {
		row := make([]string, len(cells))
		for x := range cells {
			if y < len(lines[x]) {
				row[x] = lines[x][y]
			}
		}
		t.rows = append(t.rows, row)
	}
}

// Print prints the table, with a line under its heading.
func (u *UI) Table(t *Table) {
	if u.JSON {
		return
	}
	widths := t.widths()
	u.Print("%s", t.line(t.heads, widths))
	total := 2 * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	u.Print("%s", strings.Repeat("-", total))
	for _, r := range t.rows {
		u.Print("%s", t.line(r, widths))
	}
}

func (t *Table) widths() []int {
	widths := make([]int, len(t.heads))
	for i, h := range t.heads {
		widths[i] = utf8.RuneCountInString(h)
	}
	for _, r := range t.rows {
		for i, c := range r {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	return widths
}

func (t *Table) line(cells []string, widths []int) string {
	var b strings.Builder
	for i, c := range cells {
		if i > 0 {
			b.WriteString("  ")
		}
		pad := strings.Repeat(" ", max(0, widths[i]-utf8.RuneCountInString(c)))
		if t.right[i] {
			b.WriteString(pad + c)
		} else {
			b.WriteString(c + pad)
		}
	}
	return strings.TrimRight(b.String(), " ")
}
