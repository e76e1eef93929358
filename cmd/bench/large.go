package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// largeStudy is single things that are very large.
var largeStudy = study{
	name: "large", title: "Very large folders and files", x: "what",
	words: "A folder of 100,000 small files; a sparse file of 100 GB with 64 MB in it, in 64 places. A stream of any length is in the table of dumps.",
	units: func(l *lab) []unit {
		return []unit{
			{name: "one folder", prepare: l.oneFolder, measure: func(*results) error { return l.as("100,000 files in one folder").folderSteps() }},
			{name: "sparse", prepare: l.sparseFile, measure: func(*results) error { return l.as("sparse file of 100 GB").sparseSteps() }},
		}
	},
}

func (l *lab) oneFolder() error {
	if err := os.MkdirAll(l.tree(), 0o755); err != nil {
		return err
	}
	for i := range 100_000 / l.o.shrink {
		if err := os.WriteFile(filepath.Join(l.tree(), fmt.Sprintf("%06d", i)), smallContent(l.o.seed, i, 0), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (l *lab) folderSteps() error {
	if err := l.fresh(""); err != nil {
		return err
	}
	script := "exec $BIN backup " + l.tree()
	l.measure(0, "first", script, nil)
	l.measure(0, "unchanged", script, nil)
	l.measure(0, "ls", "exec $BIN ls latest:"+l.tree()+" >/dev/null", nil)
	l.measure(0, "restore", "exec $BIN restore latest:"+l.tree()+" --target $DEST", nil)
	return errors.Join(same(l.tree(), l.dest()), os.RemoveAll(l.dest()), os.RemoveAll(l.tree()))
}

const sparseLength = 100e9

func (l *lab) sparseFile() error {
	f, err := os.Create(filepath.Join(l.kept, "sparse"))
	if err != nil {
		return err
	}
	defer f.Close()
	r := l.data.source(6)
	for i := range int64(64) {
		if _, err := f.WriteAt(noise(r, 1<<20), i*sparseLength/64); err != nil {
			return err
		}
	}
	return f.Truncate(sparseLength)
}

func (l *lab) sparseSteps() error {
	if err := l.fresh(""); err != nil {
		return err
	}
	file := filepath.Join(l.kept, "sparse")
	l.measure(0, "first", "exec $BIN backup "+file, nil)
	l.measure(0, "restore --sparse", "exec $BIN restore --sparse latest:"+file+" --target $DEST", nil)
	return errors.Join(os.RemoveAll(l.dest()), os.Remove(file))
}
