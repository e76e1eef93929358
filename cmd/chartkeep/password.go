package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"

	"golang.org/x/term"

	"chartkeep/cmd/internal/text"
)

// secrets are the ways to a password that the environment names.
type secrets struct {
	password, file, command string
}

// takeSecrets reads those of a side and takes them out of the environment, so
// that no command started by this program gets them.
func takeSecrets(s side) secrets {
	take := func(name string) string {
		defer os.Unsetenv(s.variable(name))
		return os.Getenv(s.variable(name))
	}
	return secrets{
		password: take("PASSWORD"),
		file:     take("PASSWORD_FILE"),
		command:  take("PASSWORD_COMMAND"),
	}
}

// password gets the repository's password. asked says that a person typed it
// and may try again.
func (p *program) password(ctx context.Context, prompt string) (password []byte, asked bool, err error) {
	switch file := p.passwordFile; {
	case file != "" || p.secrets.file != "":
		if file == "" {
			file = p.secrets.file
		}
		password, err = passwordFrom(file, p.side)
	case p.secrets.password != "":
		password = []byte(p.secrets.password)
	case p.secrets.command != "":
		password, err = p.passwordOf(ctx, p.secrets.command)
	default:
		asked = true
		password, err = p.ask(ctx, prompt)
	}
	return password, asked, err
}

// newPassword gets a password that is to be set: typed twice, or from file.
func (p *program) newPassword(ctx context.Context, file string) ([]byte, error) {
	if file != "" {
		return passwordFrom(file, p.side)
	}
	first, err := p.ask(ctx, "new password: ")
	if err != nil {
		return nil, err
	}
	again, err := p.ask(ctx, "again: ")
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(first, again) {
		return nil, failed("Run it again.", "the two passwords are not the same")
	}
	return first, nil
}

// passwordFrom reads the first line of a file.
func passwordFrom(file string, s side) ([]byte, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, failed(fmt.Sprintf("Check --%s and %s.", s.flag("password-file"), s.variable("PASSWORD_FILE")), "read password: %w", err)
	}
	return firstLine(b, file)
}

func firstLine(b []byte, from string) ([]byte, error) {
	line, _, err := text.FirstLine(b)
	if err != nil {
		return nil, fmt.Errorf("read password from %s: %w", from, err)
	}
	if len(line) == 0 {
		return nil, failed("", "the first line from %s is empty; it ought to be the password", from)
	}
	return line, nil
}

// passwordOf runs a command and takes the first line it writes.
func (p *program) passwordOf(ctx context.Context, command string) ([]byte, error) {
	shell := []string{"/bin/sh", "-c"}
	if runtime.GOOS == "windows" {
		shell = []string{"cmd", "/C"}
	}
	run := exec.CommandContext(ctx, shell[0], append(shell[1:], command)...)
	run.Stdin, run.Stderr = p.stdin, os.Stderr
	out, err := run.Output()
	if err != nil {
		return nil, failed("Check "+p.side.variable("PASSWORD_COMMAND")+".", "get the password from %q: %w", command, err)
	}
	return firstLine(out, fmt.Sprintf("%q", command))
}

var errNoTerminal = errors.New("no password given, and no terminal to ask on")

// ask reads a password from the terminal, without echo, also when standard
// input is something else.
func (p *program) ask(ctx context.Context, prompt string) ([]byte, error) {
	t, err := p.openTerminal()
	if err != nil {
		return nil, err
	}
	defer t.close()
	password, err := t.readHidden(ctx, prompt)
	if err != nil {
		return nil, fmt.Errorf("read password: %w", err)
	}
	if len(password) == 0 {
		return nil, failed("", "an empty password protects nothing")
	}
	return password, nil
}

// terminal is where a person is asked: the one that the program was started
// from, whatever its streams are connected to.
type terminal struct {
	in, out *os.File
	opened  bool
}

func (p *program) openTerminal() (terminal, error) {
	in, err := os.OpenFile(terminalInput, os.O_RDWR, 0)
	if err == nil {
		var out *os.File
		if out, err = os.OpenFile(terminalOutput, os.O_RDWR, 0); err == nil {
			return terminal{in, out, true}, nil
		}
		in.Close()
	}
	if term.IsTerminal(int(p.stdin.Fd())) {
		return terminal{p.stdin, os.Stderr, false}, nil
	}
	return terminal{}, &failure{exitFailed, errNoTerminal, "Use --password-file, CHARTKEEP_PASSWORD or CHARTKEEP_PASSWORD_COMMAND."}
}

func (t terminal) close() {
	if t.opened {
		t.in.Close()
		t.out.Close()
	}
}

// quietTerminal is the state to go back to while a terminal does not echo.
var quietTerminal atomic.Pointer[func()]

func restoreTerminal() {
	if restore := quietTerminal.Swap(nil); restore != nil {
		(*restore)()
	}
}

// readHidden reads a line without echo. Nothing can wake a read from a terminal,
// so when ctx ends the goroutine that reads is left behind: the program ends
// then.
func (t terminal) readHidden(ctx context.Context, prompt string) ([]byte, error) {
	fd := int(t.in.Fd())
	state, err := term.GetState(fd)
	if err != nil {
		return nil, err
	}
	restore := func() { _ = term.Restore(fd, state) }
	quietTerminal.Store(&restore)
	defer restoreTerminal()
	fmt.Fprint(t.out, prompt)
	defer fmt.Fprintln(t.out)
	type answer struct {
		line []byte
		err  error
	}
	answered := make(chan answer, 1)
	go func() {
		line, err := term.ReadPassword(fd)
		answered <- answer{line, err}
	}()
	select {
	case a := <-answered:
		return a.line, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
