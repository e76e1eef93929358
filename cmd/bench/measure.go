package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// bench runs the steps of one tool.
type bench struct {
	tool
	data    data
	work    string
	results *results
	nth     int       // backups so far in this repository
	stdin   io.Reader // what the next command reads; usually nothing
}

// A figure is what one run of one step took. Sizes are in megabytes.
type figure struct {
	x         float64 // what was measured has this size, in a study of sizes
	wall, cpu float64 // seconds
	memory    float64 // the most
	stored    float64

	server       float64 // processor time of the database server, seconds
	p99, longest float64 // waits of the writer, milliseconds
	added        float64
}

// practice runs every step on the practice's data. A step that fails is said and
// left out; the error is of the harness.
func (b *bench) practice() error {
	if err := b.data.setDay(0); err != nil {
		return err
	}
	if err := b.fresh(b.data.practice()); err != nil {
		return err
	}
	src := b.data.practice()
	b.save("first", src)
	b.save("unchanged", src)
	if err := b.data.setDay(1); err != nil {
		return err
	}
	b.save("next day", src)
	b.bring("restore all", b.restore, src, func(dest string) error { return same(src, dest) })
	b.bring("restore one", b.restoreOne, src, nil)
	b.step("check", b.check, src)
	b.step("prune", b.prune, src)
	return os.RemoveAll(b.work)
}

// many runs the steps on the tree of small files.
func (b *bench) many() error {
	src := b.data.many()
	if err := b.fresh(src); err != nil {
		return err
	}
	b.save("many: first", src)
	b.save("many: unchanged", src)
	b.bring("many: restore", b.restore, src, func(dest string) error { return same(src, dest) })
	return os.RemoveAll(b.work)
}

func (b *bench) repository() string { return filepath.Join(b.work, "repository") }
func (b *bench) dest() string       { return filepath.Join(b.work, "restored") }

// fresh makes an empty repository.
func (b *bench) fresh(src string) error {
	b.nth = 0
	if err := os.RemoveAll(b.work); err != nil {
		return err
	}
	if err := os.MkdirAll(b.work, 0o755); err != nil {
		return err
	}
	if out, err := b.command(b.init, src).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: init: %w: %s", b.name, err, out)
	}
	return nil
}

func (b *bench) command(script, src string) *exec.Cmd {
	cmd := exec.Command("sh", "-c", script)
	vars := map[string]string{
		"BIN": b.path, "REPO": b.repository(), "WORK": b.work, "SRC": src, "DEST": b.dest(), "ONE": one,
		"N": fmt.Sprint(b.nth), "STRIP": fmt.Sprint(strings.Count(src, "/")),
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

// save measures a backup, and what the repository takes after it.
func (b *bench) save(step, src string) {
	b.nth++
	if f := b.step(step, b.backup, src); f != nil {
		f.stored = float64(size(b.repository())) / 1e6
	}
}

// bring measures a restore into an empty folder.
func (b *bench) bring(step, script, src string, verify func(dest string) error) {
	err := errors.Join(os.RemoveAll(b.dest()), os.MkdirAll(b.dest(), 0o755))
	if err == nil {
		if f := b.step(step, script, src); f != nil && verify != nil {
			if err = verify(b.dest()); err != nil {
				b.results.drop(b.name, step)
			}
		}
	}
	if err = errors.Join(err, os.RemoveAll(b.dest())); err != nil {
		b.complain(step, err, nil)
	}
}

func (b *bench) complain(step string, err error, out []byte) {
	fmt.Fprintf(os.Stderr, "%s: %s: %v %s\n", b.name, step, err, out)
}

// step runs one command and keeps what it took; nil when it failed.
func (b *bench) step(step, script, src string) *figure {
	_ = exec.Command(b.path, "version").Run() // the program itself is read before the clock starts
	dropCache()
	cmd := b.command(script, src)
	cmd.Stdin = b.stdin
	start := time.Now()
	out, err := cmd.CombinedOutput()
	wall := time.Since(start)
	if err != nil {
		b.complain(step, err, out)
		return nil
	}
	return b.results.add(b.name, step, figure{
		wall: wall.Seconds(), cpu: (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), memory: peakMemory(cmd.ProcessState),
	})
}

// size is what all files below a folder hold, bytes.
func size(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			n += info.Size()
		}
		return nil
	})
	return n
}

const cacheSwitch = "/proc/sys/vm/drop_caches"

// dropCache has the next step read from the drive, where that is allowed.
func dropCache() {
	_ = exec.Command("sync").Run()
	_ = os.WriteFile(cacheSwitch, []byte("3"), 0)
}

// cold reports whether dropCache can do anything.
func cold() bool {
	f, err := os.OpenFile(cacheSwitch, os.O_WRONLY, 0)
	if err == nil {
		err = f.Close()
	}
	return err == nil
}
