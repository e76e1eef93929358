package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/config"
	"chartkeep/cmd/internal/runlog"
	"chartkeep/cmd/internal/text"
	"chartkeep/cmd/internal/ui"
	"chartkeep/repo"
	"chartkeep/repo/storage"
	"chartkeep/repo/storage/local"
)

func (p *program) driveCommand() *cli.Command {
	return &cli.Command{
		Name:  "drive",
		Usage: "external drives in rotation",
		Subcommands: []*cli.Command{
			{
				Name:      "adopt",
				Usage:     "take a drive's repository as a destination of the configuration",
				ArgsUsage: "NAME PATH",
				Description: `Writes into the configuration that the destination NAME is the repository at PATH,
by its ID: it is found from then on wherever the drive appears. The rest of the
file stays as it is.

   chartkeep -r /mnt/red/chartkeep init --recovery-card card.html
   chartkeep drive adopt red /mnt/red/chartkeep`,
				Action: p.driveAdopt,
			},
			{
				Name:  "list",
				Usage: "say which drives are there, where, and when the others were last seen",
				Description: `   chartkeep drive list
   chartkeep drive list --json`,
				Action: p.driveList,
			},
		},
	}
}

func (p *program) driveAdopt(c *cli.Context) error {
	if c.NArg() != 2 {
		return usage(c, "the destination's name and the repository's folder are wanted")
	}
	name, at := c.Args().Get(0), c.Args().Get(1)
	id, err := identityOf(c.Context, at)
	if err != nil {
		return err
	}
	path, err := p.configPath()
	if err != nil {
		return err
	}
	b, err := os.ReadFile(path)
	if err == nil {
		b, err = text.UTF8(b)
	}
	if err != nil {
		return failed("Write a configuration first; docs/operations.md begins with one.", "read the configuration: %w", err)
	}
	abs, err := filepath.Abs(at)
	if err != nil {
		return err
	}
	adopted := adopt(string(b), name, id.String(), abs)
	if _, err := config.Parse(path, []byte(adopted)); err != nil {
		return failed("Mend that first, and run it again; the file was not changed.", "the configuration would not be right: %w", err)
	}
	if err := replaceFile(path, []byte(adopted)); err != nil {
		return err
	}
	p.Object(driveObject{"drive", name, id.String(), true, abs, ""})
	p.Say("%s: the destination %s is the repository %s, at %s now", path, name, id, abs)
	return nil
}

// identityOf is the ID of the repository in a folder.
func identityOf(ctx context.Context, at string) (id repo.ID, err error) {
	st, err := local.New(at)
	if err != nil {
		return id, fmt.Errorf("%w (%w)", repo.ErrNoRepository, err)
	}
	defer storage.Close(st)
	return repo.Identify(ctx, st)
}

var (
	tableLine = regexp.MustCompile(`^\s*\[`)
	driveLine = regexp.MustCompile(`^\s*drive\s*=`)
	pathLine  = regexp.MustCompile(`^\s*(path|repo)\s*=`)
)

// adopt sets the drive of a destination in a configuration, which stays as it is
// otherwise. A destination that is not there is added.
func adopt(file, name, id, at string) string {
	lines := strings.Split(file, "\n")
	head := regexp.MustCompile(`^\s*\[\s*destination\s*\.\s*"?` + regexp.QuoteMeta(name) + `"?\s*\]`)
	for i, l := range lines {
		if head.MatchString(l) {
			return strings.Join(adoptIn(lines, i+1, id, at), "\n")
		}
	}
	return strings.TrimRight(file, "\n") + fmt.Sprintf("\n\n[destination.%s]\ndrive = %q\npath = [%q]\n", name, id, at)
}

// adoptIn sets the drive in the table whose lines begin at from, and where it is
// looked for first unless that is said.
func adoptIn(lines []string, from int, id, at string) []string {
	set, comment, hasPath := from, "", false
	found := false
	for i := from; i < len(lines) && !tableLine.MatchString(lines[i]); i++ {
		hasPath = hasPath || pathLine.MatchString(lines[i])
		if driveLine.MatchString(lines[i]) {
			set, found = i, true
			if _, text, commented := strings.Cut(lines[i], "#"); commented {
				comment = "  #" + text
			}
		}
	}
	written := []string{fmt.Sprintf("drive = %q", id) + comment}
	if !hasPath {
		written = append(written, fmt.Sprintf("path = [%q]", at))
	}
	rest := lines[set:]
	if found {
		rest = rest[1:]
	}
	return slices.Concat(lines[:set], written, rest)
}

// driveObject is a drive for programs.
type driveObject struct {
	Type    string `json:"message_type"`
	Name    string `json:"name"`
	ID      string `json:"repository_id"`
	Present bool   `json:"present"`
	Path    string `json:"path,omitempty"`
	Seen    string `json:"last_seen,omitempty"` // RFC 3339
}

func (p *program) driveList(c *cli.Context) error {
	conf, err := p.config()
	if err != nil {
		return err
	}
	states, _, _ := runlog.States(c.Context, stateDir()) // what is not known is not shown
	t := ui.NewTable("Name", "Repository", "Where", "Last seen by a run")
	for _, name := range conf.DestinationNames() {
		d := conf.Destinations[name]
		o := driveObject{Type: "drive", Name: name, ID: d.Drive}
		where := "not connected"
		if at, why := p.locate(c.Context, d); why == nil {
			o.Present, o.Path, where = true, at, at
		}
		seen := "never"
		for _, s := range states {
			if s.Destination == name && !s.Seen.IsZero() {
				o.Seen, seen = s.Seen.Format("2006-01-02T15:04:05Z07:00"), ui.Time(s.Seen)
			}
		}
		p.Object(o)
		t.Row(name, d.Drive, where, seen)
	}
	p.Table(t)
	return nil
}
