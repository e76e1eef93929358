package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
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
	args = append(args, "--exit-on-error", "--no-password", "--dbname="+a.address.named(a.database, "chartkeep pg_restore"))
	if a.NoOwner {
		args = append(args, "--no-owner", "--no-privileges")
	}
	if a.NoTablespaces {
		args = append(args, "--no-tablespaces")
	}
	return a.programs.run(ctx, a.address, io.Discard, "pg_restore", append(args, a.file())...)
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
