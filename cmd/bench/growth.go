package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// filesStudy is a tree of more and more small files.
var filesStudy = study{
	name: "files", title: "A night over unchanged small files", x: "files",
	words:   "Files of 100 to 1,900 bytes, 100 in a folder; each number in a repository of its own. Then ten files are changed.",
	plotted: []string{"unchanged", "ten changed"},
	units: func(l *lab) (units []unit) {
		for _, n := range []int{100_000, 300_000, 1_000_000} {
			n /= l.o.shrink
			units = append(units, unit{
				name:    fmt.Sprint(n),
				prepare: func() error { return l.smallTree(n) },
				measure: func(*results) error { return l.night(n) },
			})
		}
		return units
	},
}

func (l *lab) tree() string { return filepath.Join(l.kept, "tree") }

func smallName(i int) string { return fmt.Sprintf("%03d/%02d/%07d", i/10_000, i/100%100, i) }

// smallTree brings the tree to n files.
func (l *lab) smallTree(n int) error {
	for i := range n {
		name := filepath.Join(l.tree(), smallName(i))
		if _, err := os.Lstat(name); err == nil {
			continue
		}
		if i%100 == 0 {
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				return err
			}
		}
		if err := os.WriteFile(name, smallContent(l.o.seed, i, 0), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func smallContent(seed uint64, i, version int) []byte {
	r := rand.New(rand.NewPCG(seed+uint64(version), uint64(i)))
	if i%2 == 0 {
		return noise(r, 100+r.IntN(1800))
	}
	return sentence(nil, r, 10+r.IntN(200))
}

func (l *lab) night(n int) error {
	if err := l.fresh(""); err != nil {
		return err
	}
	x := float64(n)
	script := "exec $BIN backup " + l.tree()
	l.measure(x, "first", script, nil)
	l.measure(x, "unchanged", script, nil)
	for i := range 10 {
		at := i * (n / 10)
		if err := os.WriteFile(filepath.Join(l.tree(), smallName(at)), smallContent(l.o.seed, at, 1+n), 0o644); err != nil {
			return err
		}
	}
	l.measure(x, "ten changed", script, nil)
	return nil
}

// streamStudy is a longer and longer dump.
var streamStudy = study{
	name: "stream", title: "A night of a dump with 0.1 % changed rows", x: "GB",
	words:   "A dump is streamed to the program (`--stdin`); the next night one row in a thousand has changed, in runs of 25 neighbours, and one in two thousand is new. The dump is made meanwhile, on the same computer.",
	plotted: []string{"next night"},
	units: func(l *lab) (units []unit) {
		for _, gb := range []float64{1, 5, 20} {
			gb /= float64(l.o.shrink)
			units = append(units, unit{name: fmt.Sprintf("%g GB", gb), measure: func(*results) error { return l.streams(gb) }})
		}
		return units
	},
}

func (l *lab) streams(gb float64) error {
	if err := l.fresh(""); err != nil {
		return err
	}
	x := gb
	t := newTable(l.o.seed, l.o.pattern, uint64(gb*1e9)/averageRow)
	const script = "exec $BIN backup --stdin --stdin-filename dump.sql"
	l.measure(x, "first", script, t.reader())
	l.measure(x, "unchanged", script, t.reader())
	t.change(l.data.source(5), 0.001)
	l.measure(x, "next night", script, t.reader())
	return errors.Join(os.RemoveAll(l.work), os.MkdirAll(l.work, 0o755))
}
