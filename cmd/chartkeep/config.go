package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/config"
	"chartkeep/cmd/internal/secret"
	"chartkeep/cmd/internal/ui"
)

func (p *program) configCommand() *cli.Command {
	return &cli.Command{
		Name:  "config",
		Usage: "check the configuration file, or show it with its defaults",
		Subcommands: []*cli.Command{
			{
				Name:  "check",
				Usage: "say what is wrong with the configuration, line by line",
				Description: `Reads the configuration, looks for the secrets that it refers to, and for the
paths, and says what presets find of a practice system. Nothing is saved, and no
secret is shown.

   chartkeep config check
   chartkeep --config new.toml config check`,
				Action: p.configCheck,
			},
			{
				Name:  "show",
				Usage: "print the configuration with all defaults filled in",
				Description: `Prints what counts, as a configuration file. Secrets stay references.

   chartkeep config show`,
				Action: p.configShow,
			},
			p.configSecretCommand(),
		},
	}
}

// config reads the configuration file.
func (p *program) config() (*config.Config, error) {
	path, err := p.configPath()
	if err != nil {
		return nil, err
	}
	c, err := config.Load(path)
	var problems config.Problems
	switch {
	case err == nil:
		return c, nil
	case errors.As(err, &problems):
		return nil, &failure{exitFailed, err, "To see the problems one by one: chartkeep config check"}
	case errors.Is(err, fs.ErrNotExist):
		return nil, failed("Check the name after --config, or in $CHARTKEEP_CONFIG.", "there is no configuration %s", path)
	}
	return nil, &failure{exitFailed, err, "To check it again: chartkeep config check"}
}

// configPath is the file that --config names, or the first of the usual ones
// that is there.
func (p *program) configPath() (string, error) {
	if p.configFile != "" {
		return filepath.Abs(p.configFile)
	}
	places := configPlaces()
	for _, path := range places {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			return path, nil
		}
	}
	return "", failed("Write plans into one of them, or name another with --config; the documentation has an example.",
		"there is no configuration: neither %s", strings.Join(places, " nor "))
}

func configPlaces() (places []string) {
	system := "/etc/chartkeep"
	if runtime.GOOS == "windows" {
		system = filepath.Join(os.Getenv("ProgramData"), "chartkeep")
	}
	places = append(places, filepath.Join(system, "chartkeep.toml"))
	if dir, err := os.UserConfigDir(); err == nil {
		places = append(places, filepath.Join(dir, "chartkeep", "chartkeep.toml"))
	}
	return places
}

// configProblem is a problem for programs.
type configProblem struct {
	Type    string `json:"message_type"`
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Key     string `json:"key,omitempty"`
	Message string `json:"message"`
}

// configSummary is what a configuration amounts to, for programs.
type configSummary struct {
	Type         string   `json:"message_type"`
	File         string   `json:"file"`
	Sources      []string `json:"sources"`
	Plans        []string `json:"plans"`
	Destinations []string `json:"destinations"`
	Problems     int      `json:"problems"`
	Warnings     int      `json:"warnings"`
}

func (p *program) configCheck(*cli.Context) error {
	path, err := p.configPath()
	if err != nil {
		return err
	}
	c, err := config.Load(path)
	var problems config.Problems
	if errors.As(err, &problems) {
		for _, one := range problems {
			p.Object(configProblem{"problem", one.File, one.Line, one.Key, one.Message})
			p.Print("%s", ui.Plain(one.Error()))
		}
		return failed("", "%s in %s", ui.Counted(len(problems), "problem"), path)
	}
	if err != nil {
		_, err = p.config() // the same error, with a hint
		return err
	}
	unresolved, warnings := p.unresolved(c), p.doubts(c)
	warnings += p.presets(c)
	p.describe(c)
	p.Object(configSummary{"summary", path, c.SourceNames(), c.PlanNames(), c.DestinationNames(), unresolved, warnings})
	if unresolved > 0 {
		return failed("", "%s of %s cannot be had", ui.Counted(unresolved, "secret"), path)
	}
	return nil
}

// unresolved counts the secrets that are not there.
func (p *program) unresolved(c *config.Config) (number int) {
	for _, r := range c.References() {
		if _, err := secret.Resolve(r.Ref); err != nil {
			number++
			p.Object(configProblem{"problem", c.Path, 0, r.Place, err.Error()})
			p.Print("%s: %s: %s", c.Path, r.Place, ui.Plain(err.Error()))
		}
	}
	return number
}

// doubts warns of what is allowed but hardly meant, and counts it.
func (p *program) doubts(c *config.Config) (number int) {
	for _, d := range c.Doubts() {
		number++
		p.Warn("%s", ui.Plain(d.Error()))
	}
	for _, name := range c.SourceNames() {
		for _, path := range c.Sources[name].Folders() {
			if _, err := os.Lstat(path); err != nil {
				number++
				p.Warn("source %s: %s is not there", name, ui.Plain(path))
			}
		}
	}
	return number
}

// describe says what is configured.
func (p *program) describe(c *config.Config) {
	p.Print("%s: %s, %s, %s", c.Path, ui.Counted(len(c.Plans), "plan"), ui.Counted(len(c.Sources), "source"), ui.Counted(len(c.Destinations), "destination"))
	for _, plan := range c.Plans {
		state := plan.Times.String()
		if !plan.Enabled {
			state = "switched off"
		}
		p.Print("plan %s: %s to %s, %s", plan.Name, strings.Join(plan.Sources, ", "), strings.Join(plan.To, ", "), state)
	}
	p.Print("kept: %s", c.Retention.Policy)
}

func (p *program) configShow(*cli.Context) error {
	c, err := p.config()
	if err != nil {
		return err
	}
	if !p.JSON {
		_, err := p.Bytes().Write(c.TOML())
		return err
	}
	values, err := c.Values()
	if err != nil {
		return err
	}
	values["message_type"], values["file"] = "config", c.Path
	p.Object(values)
	return nil
}
