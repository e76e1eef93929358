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
	"strconv"
	"strings"
)

// An archive is the definitions in a private folder: pg_restore reads them out
// of order.
type archive struct {
	*restore
	dir      string
	database string // to be filled
}

func (a *archive) file() string { return filepath.Join(a.dir, definitionsFile) }

func (a *archive) fetch(ctx context.Context) error {
	in, err := a.Saved.Open(ctx, a.at(definitionsFile))
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(a.file(), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// run has pg_restore make what a part of the archive says.
func (a *archive) run(ctx context.Context, args ...string) error {
	args = append(args, "--no-password", "--dbname="+a.address.named(a.database, "chartkeep pg_restore"))
	unknown := a.sayUnknown()
	if !unknown {
		args = append(args, "--exit-on-error")
	}
	if a.NoOwner {
		args = append(args, "--no-owner", "--no-privileges")
	}
	if a.NoTablespaces {
		args = append(args, "--no-tablespaces")
	}
	err := a.programs.run(ctx, a.address, io.Discard, "pg_restore", append(args, a.file())...)
	if unknown {
		err = withoutUnknown(err)
	}
	return err
}

// sayUnknown reports whether pg_restore sets what the server does not know. From
// version 17 on it begins with transaction_timeout, and there is no option
// against that. It has to go on after that error, and so after every error; what
// is made of it is judged at the end.
func (a *archive) sayUnknown() bool {
	major, _, _ := strings.Cut(a.found.Server, ".")
	server, err := strconv.Atoi(major)
	return err == nil && server < 17 && a.programs.major >= 17
}

// unknownSetting is what pg_restore says of it, whatever the server's language,
// and how many errors it passed over.
var unknownSetting = regexp.MustCompile(`(?m)^(pg_restore: (error: could not execute query|while INITIALIZING).*\n)+Command was: SET transaction_timeout = 0;\n+|^pg_restore: warning: errors ignored on restore: .*\n?`)

// withoutUnknown is nil for an error that is about that setting alone.
func withoutUnknown(err error) error {
	var failed *ProgramError
	if !errors.As(err, &failed) {
		return err
	}
	rest := unknownSetting.ReplaceAllString(failed.all, "")
	var status *exec.ExitError
	if errors.As(failed.Err, &status) && status.ExitCode() == 1 && rest == "" && failed.all != "" {
		return nil
	}
	return &ProgramError{Program: failed.Program, Err: failed.Err, Said: clip(rest), all: failed.all}
}

// eventTrigger is a line of an archive's list for an event trigger, or for what
// belongs to one.
var eventTrigger = regexp.MustCompile(`^\d+; \d+ \d+ ((COMMENT|SECURITY LABEL) - )?EVENT TRIGGER `)

// finish makes what needs the rows, several things at a time, and event triggers
// when all else is there: they would fire while views are refreshed.
func (a *archive) finish(ctx context.Context) error {
	var list bytes.Buffer
	if err := a.programs.run(ctx, a.address, &list, "pg_restore", "--list", "--section=post-data", a.file()); err != nil {
		return err
	}
	var most, last []string
	for line := range strings.Lines(list.String()) {
		if eventTrigger.MatchString(line) {
			last = append(last, line)
		} else {
			most = append(most, line)
		}
	}
	if err := a.runList(ctx, "most", most, fmt.Sprintf("--jobs=%d", a.Workers)); err != nil || len(last) == 0 {
		return err
	}
	return a.runList(ctx, "last", last)
}

func (a *archive) runList(ctx context.Context, name string, lines []string, args ...string) error {
	file := filepath.Join(a.dir, name)
	if err := os.WriteFile(file, []byte(strings.Join(lines, "")), 0o600); err != nil {
		return err
	}
	return a.run(ctx, append(args, "--section=post-data", "--use-list="+file)...)
}
