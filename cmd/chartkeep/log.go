package main

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/config"
	"chartkeep/cmd/internal/runlog"
	"chartkeep/cmd/internal/ui"
	"chartkeep/repo"
	"chartkeep/repo/storage"
)

func (p *program) logCommand() *cli.Command {
	return &cli.Command{
		Name:  "log",
		Usage: "what was done when, and what came of it",
		Description: `Lists the records that runs, checks, prunes and the like have left in the
repository, the oldest first. Each follows the one before it, so that none can
be taken away unnoticed: check says so. While the drive is away, and without a
repository, it is the log of this computer. -v shows the single steps.

   chartkeep log
   chartkeep log -n 5 --plan nightly -v
   chartkeep log --host-log
   chartkeep log -n 0 --json | jq 'select(.result != "done")'`,
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "n", Value: 30, Usage: "the newest `N`; 0: all"},
			&cli.StringSliceFlag{Name: "plan", Usage: "only of this `PLAN`"},
			&cli.BoolFlag{Name: "host-log", Usage: "the log of this computer, of all its destinations"},
		},
		Action: p.log,
	}
}

func (p *program) log(c *cli.Context) error {
	if c.NArg() > 0 {
		return usage(c, "log takes no arguments")
	}
	records, err := p.chosenRecords(c)
	if err != nil {
		return err
	}
	p.sayRecords(records)
	return nil
}

// chosenRecords reads the log that is meant and can be had.
func (p *program) chosenRecords(c *cli.Context) (records []repo.Record, err error) {
	if c.Bool("host-log") || p.location == "" {
		return p.hostRecords(c)
	}
	err = p.reading(c.Context, func(r *repo.Repository) error {
		all, broken, err := r.Records(c.Context, 0)
		for _, b := range broken {
			p.Warn("%s; to see what is damaged: chartkeep check", oneLine(b))
		}
		records = newestOf(all, c)
		return err
	})
	if errors.Is(err, storage.ErrAbsent) || errors.Is(err, repo.ErrNoRepository) {
		p.Remark("%s; this is the log of this computer", oneLine(err))
		return p.hostRecords(c)
	}
	return records, err
}

func (p *program) hostRecords(c *cli.Context) ([]repo.Record, error) {
	var conf *config.Config
	if _, err := p.configPath(); err == nil {
		if conf, err = p.config(); err != nil {
			return nil, err
		}
	}
	return runlog.Newest(logDir(conf), c.Int("n"), func(rec *repo.Record) bool { return among(rec.Plan, c.StringSlice("plan")) })
}

func newestOf(all []repo.Record, c *cli.Context) []repo.Record {
	all = slices.DeleteFunc(all, func(rec repo.Record) bool { return !among(rec.Plan, c.StringSlice("plan")) })
	if n := c.Int("n"); n > 0 {
		all = all[max(0, len(all)-n):]
	}
	return all
}

// sayRecords prints records and, to those who want more, their steps.
func (p *program) sayRecords(records []repo.Record) {
	t := ui.NewTable("Time", "What", "Plan", "Host", "Where", ">Took", ">Added", "Snapshots", "Result")
	for i := range records {
		rec := &records[i]
		p.Object(runlog.LineOf(*rec))
		added := ""
		if rec.AddedPacked > 0 {
			added = ui.Size(rec.AddedPacked)
		}
		var ids []string
		for _, id := range rec.Snapshots {
			ids = append(ids, id.Short())
		}
		t.Row(ui.Time(rec.Time), ui.Plain(string(rec.Kind)), ui.Plain(rec.Plan), ui.Plain(rec.Host), ui.Plain(rec.Destination),
			ui.Duration(rec.Duration), added, strings.Join(ids, "\n"), p.outcome(rec))
	}
	p.Table(t)
	p.Say("%s", ui.Counted(len(records), "record"))
}

// outcome is a record's result with what went wrong; with -v, its steps.
func (p *program) outcome(rec *repo.Record) string {
	lines := []string{ui.Plain(string(rec.Result))}
	if p.Verbose < 1 {
		if len(rec.Errors) > 0 {
			lines[0] += ": " + ui.Plain(rec.Errors[0])
		}
		return lines[0]
	}
	for _, s := range rec.Steps {
		line := "  " + s.Name + " " + string(s.Result) + ", " + ui.Duration(s.Duration.Round(100*time.Millisecond))
		words := strings.Split(s.Words, "\n")
		if s.Words != "" {
			line += ": " + words[0]
		}
		lines = append(lines, ui.Plain(line))
		for _, more := range words[1:] {
			lines = append(lines, "    "+ui.Plain(more))
		}
	}
	for _, e := range rec.Errors {
		lines = append(lines, "  "+ui.Plain(e))
	}
	return strings.Join(lines, "\n")
}
