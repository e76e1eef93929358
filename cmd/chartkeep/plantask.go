package main

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"os"
	"path"
	"slices"
	"time"

	"chartkeep/cmd/internal/config"
	"chartkeep/cmd/internal/secret"
	"chartkeep/snapshot"
	"chartkeep/sources"
	"chartkeep/sources/files"
	"chartkeep/sources/stream"
)

// planTask makes of a plan what a backup reads: what is no files comes first,
// each source by itself, and all files together.
func (p *program) planTask(ctx context.Context, c *config.Config, plan config.Plan) (t task, err error) {
	t.name = "plan " + plan.Name
	if t.filled, err = p.fillSources(ctx, c, plan); err != nil {
		return t, err
	}
	var walks []sources.Source
	var surveys []files.Options
	for _, f := range t.filled {
		s := f.Source
		if s.Command != nil {
			if err := p.addCommand(&t, s); err != nil {
				return t, err
			}
		}
		if s.Database != nil {
			if err := p.addDatabase(&t, s, p.sourcePassword(f)); err != nil {
				return t, err
			}
		}
		if folders := s.Folders(); len(folders) > 0 {
			o, err := p.planFiles(s, folders)
			if err != nil {
				return t, err
			}
			walk, err := files.New(o)
			if err != nil {
				return t, fmt.Errorf("source %s: %w", s.Name, err)
			}
			t.walks = append(t.walks, walk)
			walks, surveys = append(walks, walk), append(surveys, o)
			t.add(&snapshot.SourceRecord{Name: s.Name, Kind: "files", Paths: treePaths(folders)})
		}
	}
	slices.Sort(t.paths)
	t.paths = slices.Compact(t.paths)
	t.survey = surveyAll(surveys)
	if t.source = sources.Source(bareRoot{}); len(walks) > 0 {
		t.source = sources.Merge(walks...)
	}
	return t, nil
}

// add takes a source's record into the task.
func (t *task) add(r *snapshot.SourceRecord) {
	t.order = append(t.order, r)
	t.paths = append(t.paths, r.Paths...)
}

// addApart adds a source that is saved by itself.
func (t *task) addApart(name, kind, at string, source sources.Source) {
	r := &snapshot.SourceRecord{Name: name, Kind: kind, Paths: []string{at}}
	t.add(r)
	t.apart = append(t.apart, &part{source, r})
}

func treePaths(given []string) (all []string) {
	for _, g := range given {
		all = append(all, treePath(g))
	}
	return all
}

func (p *program) planFiles(s config.Source, folders []string) (o files.Options, err error) {
	r := s.Rules
	o = files.Options{
		Paths: folders, Excludes: slices.Clone(r.Exclude), FoldedExcludes: r.IExclude, ExcludeIfPresent: r.ExcludeIfPresent,
		ExcludeLargerThan: r.ExcludeLargerThan, ExcludeCaches: r.ExcludeCaches, OneFileSystem: r.OneFileSystem,
	}
	for _, file := range r.ExcludeFile {
		list, err := p.readList(file, expandVariables)
		if err != nil {
			return o, fmt.Errorf("source %s: exclude_file: %w", s.Name, err)
		}
		o.Excludes = append(o.Excludes, list...)
	}
	p.skipOwn(&o)
	return o, nil
}

// surveyAll counts what several walks will find.
func surveyAll(all []files.Options) func(context.Context, *snapshot.Progress) {
	if len(all) == 0 {
		return nil
	}
	return func(ctx context.Context, pr *snapshot.Progress) {
		var one snapshot.Progress
		var number, size int64
		for _, o := range all {
			survey(o)(ctx, &one)
			number += one.TotalFiles.Load()
			size += one.TotalBytes.Load()
		}
		if ctx.Err() == nil {
			pr.TotalFiles.Store(number)
			pr.TotalBytes.Store(size)
		}
	}
}

func (p *program) addCommand(t *task, s config.Source) error {
	env := os.Environ()
	for _, v := range s.Command.Env {
		value := v.Value
		if v.Ref != "" {
			b, err := secret.Resolve(v.Ref)
			if err != nil {
				return fmt.Errorf("source %s: env.%s: %w", s.Name, v.Name, err)
			}
			value = string(b)
		}
		env = append(env, v.Name+"="+value)
	}
	c := stream.Command{Args: s.Command.Args, Dir: cmp.Or(s.Command.Dir, rootDir), Env: env, Stderr: p.Aside()}
	source, err := stream.NewCommand(s.Top(), c)
	if err != nil {
		return fmt.Errorf("source %s: %w", s.Name, err)
	}
	t.addApart(s.Name, "command", path.Join("/", s.Top()), &bounded{Source: source, limit: s.Command.TimeLimit})
	return nil
}

// rootDir is where a plan's commands run that name no folder: not wherever the
// program happened to be started.
const rootDir = string(os.PathSeparator)

// bounded is a source that is given up when it takes too long.
type bounded struct {
	sources.Source
	limit time.Duration // 0: none
	stop  context.CancelFunc
}

func (b *bounded) Entries(ctx context.Context) iter.Seq[sources.Entry] {
	if b.limit > 0 {
		ctx, b.stop = context.WithTimeoutCause(ctx, b.limit, fmt.Errorf("it took longer than its time_limit of %v", b.limit))
	}
	return b.Source.Entries(ctx)
}

// bareRoot is the source of a plan without files: a root for the others to lie
// in.
type bareRoot struct{}

func (bareRoot) Entries(context.Context) iter.Seq[sources.Entry] {
	return func(yield func(sources.Entry) bool) {
		yield(sources.Entry{Path: "/", Meta: sources.Meta{Kind: sources.Dir, Mode: 0o755, Links: 1}, Content: noAttributes{}})
	}
}

type noAttributes struct{}

func (noAttributes) Open() (sources.File, error) {
	return nil, fmt.Errorf("a folder cannot be read")
}

func (noAttributes) Attributes() ([]sources.Attribute, error) { return nil, nil }
