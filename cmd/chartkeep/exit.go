package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/ui"
	"chartkeep/repo"
	"chartkeep/repo/storage"
	"chartkeep/snapshot"
)

// Exit codes, as they are documented.
const (
	exitDone         = 0
	exitFailed       = 1
	exitIncomplete   = 3   // saved, but some items could not be read
	exitAbsent       = 4   // a destination is not there
	exitNoRepository = 10  // no repository there
	exitLocked       = 11  // locked by another run
	exitPassword     = 12  // wrong password
	exitDamage       = 13  // damage found
	exitInterrupted  = 130 // by a signal
)

// A failure is an error that knows its exit code and what to do next.
type failure struct {
	code int
	err  error
	hint string
}

// quiet is a failure that those who asked for quiet hear of in other ways: by
// the exit code, the log, and a notice when it goes on for too long.
type quiet struct{ failure }

func (q *quiet) Unwrap() error { return &q.failure }

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// failed is a failure with exit code 1.
func failed(hint, format string, args ...any) error {
	return &failure{exitFailed, fmt.Errorf(format, args...), hint}
}

// usage is the failure of a command that was not called as it should be.
func usage(c *cli.Context, format string, args ...any) error {
	name := "chartkeep help"
	if c.Command != nil && c.Command.Name != c.App.Name {
		name += " " + c.Command.FullName()
	}
	return failed("See: "+name, format, args...)
}

// usageError makes words of what the parser says.
func usageError(c *cli.Context, err error, _ bool) error {
	return usage(c, "%w", err)
}

// meanings gives the errors of the packages below their codes and hints. The
// first that matches counts.
var meanings = []struct {
	is   error
	code int
	hint string
}{
	{repo.ErrPassword, exitPassword, "A recovery code may be typed in place of the password. What opens it: chartkeep key list"},
	{repo.ErrNoRepository, exitNoRepository, "Is the drive connected, and the path right? To make a new repository: chartkeep init"},
	{repo.ErrNewerFormat, exitFailed, "Use the version of chartkeep that wrote it, or a newer one."},
	{storage.ErrLocked, exitLocked, "Another run needs it alone at the moment. Try again later, or wait longer with --lock-wait."},
	{storage.ErrAbsent, exitAbsent, "Connect the drive, or check the path, and run it again; what was stored already is used."},
	{storage.ErrNoSpace, exitFailed, "Free space on it, or remove old snapshots: chartkeep forget, then chartkeep prune"},
	{storage.ErrReadOnly, exitFailed, "Is it write-protected, or mounted read-only? A system that meets errors on a drive stops writing to it, too: look at what it logged. Reading and restoring work."},
	{repo.ErrDamaged, exitFailed, "To see what is damaged and what mends it: chartkeep check --read-data"},
	{repo.ErrMissing, exitFailed, "To see what is damaged and what mends it: chartkeep check --read-data"},
	{repo.ErrLastOwner, exitFailed, "Add another owner key first: chartkeep key add"},
	{snapshot.ErrNoSnapshot, exitFailed, "To list them: chartkeep snapshots"},
	{snapshot.ErrNoPath, exitFailed, "Paths are absolute. To look for it: chartkeep ls SNAPSHOT, chartkeep find NAME"},
	{snapshot.ErrEdited, exitFailed, "Try again; chartkeep snapshots shows what is there now."},
}

// explain finds the code and the hint of an error.
func explain(ctx context.Context, err error) failure {
	if errors.Is(context.Cause(ctx), errInterrupted) {
		return failure{exitInterrupted, errInterrupted, "Nothing half done remains; what was stored already is used by the next run."}
	}
	var f *failure
	if errors.As(err, &f) {
		return failure{f.code, err, f.hint}
	}
	for _, m := range meanings {
		if errors.Is(err, m.is) {
			return failure{m.code, err, m.hint}
		}
	}
	return failure{exitFailed, err, ""}
}

// exitError is a failure for programs.
type exitError struct {
	Type    string `json:"message_type"`
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// exit says what went wrong, if anything did, and returns the exit code.
func (p *program) exit(ctx context.Context, err error) int {
	if err == nil {
		return exitDone
	}
	f := explain(ctx, err)
	if still := (*quiet)(nil); p.Quiet && !p.JSON && errors.As(err, &still) {
		return f.code
	}
	message := oneLine(f.err)
	text := "chartkeep: " + message
	if f.hint != "" {
		text += "\n" + f.hint
	}
	p.Complain("%s", text)
	if p.JSON {
		p.ErrorObject(exitError{"exit_error", f.code, message})
	}
	return f.code
}

// oneLine is an error's text without line ends and control characters: it may
// carry file names.
func oneLine(err error) string {
	return ui.Plain(strings.ReplaceAll(err.Error(), "\n", "; "))
}
