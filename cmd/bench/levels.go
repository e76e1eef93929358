package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// levelsStudy is each level of compression, of this program and of the others.
var levelsStudy = study{
	name: "levels", title: "Levels of compression", x: "program and level",
	words: "The first backup of a practice's data, made with `-megabytes`, at each level. What is added is the repository, parity and all.",
	units: func(l *lab) (units []unit) {
		for pass := range l.o.passes {
			for _, c := range levels(l.o) {
				units = append(units, unit{
					name: fmt.Sprintf("pass %d %s", pass+1, c.name), prepare: makeApart,
					measure: func(r *results) error { return l.level(r, c) },
				})
			}
		}
		return units
	},
}

// level measures the first backup of one program at one level.
func (l *lab) level(r *results, c tool) error {
	d := l.o.data()
	if err := d.setDay(0); err != nil {
		return err
	}
	at := &lab{bench: bench{tool: c, data: d, work: filepath.Join(l.work, "level"), results: r}}
	if err := at.fresh(d.practice()); err != nil {
		return err
	}
	at.nth++
	if f := at.step("first", at.backup, d.practice()); f != nil {
		f.added = float64(size(at.repository())) / 1e6
	}
	return os.RemoveAll(at.work)
}

// levels are the programs, each once for each of its levels.
func levels(o options) (list []tool) {
	for _, t := range found(o) {
		for _, c := range levelsOf[t.name] {
			at := t
			at.name = t.name + " " + c
			at.env = append(at.env[:len(at.env):len(at.env)], "LEVEL="+c)
			if by, ok := byLevel[t.name]; ok {
				at.init, at.backup = by[0], by[1]
			}
			if t.name == "restic" {
				at.env = append(at.env, "RESTIC_COMPRESSION="+c)
			}
			list = append(list, at)
		}
	}
	return list
}

var levelsOf = map[string][]string{
	ours:        {"fastest", "default", "better", "best"},
	"restic":    {"off", "fastest", "auto", "better", "max"},
	"borg":      {"none", "lz4", "zstd,1", "zstd,3", "zlib,6"},
	"kopia":     {"none", "zstd-fastest", "zstd", "zstd-better-compression"},
	"duplicacy": {"fastest", "default", "better", "best"},
}

// byLevel has the programs' commands to make a repository and to save, where those
// say the level.
var byLevel = map[string][2]string{
	ours:        {"$BIN init --compression $LEVEL", "exec $BIN backup $SRC"},
	"borg":      {"$BIN init -e repokey", "exec $BIN create --compression $LEVEL ::snap$N $SRC"},
	"kopia":     {"$BIN repository create filesystem --path $REPO && $BIN policy set --global --compression=$LEVEL", "exec $BIN snapshot create --no-progress $SRC"},
	"duplicacy": {"mkdir -p $WORK/b && cd $WORK/b && $BIN init -e -zstd-level $LEVEL -repository $SRC practice $REPO", "cd $WORK/b && exec $BIN backup -threads 2"},
}
