// Bench measures this program beside the other backup programs that are
// installed, step by step on the same data, and writes the table and the plots of
// docs/performance.md.
//
//	go run ./cmd/bench -program ./chartkeep -write docs/performance.md
//	go run ./cmd/bench -megabytes 200 -files 5000 -passes 1     a look
//
// # What it does
//
//	data ──► in each pass, each program in turn ──► measurements ──► medians ──► page
//
// The data are a practice's: a dump of its database, images, X-ray volumes and
// letters, and a tree of many small files. They follow from the seed alone. The
// next day changes one row in a hundred (-changed), in runs (-pattern), and adds
// some files.
//
// A step is one run of one program. Before it the page cache is dropped where
// that is allowed (root on Linux; the page says whether it was). Wall time is the
// process's life, processor time and memory are what the system counted for it
// and its children. After the restore of everything what came back is compared
// with what was saved; a program that fails a step, or gives back other bytes,
// has no figure for it.
//
// Programs that are not found are left out. -only names those to run.
//
// Figures are kept in the scratch folder as they come. With -for 1m it ends after
// about so long, and the same command goes on with what is left.
//
// # Studies
//
//	go run ./cmd/bench -program ./chartkeep files stream nights year large levels
//	go run ./cmd/bench -program ./chartkeep -shrink 100 nights         a look
//
// A study measures this program by what grows: files, the length of a dump, the
// nights in a repository; or by what is chosen, the level of compression. Each has
// a part of its own in the page. -prepare makes what is measured next, and ends.
//
// # Databases
//
// With -databases it starts a PostgreSQL and a MariaDB server, fills a practice's
// database, and has it saved night after night by this program and by what is
// usual: a dump program and restic. Meanwhile a writer commits one small change
// after another, and takes the time of each. What is restored is compared with
// what was saved. docs/databases.md has the tables.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// options are the flags.
type options struct {
	program, work, write, only, pattern string
	megabytes, files, passes, shrink    int
	changed                             float64
	seed                                uint64
	limit                               time.Duration
	makeOnly, prepareOnly, databases    bool
}

func main() {
	var o options
	flag.StringVar(&o.program, "program", "chartkeep", "our program")
	flag.StringVar(&o.work, "work", filepath.Join(os.TempDir(), "chartkeep-bench"), "scratch folder; data, repositories and figures lie there")
	flag.StringVar(&o.write, "write", "", "page whose measured parts are replaced; empty: print the tables")
	flag.StringVar(&o.only, "only", "", "programs to run, with commas between; empty: all that are found")
	flag.IntVar(&o.megabytes, "megabytes", 1570, "size of the practice's data")
	flag.IntVar(&o.files, "files", 200_000, "number of small files")
	flag.IntVar(&o.passes, "passes", 3, "how often everything is measured")
	flag.Uint64Var(&o.seed, "seed", 1, "of the data")
	flag.StringVar(&o.pattern, "pattern", inRuns, "which rows of the dump the next day changes: runs, scattered or newest")
	flag.Float64Var(&o.changed, "changed", 1, "how many of them, percent")
	flag.DurationVar(&o.limit, "for", 0, "measure for about so long; the next call goes on where this one ended")
	flag.IntVar(&o.shrink, "shrink", 1, "divide the sizes of studies by this, for a look")
	flag.BoolVar(&o.prepareOnly, "prepare", false, "prepare what is measured next, and end")
	flag.BoolVar(&o.makeOnly, "make", false, "only make the data")
	flag.BoolVar(&o.databases, "databases", false, "measure databases, on servers that are started for it")
	flag.Parse()
	if err := run(o, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(o options, studies []string) (err error) {
	if err := checkPattern(o.pattern); err != nil {
		return err
	}
	if o.work, err = filepath.Abs(o.work); err != nil {
		return err
	}
	if !o.makeOnly {
		if _, err := exec.LookPath(o.program); err != nil {
			return fmt.Errorf("our program: %w", err) // or there would be a table without it
		}
	}
	switch {
	case o.databases:
		return runDatabases(o, filepath.Join(o.work, "databases"))
	case o.makeOnly:
		return o.data().make()
	case len(studies) == 0:
		return besideOthers(o)
	}
	for _, name := range studies {
		if err := runStudy(o, name); err != nil {
			return err
		}
	}
	return nil
}

// set says of what the figures are.
func (o options) set() string {
	return fmt.Sprintf("%d MB of a practice's data, %d small files, seed %d, %g %% of the rows changed the next day (%s)", o.megabytes, o.files, o.seed, o.changed, o.pattern)
}

func (o options) data() data {
	return data{root: filepath.Join(o.work, "data"), seed: o.seed, megabytes: o.megabytes, files: o.files, pattern: o.pattern, changed: o.changed}
}

// makeApart makes the data in a process of its own.
func makeApart() error { return apart("-make") }

// apart runs this program with one flag more. The most memory that the system has
// counted for a process is inherited by those that it starts, so the one that
// measures has to stay small.
func apart(flag string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, append([]string{flag}, os.Args[1:]...)...)
	cmd.Stderr = os.Stderr
	return cmd.Run()
}

// The measured parts of a page stand between lines of this form.
const (
	begin = "<!-- measured%s: begin -->\n"
	end   = "<!-- measured%s: end -->\n"
)

func replaceMeasured(page, text string) error { return replacePart(page, "", text) }

// replacePart replaces the part of the page that a study has.
func replacePart(page, study, text string) error {
	old, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	if study != "" {
		study = " " + study
	}
	begin, end := fmt.Sprintf(begin, study), fmt.Sprintf(end, study)
	before, rest, ok := strings.Cut(string(old), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no lines %q and %q", page, begin, end)
	}
	return os.WriteFile(page, []byte(before+begin+text+end+after), 0o644)
}
