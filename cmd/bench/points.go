package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// sizes are all that there are figures for, in order.
func (r *results) sizes() (list []float64) {
	for _, all := range r.by {
		for _, f := range all {
			if !slices.Contains(list, f.x) {
				list = append(list, f.x)
			}
		}
	}
	slices.Sort(list)
	return list
}

// point is the figure of median wall time of a step at a size.
func (r *results) point(tool, step string, x float64) (p point, ok bool) {
	var all []*figure
	for _, f := range r.by[tool+step] {
		if f.x == x {
			all = append(all, f)
		}
	}
	if len(all) == 0 {
		return p, false
	}
	slices.SortFunc(all, func(a, b *figure) int { return cmp.Compare(a.wall, b.wall) })
	return point{tool, step, *all[(len(all)-1)/2]}, true
}

// What a line plot is drawn with: a panel for each quantity, side by side.
const (
	panelWidth  = 250
	panelHeight = 190
	panelGap    = 60
	panelTop    = 50
)

var panels = []quantity{
	{"wall time, s", "", "%.3g", func(f *figure) float64 { return f.wall }},
	{"most memory, MB", "", "%.3g", func(f *figure) float64 { return f.memory }},
	{"added, MB", "", "%.3g", func(f *figure) float64 { return f.added }},
}

// lines draws the steps of a study against the size.
func (s study) lines(r *results) string {
	var b strings.Builder
	for i, q := range panels {
		fmt.Fprintf(&b, "<g transform=\"translate(%d,%d)\">\n", 45+i*(panelWidth+panelGap), panelTop)
		s.panel(&b, r, q)
		b.WriteString("</g>\n")
	}
	for i, step := range s.plotted {
		y := panelTop + panelHeight + 45 + 16*i
		fmt.Fprintf(&b, `<rect x="45" y="%d" width="12" height="4" fill="%s"/><text x="63" y="%d">%s</text>`+"\n", y, colours[i%len(colours)], y+6, step)
	}
	width, height := 45+len(panels)*(panelWidth+panelGap), panelTop+panelHeight+55+16*len(s.plotted)
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="11">
<rect width="100%%" height="100%%" fill="white"/>
<text x="45" y="20" font-size="14">%s</text>
%s</svg>
`, width, height, s.title, b.String())
}

// panel draws one quantity, both axes from zero on.
func (s study) panel(b *strings.Builder, r *results, q quantity) {
	sizes := r.sizes()
	if len(sizes) == 0 {
		return
	}
	right, top := sizes[len(sizes)-1], 0.0
	for _, step := range s.plotted {
		for _, x := range sizes {
			if p, ok := r.point("", step, x); ok {
				top = max(top, q.of(&p.figure))
			}
		}
	}
	if top <= 0 {
		top = 1
	}
	fmt.Fprintf(b, `<text x="0" y="-8">%s</text><path d="M0 0V%d H%d" fill="none" stroke="#888"/>`+"\n", q.title, panelHeight, panelWidth)
	fmt.Fprintf(b, `<text x="-4" y="10" text-anchor="end">%s</text><text x="-4" y="%d" text-anchor="end">0</text>`+"\n", fmt.Sprintf(q.format, top), panelHeight)
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end">%g %s</text>`+"\n", panelWidth, panelHeight+16, right, s.x)
	for i, step := range s.plotted {
		var path []string
		for _, x := range sizes {
			if p, ok := r.point("", step, x); ok {
				path = append(path, fmt.Sprintf("%.1f,%.1f", x/right*panelWidth, panelHeight-max(q.of(&p.figure), 0)/top*panelHeight))
			}
		}
		fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.Join(path, " "), colours[i%len(colours)])
	}
}
