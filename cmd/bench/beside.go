package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// besideOthers measures every step with every program, in turn.
func besideOthers(o options) error {
	if err := os.MkdirAll(o.work, 0o755); err != nil {
		return err
	}
	l, err := openLedger(ledgerFile(o.work, "programs"), o.set())
	if err != nil {
		return err
	}
	tools := found(o)
	if len(tools) == 0 {
		return errors.New("none of the programs is installed")
	}
	units := unitsOf(o, tools)
	if left(l, units) > 0 {
		if err := makeApart(); err != nil {
			return err
		}
	}
	if err := runUnits(o, l, units); err != nil {
		return err
	}
	if n := left(l, units); n > 0 {
		fmt.Fprintf(os.Stderr, "%d of %d left; the same command goes on with them\n", n, len(units))
	}
	r := l.results()
	if o.write == "" {
		fmt.Print(r.page(o, tools, ""))
		return nil
	}
	plots := strings.TrimSuffix(o.write, filepath.Ext(o.write))
	if err := replaceMeasured(o.write, r.page(o, tools, filepath.Base(plots))); err != nil {
		return err
	}
	return r.draw(plots, tools)
}

// unitsOf has each program take its turn at each set of data, another one first in
// each pass.
func unitsOf(o options, tools []tool) (units []unit) {
	for pass := range o.passes {
		for i := range tools {
			t := tools[(i+pass)%len(tools)]
			on := func(r *results) *bench {
				return &bench{tool: t, data: o.data(), work: filepath.Join(o.work, t.name), results: r}
			}
			name := fmt.Sprintf("pass %d %s", pass+1, t.name)
			units = append(units, unit{name: name, measure: func(r *results) error { return on(r).practice() }})
			if o.files > 0 {
				units = append(units, unit{name: name + " many", measure: func(r *results) error { return on(r).many() }})
			}
		}
	}
	return units
}
