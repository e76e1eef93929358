package main

import (
	"context"
	"slices"
	"time"

	"chartkeep/cmd/internal/config"
	"chartkeep/cmd/internal/preset"
	"chartkeep/cmd/internal/secret"
	"chartkeep/cmd/internal/ui"
)

// fillSources are a plan's sources with what presets find, reduced to what the
// plan saves of them.
func (p *program) fillSources(ctx context.Context, c *config.Config, plan config.Plan) (all []preset.Filled, err error) {
	var parts []config.Source
	for _, name := range plan.Sources {
		f, err := p.fill(ctx, c, c.Sources[name], plan.What)
		if err != nil {
			return nil, err
		}
		for _, words := range f.Words {
			p.Remark("%s: %s", name, ui.Plain(words))
		}
		f.Source = f.Source.Part(plan.What)
		all, parts = append(all, f), append(parts, f.Source)
	}
	return all, config.Apart(parts)
}

// fillTime bounds how long a practice system's settings are asked for.
const fillTime = time.Minute

func (p *program) fill(ctx context.Context, c *config.Config, s config.Source, what config.What) (preset.Filled, error) {
	ctx, stop := context.WithTimeout(ctx, fillTime)
	defer stop()
	return preset.Fill(ctx, s, preset.Options{What: what, Computer: hostName(c), Password: p.sourcePassword(preset.Filled{Source: s})})
}

// sourcePassword is that of a source's database: the one that the configuration
// refers to, or else the one that a preset has found, or that was given.
func (p *program) sourcePassword(f preset.Filled) func() ([]byte, error) {
	d := f.Source.Database
	switch {
	case d != nil && d.Password != "":
		return func() ([]byte, error) { return secret.Resolve(d.Password) }
	case f.Password != nil:
		return f.Password
	}
	return p.databasePassword(p.databaseFile)
}

// presets says what presets find, and counts what they miss.
func (p *program) presets(c *config.Config) (missed int) {
	for _, name := range c.SourceNames() {
		s := c.Sources[name]
		if s.Preset == "" {
			continue
		}
		f, err := p.fill(context.Background(), c, s, wanted(c, name))
		for _, words := range f.Words {
			p.Print("source %s: %s", name, ui.Plain(words))
			p.Object(presetObject{"preset", name, s.Preset, words})
		}
		if err != nil {
			missed++
			p.Warn("%s", oneLine(err))
		}
	}
	return missed
}

// presetObject is a finding of a preset, for programs.
type presetObject struct {
	Type    string `json:"message_type"`
	Source  string `json:"source"`
	Preset  string `json:"preset"`
	Message string `json:"message"`
}

// wanted is what plans save of a source: all of it, unless they agree on a part.
func wanted(c *config.Config, source string) (what config.What) {
	for _, plan := range c.Plans {
		switch {
		case !slices.Contains(plan.Sources, source):
		case what == "":
			what = plan.What
		case what != plan.What:
			return config.All
		}
	}
	return what
}
