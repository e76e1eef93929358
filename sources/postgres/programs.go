package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartkeep/sources/child"
)

// ErrPrograms says that no programs of PostgreSQL are there that are new enough.
var ErrPrograms = errors.New("the programs of PostgreSQL are missing or too old")

// folders are where systems keep the programs of PostgreSQL, beside the path.
var folders = []string{
	"/usr/lib/postgresql/*/bin", // Debian, Ubuntu
	"/usr/pgsql-*/bin",          // Red Hat
	"/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin",
	"/Library/PostgreSQL/*/bin", "/Applications/Postgres.app/Contents/Versions/*/bin",
	`C:\Program Files\PostgreSQL\*\bin`,
}

// programs are one version's.
type programs struct {
	dir   string
	major int
}

// A choice prefers one version of programs to another: which of two, best being
// 0 while there is none, and what is asked for in words.
type choice struct {
	better func(v, best int) bool
	asked  string
}

// newestFrom chooses the newest from a version on.
func newestFrom(major int) choice {
	return choice{func(v, best int) bool { return v >= major && v > best }, fmt.Sprintf("%d or newer", major)}
}

// oldestFrom chooses the oldest from a version on. A dump program has to know the
// server it reads, but what a newer one makes is read by newer ones only, and
// those say things that an older server does not know.
func oldestFrom(major int) choice {
	return choice{func(v, best int) bool { return v >= major && (best == 0 || v < best) }, fmt.Sprintf("%d or newer", major)}
}

// exactly chooses one version.
func exactly(major int) choice {
	return choice{func(v, _ int) bool { return v == major }, strconv.Itoa(major)}
}

// findPrograms chooses among the folders that have the program want: in dir, if
// one is given.
func findPrograms(ctx context.Context, dir, want string, c choice) (programs, error) {
	best, newest := programs{}, 0
	for _, d := range programFolders(dir, want) {
		v, err := programVersion(ctx, filepath.Join(d, executable(want)))
		if err != nil {
			continue
		}
		newest = max(newest, v)
		if c.better(v, best.major) {
			best = programs{d, v}
		}
	}
	switch {
	case best.dir != "":
		return best, nil
	case newest > 0:
		return best, fmt.Errorf("%w: %s has to be version %s, and the newest here is %d", ErrPrograms, want, c.asked, newest)
	case dir != "":
		return best, fmt.Errorf("%w: no %s in %s", ErrPrograms, want, dir)
	}
	return best, fmt.Errorf("%w: no %s in the path or where PostgreSQL keeps its programs", ErrPrograms, want)
}

// programFolders lists where to look; a system's own folders before the path,
// whose programs may be scripts that choose one.
func programFolders(dir, want string) []string {
	if dir != "" {
		return []string{dir}
	}
	var all []string
	for _, pattern := range folders {
		found, _ := filepath.Glob(pattern) // the only error is a bad pattern
		all = append(all, found...)
	}
	if p, err := exec.LookPath(want); err == nil {
		all = append(all, filepath.Dir(p))
	}
	return slices.Compact(all)
}

func executable(name string) string {
	if runtime.GOOS == "windows" {
		return name + ".exe"
	}
	return name
}

var versionPattern = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// programVersion is the major version of a program.
func programVersion(ctx context.Context, path string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return 0, err
	}
	m := versionPattern.FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("%s: no version in %q", path, out)
	}
	return strconv.Atoi(string(m[1]))
}

// run runs a program for a database and gives its output to w.
func (p programs) run(ctx context.Context, a address, w io.Writer, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(p.dir, executable(name)), args...)
	cmd.Env = environment(a)
	cmd.Stdout = w
	cmd.SysProcAttr = child.Apart()
	cmd.Cancel = func() error { return child.Stop(cmd.Process) }
	cmd.WaitDelay = goodbye
	var said bytes.Buffer
	cmd.Stderr = &said
	err := cmd.Run()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return &ProgramError{Program: name, Err: err, Said: clip(said.String()), all: said.String()}
	}
	return nil
}

// environment is this process's, without what gives the repository's password,
// and with the database's. Messages are not translated.
func environment(a address) []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(strings.ToUpper(v), "CHARTKEEP_PASSWORD")
	})
	env = append(env, "LC_MESSAGES=C")
	if a.password != nil {
		env = append(env, "PGPASSWORD="+string(a.password))
	}
	return env
}

// A ProgramError says that a program of PostgreSQL failed.
type ProgramError struct {
	Program string
	Err     error  // *exec.ExitError if it ran
	Said    string // the end of what it wrote on standard error

	all string // of it
}

func (e *ProgramError) Error() string {
	if e.Said == "" {
		return fmt.Sprintf("%s: %v", e.Program, e.Err)
	}
	return fmt.Sprintf("%s: %v: %s", e.Program, e.Err, e.Said)
}

// Unwrap returns e.Err.
func (e *ProgramError) Unwrap() error { return e.Err }

// clip keeps the first lines of a message: what follows is what came of it.
func clip(said string) string {
	lines := strings.Split(strings.TrimSpace(said), "\n")
	if len(lines) > 4 {
		lines = append(lines[:4], "…")
	}
	text := strings.Join(lines, "; ")
	if len(text) > 1000 {
		text = strings.ToValidUTF8(text[:1000], "") + "…"
	}
	return text
}
