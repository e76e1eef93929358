package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// The nights of a database, in this order. Each changes it, and is then saved by
// every tool.
var nights = []struct {
	step   string
	before change
}{
	{"first night", nothing},
	{"unchanged", nothing},
	{"next day", aDay},
	{"rewritten", rewriting},
	{"another index", anIndex},
}

// change is what happens to a database between two nights.
type change int

const (
	nothing   change = iota
	aDay             // one row in a thousand is changed, here and there, and one in 200 is new
	rewriting        // VACUUM FULL or OPTIMIZE TABLE of every table
	anIndex          // nothing but an index
)

// dbBench measures one way to save one database.
type dbBench struct {
	tool
	server  dbServer
	work    string
	results *results
}

// runDatabases measures the databases of both kinds of servers.
func runDatabases(o options, work string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured on %s with `make benchdatabases`: %s; a practice's database made of %d MB; %s, page cache %s.\n",
		time.Now().Format(time.DateOnly), machine(), o.megabytes, passes(o.passes), map[bool]string{true: "dropped before each step", false: "not dropped"}[cold()])
	for _, kind := range dbKinds {
		tools := foundAmong(kind.tools, o)
		if len(tools) == 0 {
			continue
		}
		r := results{}
		version, err := measureKind(o, kind, tools, work, &r)
		if err != nil {
			return fmt.Errorf("%s: %w", kind.name, err)
		}
		b.WriteString(kindPage(version, &r, tools))
	}
	if o.write == "" {
		fmt.Print(b.String())
		return nil
	}
	return replaceMeasured(o.write, b.String())
}

// measureKind runs all passes on one kind of server, and returns its version.
func measureKind(o options, kind dbKind, tools []tool, work string, r *results) (version string, err error) {
	work = filepath.Join(work, kind.name)
	for pass := range o.passes {
		if err := errors.Join(os.RemoveAll(work), os.MkdirAll(work, 0o755)); err != nil {
			return "", err
		}
		s, err := kind.start(work)
		if err != nil {
			return "", err
		}
		turn := append(tools[pass%len(tools):len(tools):len(tools)], tools[:pass%len(tools)]...)
		err = onePass(o, s, turn, work, r)
		version, _ = s.ask("SELECT version()")
		if err = errors.Join(err, s.stop()); err != nil {
			return "", err
		}
	}
	return version, os.RemoveAll(work)
}

// onePass loads a database and has every tool save each of its nights, and bring
// the last one back.
func onePass(o options, s dbServer, tools []tool, work string, r *results) error {
	d := dbData{seed: o.seed, megabytes: o.megabytes}
	if err := s.load(d); err != nil {
		return fmt.Errorf("load: %w", err)
	}
	var all []*dbBench
	for _, t := range tools {
		b := &dbBench{tool: t, server: s, work: filepath.Join(work, fmt.Sprint("tool", len(all))), results: r}
		if err := b.fresh(); err != nil {
			return err
		}
		all = append(all, b)
	}
	idle := &dbBench{tool: tool{name: nobody, path: "true"}, server: s, work: work, results: r}
	idle.step("first night", "exec sleep 10")
	for _, n := range nights {
		if err := s.change(d, n.before); err != nil {
			return fmt.Errorf("%s: %w", n.step, err)
		}
		for _, b := range all {
			b.save(n.step)
		}
	}
	want, err := s.fingerprint(practice)
	if err != nil {
		return err
	}
	for _, b := range all {
		if err := b.bring(want); err != nil {
			return err
		}
	}
	return nil
}

// nobody is the row of the table for a time in which nothing is saved.
const nobody = "no backup"

// The names of the database that is saved and of the one that is restored.
const (
	practice = "practice"
	restored = "restored"
)

// fresh makes an empty repository.
func (b *dbBench) fresh() error {
	if err := errors.Join(os.RemoveAll(b.work), os.MkdirAll(b.work, 0o755)); err != nil {
		return err
	}
	if out, err := b.command(b.init).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: init: %w: %s", b.name, err, out)
	}
	return nil
}

func (b *dbBench) repository() string { return filepath.Join(b.work, "repository") }

