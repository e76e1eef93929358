package main

import (
	"time"

	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/config"
	"chartkeep/cmd/internal/schedule"
	"chartkeep/cmd/internal/ui"
)

func (p *program) scheduleCommand() *cli.Command {
	return &cli.Command{
		Name:  "schedule",
		Usage: "have the operating system run the plans at their times",
		Subcommands: []*cli.Command{
			p.scheduleInstallCommand(),
			p.scheduleListCommand(),
			p.scheduleRemoveCommand(),
			p.scheduleNextCommand(),
		},
	}
}

func (p *program) scheduleNextCommand() *cli.Command {
	return &cli.Command{
		Name:  "next",
		Usage: "print the coming runs",
		Description: `Prints when the plans run next, in the practice's time zone.

   chartkeep schedule next
   chartkeep schedule next -n 20 --plan nightly`,
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "number", Aliases: []string{"n"}, Value: 10, Usage: "print `N` runs"},
			&cli.StringFlag{Name: "plan", Usage: "only those of plan `NAME`"},
			&cli.StringFlag{Name: "after", Usage: "those after `TIME` (default: now)"},
		},
		Action: p.scheduleNext,
	}
}

// nextRun is a coming run for programs.
type nextRun struct {
	Type string    `json:"message_type"`
	Plan string    `json:"plan"`
	Time time.Time `json:"time"`
}

func (p *program) scheduleNext(c *cli.Context) error {
	conf, err := p.config()
	if err != nil {
		return err
	}
	after := time.Now()
	if text := c.String("after"); text != "" {
		if after, err = parseTime(text); err != nil {
			return usage(c, "--after: %w", err)
		}
	}
	plans, err := scheduled(conf, c.String("plan"))
	if err != nil {
		return err
	}
	t := ui.NewTable("Time", "Day", "Plan")
	rows := 0
	for at, name := range schedule.Merged(plans, after, conf.Practice.Zone) {
		if rows++; rows > c.Int("number") {
			break
		}
		p.Object(nextRun{"next_run", name, at})
		t.Row(at.Format("2006-01-02 15:04 MST"), at.Format("Mon"), name)
	}
	if rows == 0 {
		p.Remark("No plan has a time to come.")
		return nil
	}
	p.Table(t)
	return nil
}

// scheduled are the times of the plans that are switched on, or of the one that
// is named.
func scheduled(conf *config.Config, name string) (map[string]schedule.Times, error) {
	if name != "" {
		plan, ok := conf.Plan(name)
		if !ok {
			return nil, failed("To see them: chartkeep config show", "there is no plan %s%s", name, ui.Suggest(name, conf.PlanNames()))
		}
		return map[string]schedule.Times{name: plan.Times}, nil
	}
	times := map[string]schedule.Times{}
	for _, plan := range conf.Plans {
		if plan.Enabled {
			times[plan.Name] = plan.Times
		}
	}
	return times, nil
}
