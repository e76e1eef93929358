package main

import (
	"fmt"
	"strings"
)

// What a plot is drawn with: a bar for each program and step, the longest of a
// step as wide as the plot, because steps differ by two orders of magnitude.
const (
	barHeight  = 14
	stepGap    = 12
	labelWidth = 130
	plotWidth  = 460
	fullWidth  = labelWidth + plotWidth + 140
	headHeight = 34
)

var colours = []string{"#1b6ca8", "#d1495b", "#edae49", "#66a182", "#8d6a9f"}

// plot draws one quantity as SVG.
func (r *results) plot(q quantity, tools []tool) string {
	var b strings.Builder
	y := headHeight
	for _, step := range r.stepsOf(q, tools) {
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", labelWidth-8, y+barHeight, step)
		longest := 0.0
		for _, t := range tools {
			x, _ := r.median(t.name, step, q.of)
			longest = max(longest, x)
		}
		for i, t := range tools {
			x, ok := r.median(t.name, step, q.of)
			if !ok {
				continue
			}
			width := x / longest * plotWidth
			fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n", labelWidth, y, width, barHeight-2, colours[i%len(colours)])
			fmt.Fprintf(&b, `<text x="%.1f" y="%d">%s %s</text>`+"\n", labelWidth+width+4, y+barHeight-3, fmt.Sprintf(q.format, x), t.name)
			y += barHeight
		}
		y += stepGap
	}
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="11">
<rect width="100%%" height="100%%" fill="white"/>
<text x="%d" y="20" font-size="14">%s; shorter is better</text>
%s</svg>
`, fullWidth, y, labelWidth, q.title, b.String())
}
