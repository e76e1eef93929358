package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// grown are figures of two steps at three sizes; of one there are three passes.
func grown() *results {
	r := new(results)
	for _, wall := range []float64{9, 2, 3} {
		r.add("", "backup", figure{x: 100, wall: wall, memory: 80, added: 1})
	}
	for i, x := range []float64{400, 200} {
		r.add("", "backup", figure{x: x, wall: float64(8 - 2*i), memory: 80, added: -1})
		r.add("", "check", figure{x: x, wall: 1})
	}
	return r
}

var grownStudy = study{
	name: "grown", title: "What grows", x: "nights", words: "As said.", plotted: []string{"backup"},
}

func TestPointsAreMediansInTheOrderOfSizes(t *testing.T) {
	var got []string
	for _, p := range grown().points() {
		got = append(got, fmt.Sprint(p.step, " ", p.x, " ", p.wall))
	}
	want := "backup 100 3, backup 200 6, check 200 1, backup 400 8, check 400 1"
	if is := strings.Join(got, ", "); is != want {
		t.Errorf("the points are\n%s, want\n%s", is, want)
	}
}

func TestAPlotGoesThroughItsPoints(t *testing.T) {
	svg := grownStudy.lines(grown())
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
	}
	// Sizes to the right, from 0 to 400 on 250 points; wall time upwards, from 0 to 8 on 190.
	if want := `points="62.5,118.8 125.0,47.5 250.0,0.0"`; !strings.Contains(svg, want) {
		t.Errorf("no line through %s in\n%s", want, svg)
	}
	if strings.Contains(svg, "check") {
		t.Error("a step is plotted that is not among those to be plotted")
	}
	if strings.Count(svg, "NaN")+strings.Count(svg, "Inf") > 0 {
		t.Error("a point is not a number")
	}
}

func TestAStudyHasItsOwnPartOfThePage(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.md")
	const before, other = "# Page\n\n", "<!-- measured: begin -->\nbeside others\n<!-- measured: end -->\n"
	if err := os.WriteFile(page, []byte(before+other), 0o600); err != nil {
		t.Fatal(err)
	}
	read := func() string {
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for range 2 {
		if err := grownStudy.report(options{write: page}, grown(), "version 1"); err != nil {
			t.Fatal(err)
		}
	}
	text := read()
	if !strings.HasPrefix(text, before+other) {
		t.Errorf("what is not the study's has changed:\n%s", text)
	}
	for _, once := range []string{"## What grows", "| 100 | backup | 3.00 |", "![What grows](page-grown.svg)", "version 1"} {
		if n := strings.Count(text, once); n != 1 {
			t.Errorf("%q is there %d times, want once:\n%s", once, n, text)
		}
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(page), "page-grown.svg")); err != nil {
		t.Error(err)
	}
	if err := replaceMeasured(page, "anew\n"); err != nil {
		t.Fatal(err)
	}
	if text := read(); !strings.Contains(text, "begin -->\nanew\n<!--") || !strings.Contains(text, "## What grows") {
		t.Errorf("the part beside others was not replaced alone:\n%s", text)
	}
	if err := replacePart(page, "absent", ""); err == nil {
		t.Error("a part that the page does not have was replaced")
	}
}