// command runs in bash for the sake of pipefail: a dump program that fails has
// to be noticed.
func (b *dbBench) command(script string) *exec.Cmd {
	cmd := exec.Command("bash", "-o", "pipefail", "-c", script)
	vars := map[string]string{
		"BIN": b.path, "REPO": b.repository(), "WORK": b.work, "DB": practice, "NEW": restored,
		"URL": b.server.url(practice), "TO": b.server.url(restored), "SOCKET": b.server.socket(),
	}
	cmd.Env = os.Environ()
	for k, v := range vars {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	for _, e := range b.env {
		cmd.Env = append(cmd.Env, os.Expand(e, func(k string) string { return vars[k] }))
	}
	return cmd
}

// save measures a backup, and what it adds to the repository.
func (b *dbBench) save(step string) {
	before := size(b.repository())
	if f := b.step(step, b.backup); f != nil {
		f.added = float64(size(b.repository())-before) / 1e6
		fmt.Fprintf(os.Stderr, "    %.2f MB added\n", f.added)
	}
}

// bring measures a restore into a new database, which is compared with what
// was saved.
func (b *dbBench) bring(want string) error {
	if err := b.server.drop(restored); err != nil {
		return err
	}
	if b.step("restore", b.restore) == nil {
		return nil
	}
	got, err := b.server.fingerprint(restored)
	if got != want || err != nil {
		b.results.drop(b.name, "restore")
		fmt.Fprintf(os.Stderr, "%s: restore: %s came back as %s %v\n", b.name, want, got, err)
	}
	return b.server.drop(restored)
}

// step runs one command beside a writer and keeps what it took; nil when it
// failed.
func (b *dbBench) step(step, script string) *figure {
	_ = exec.Command(b.path, "version").Run() // the program itself is read before the clock starts
	dropCache()
	w, err := startWriter(b.server)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %s: writer: %v\n", b.name, step, err)
		return nil
	}
	cmd, server, start := b.command(script), processorTime(b.server.pid()), time.Now()
	out, err := cmd.CombinedOutput()
	wall := time.Since(start)
	server = processorTime(b.server.pid()) - server
	p99, longest, failed := w.end()
	if err = cmp.Or(err, failed); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %s: %v %s\n", b.name, step, err, out)
		return nil
	}
	f := figure{
		wall: wall.Seconds(), cpu: (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), memory: peakMemory(cmd.ProcessState),
		server: server, p99: p99, longest: longest,
	}
	fmt.Fprintf(os.Stderr, "%s: %s: %.1f s, processor %.1f s and the server's %.1f s, a writer waited %.0f ms\n", b.name, step, f.wall, f.cpu, f.server, f.longest)
	return b.results.add(b.name, step, f)
}

var dbQuantities = []quantity{
	{title: "Wall time, seconds", format: "%.1f", of: func(f *figure) float64 { return f.wall }},
	{title: "Processor time of the programs, seconds", format: "%.1f", of: func(f *figure) float64 { return f.cpu }},
	{title: "Processor time of the server, seconds", format: "%.1f", of: func(f *figure) float64 { return f.server }},
	{title: "Longest wait of a writer for its commit, milliseconds", format: "%.0f", of: func(f *figure) float64 { return f.longest }},
	{title: "Wait of 99 in 100 commits, at most, milliseconds", format: "%.1f", of: func(f *figure) float64 { return f.p99 }},
	{title: "Most memory of a program, MB", format: "%.0f", of: func(f *figure) float64 { return f.memory }},
	{title: "Added to the repository, MB", format: "%.2f", of: func(f *figure) float64 { return f.added }},
}

// kindPage is the measured part of the page for one kind of server.
func kindPage(version string, r *results, tools []tool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n### %s\n\n", version)
	for _, t := range tools {
		fmt.Fprintf(&b, "- %s: %s\n", t.name, t.version)
	}
	for _, q := range dbQuantities {
		columns := tools
		if strings.Contains(q.title, "commit") {
			columns = append([]tool{{name: nobody}}, tools...)
		}
		fmt.Fprintf(&b, "\n%s:\n\n%s", q.title, r.table(q, columns))
	}
	return b.String()
}
