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
// next day changes one row in a hundred, in runs, and adds some files.
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
// # Databases
//
// With -databases it starts a PostgreSQL and a MariaDB server, fills a practice's
// database, and has it saved night after night by this program and by what is
// usual: a dump program and restic. Meanwhile a writer commits one small change
// after another, and takes the time of each. What is restored is compared with
// what was saved. docs/databases.md has the tables.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// options are the flags.
type options struct {
	program, work, write, only string
	megabytes, files, passes   int
	seed                       uint64
	makeOnly, databases        bool
}

func main() {
	var o options
	flag.StringVar(&o.program, "program", "chartkeep", "our program")
	flag.StringVar(&o.work, "work", filepath.Join(os.TempDir(), "chartkeep-bench"), "scratch folder; data and repositories lie there")
	flag.StringVar(&o.write, "write", "", "page whose measured part is replaced; empty: print the table")
	flag.StringVar(&o.only, "only", "", "programs to run, with commas between; empty: all that are found")
	flag.IntVar(&o.megabytes, "megabytes", 1570, "size of the practice's data")
	flag.IntVar(&o.files, "files", 200_000, "number of small files")
	flag.IntVar(&o.passes, "passes", 3, "how often everything is measured")
	flag.Uint64Var(&o.seed, "seed", 1, "of the data")
	flag.BoolVar(&o.makeOnly, "make", false, "only make the data")
	flag.BoolVar(&o.databases, "databases", false, "measure databases, on servers that are started for it")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	work, err := filepath.Abs(o.work)
	if err != nil {
		return err
	}
	if o.databases {
		return runDatabases(o, filepath.Join(work, "databases"))
	}
	d := data{root: filepath.Join(work, "data"), seed: o.seed, megabytes: o.megabytes, files: o.files}
	if o.makeOnly {
		return d.make()
	}
	tools := found(o)
	if len(tools) == 0 {
		return errors.New("none of the programs is installed")
	}
	if err := makeApart(); err != nil {
		return err
	}
	var results results
	for pass := range o.passes {
		for i := range tools {
			t := tools[(i+pass)%len(tools)]
			fmt.Fprintf(os.Stderr, "pass %d: %s\n", pass+1, t.name)
			b := bench{tool: t, data: d, work: filepath.Join(work, t.name), results: &results}
			if err := b.all(); err != nil {
				return err
			}
		}
	}
	if o.write == "" {
		fmt.Print(results.page(o, tools, ""))
		return nil
	}
	return rewrite(o, results, tools)
}

// makeApart makes the data in a process of its own. The most memory that the
// system has counted for a process is inherited by those that it starts, so this
// one has to stay small.
func makeApart() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, append([]string{"-make"}, os.Args[1:]...)...)
	cmd.Stderr = os.Stderr
	return cmd.Run()
}

// The measured part of the page stands between these lines.
const (
	begin = "<!-- measured: begin -->\n"
	end   = "<!-- measured: end -->\n"
)

// rewrite replaces the measured part of the page, and draws its plots beside it.
func rewrite(o options, r results, tools []tool) error {
	plots := strings.TrimSuffix(o.write, filepath.Ext(o.write))
	if err := replaceMeasured(o.write, r.page(o, tools, filepath.Base(plots))); err != nil {
		return err
	}
	return r.draw(plots, tools)
}

func replaceMeasured(page, text string) error {
	old, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(old), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no lines %q and %q", page, begin, end)
	}
	return os.WriteFile(page, []byte(before+begin+text+end+after), 0o644)
}
