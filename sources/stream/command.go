package stream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"chartkeep/sources"
)

// A Command says how a command is run. It runs in a session of its own: it can
// be stopped with all that it started, and cannot ask on a terminal.
type Command struct {
	Args   []string  // the program, sought like a shell does, and its arguments
	Dir    string    // the folder it runs in; empty is this process's
	Env    []string  // nil is this process's environment
	Stderr io.Writer // gets what the command writes there; nil drops it

	grace time.Duration // tests: less than defaultGrace
}

// secretPrefix begins the names of environment variables that a command must
// not see: they give the repository's password.
const secretPrefix = "CHARTKEEP_PASSWORD"

// defaultGrace is how long a command may take to end when it is told to.
const defaultGrace = 5 * time.Second

// A CommandError says that a command failed.
type CommandError struct {
	Program string
	Err     error  // *exec.ExitError if it ran
	Said    string // its last line on standard error
}

func (e *CommandError) Error() string {
	if e.Said == "" {
		return fmt.Sprintf("command %s: %v", e.Program, e.Err)
	}
	return fmt.Sprintf("command %s: %v (%s)", e.Program, e.Err, e.Said)
}

// Unwrap returns e.Err.
func (e *CommandError) Unwrap() error { return e.Err }

// NewCommand returns a source of the file name with the output of c. Every
// opening of the file runs the command, and closing it before its end stops
// the command.
func NewCommand(name string, c Command) (*Source, error) {
	p, err := pathOf(name)
	if err != nil {
		return nil, err
	}
	if len(c.Args) == 0 || c.Args[0] == "" {
		return nil, errors.New("no command given")
	}
	return &Source{path: p, open: c.start}, nil
}

// Run runs the command to its end, and copies what it writes on standard output
// to out. A command that fails gives a *CommandError; when ctx ends, it is
// stopped with all that it started.
func (c *Command) Run(ctx context.Context, out io.Writer) error {
	f, err := c.start(ctx, sources.Meta{})
	if err != nil {
		return err
	}
	if _, err = io.Copy(out, f); errors.Is(err, ErrEmpty) {
		err = nil
	}
	return errors.Join(err, f.Close())
}

// A run is a command that was started.
type run struct {
	ctx    context.Context
	cmd    *exec.Cmd
	grace  time.Duration
	stdout io.Reader
	said   lastLine
	ended  bool
	result error

	mu      sync.Mutex
	killing *time.Timer // set when the command was told to end
}

func (c *Command) start(ctx context.Context, m sources.Meta) (sources.File, error) {
	r := &run{ctx: ctx, cmd: exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)}
	if r.grace = c.grace; r.grace == 0 {
		r.grace = defaultGrace
	}
	r.cmd.Dir, r.cmd.Env = c.Dir, withoutSecrets(c.Env)
	r.cmd.Stderr = &r.said
	if c.Stderr != nil {
		r.cmd.Stderr = io.MultiWriter(&r.said, c.Stderr)
	}
	r.cmd.SysProcAttr = ownSession()
	r.cmd.Cancel = r.stop
	r.cmd.WaitDelay = r.grace
	stdout, err := r.cmd.StdoutPipe()
	if err == nil {
		r.stdout = stdout
		err = r.cmd.Start()
	}
	if err != nil {
		return nil, &CommandError{Program: c.Args[0], Err: err}
	}
	return &file{meta: m, read: r.read, close: r.close}, nil
}

// withoutSecrets returns an environment that does not tell the password.
func withoutSecrets(env []string) []string {
	if env == nil {
		env = os.Environ()
	}
	kept := []string{} // not nil: that would mean all
	for _, v := range env {
		if !strings.HasPrefix(strings.ToUpper(v), secretPrefix) {
			kept = append(kept, v)
		}
	}
	return kept
}

func (r *run) read(p []byte) (int, error) {
	n, err := r.stdout.Read(p)
	if err == nil {
		return n, nil
	}
	if failure := r.wait(); failure != nil {
		return n, failure
	}
	return n, err
}

// stop tells the command and all that it started to end, and after the grace
// makes them.
func (r *run) stop() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.killing == nil {
		r.killing = time.AfterFunc(r.grace, func() { _ = kill(r.cmd.Process) })
	}
	return terminate(r.cmd.Process)
}

// sweep ends what a stopped command left behind.
func (r *run) sweep() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.killing != nil {
		r.killing.Stop()
		_ = kill(r.cmd.Process)
	}
}

// wait waits for the command's end and says how it was.
func (r *run) wait() error {
	if r.ended {
		return r.result
	}
	err := r.cmd.Wait()
	r.ended = true
	r.sweep()
	switch {
	case r.ctx.Err() != nil:
		r.result = context.Cause(r.ctx)
	case err != nil && !errors.Is(err, exec.ErrWaitDelay): // that: a child kept standard error open
		r.result = &CommandError{Program: r.cmd.Args[0], Err: err, Said: r.said.String()}
	}
	return r.result
}

// close stops the command if it has not ended.
func (r *run) close() error {
	if r.ended {
		return nil
	}
	err := r.stop()
	_ = r.wait() // it was stopped, so how it ended says nothing
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	return err
}

// A lastLine keeps the end of what is written to it.
type lastLine struct {
	tail []byte
}

// tailSize bounds what is kept: enough for a message.
const tailSize = 500

func (l *lastLine) Write(p []byte) (int, error) {
	l.tail = append(l.tail, p...)
	if extra := len(l.tail) - tailSize; extra > 0 {
		l.tail = l.tail[extra:]
	}
	return len(p), nil
}

func (l *lastLine) String() string {
	text := bytes.TrimSpace(l.tail)
	return string(bytes.TrimSpace(text[bytes.LastIndexByte(text, '\n')+1:]))
}
