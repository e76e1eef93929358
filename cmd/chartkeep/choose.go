package main

import (
	"context"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"chartkeep/repo"
	"chartkeep/snapshot"
)

// filter chooses snapshots. What is empty lets all through.
type filter struct {
	hosts, tags, paths, plans []string
}

func filterFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "host", Aliases: []string{"H"}, Usage: "only snapshots of this `HOST`"},
		&cli.StringSliceFlag{Name: "tag", Usage: "only snapshots with this `TAG`; A,B means both"},
		&cli.StringSliceFlag{Name: "path", Usage: "only snapshots of this `PATH`"},
		&cli.StringSliceFlag{Name: "plan", Usage: "only snapshots of this `PLAN`"},
	}
}

func filterOf(c *cli.Context) filter {
	return filter{c.StringSlice("host"), c.StringSlice("tag"), c.StringSlice("path"), c.StringSlice("plan")}
}

func (f filter) empty() bool {
	return len(f.hosts)+len(f.tags)+len(f.paths)+len(f.plans) == 0
}

func (f filter) match(s *snapshot.Snapshot) bool {
	return among(s.Host, f.hosts) && among(s.Plan, f.plans) && f.matchTags(s) && f.matchPaths(s)
}

func among(value string, allowed []string) bool {
	return len(allowed) == 0 || slices.Contains(allowed, value)
}

// matchTags wants all tags of one of the lists.
func (f filter) matchTags(s *snapshot.Snapshot) bool {
	return len(f.tags) == 0 || slices.ContainsFunc(f.tags, func(list string) bool {
		return !slices.ContainsFunc(splitTags(list), func(tag string) bool { return !slices.Contains(s.Tags, tag) })
	})
}

func (f filter) matchPaths(s *snapshot.Snapshot) bool {
	for _, p := range f.paths {
		if !slices.Contains(s.Paths, p) && !slices.Contains(s.Paths, treePath(p)) {
			return false
		}
	}
	return true
}

// splitTags takes a list apart; an empty one is no tag.
func splitTags(lists ...string) (tags []string) {
	for _, list := range lists {
		for _, tag := range strings.Split(list, ",") {
			if tag = strings.TrimSpace(tag); tag != "" {
				tags = append(tags, tag)
			}
		}
	}
	return tags
}

// snapshots reads the manifests that f lets through, the oldest first. One that
// cannot be read is a warning: it must not hide the others.
func (p *program) snapshots(ctx context.Context, r *repo.Repository, f filter) ([]*snapshot.Snapshot, error) {
	all, broken, err := snapshot.All(ctx, r)
	for _, b := range broken {
		p.Warn("%s; to see what is damaged: chartkeep check", oneLine(b))
	}
	all = slices.DeleteFunc(all, func(s *snapshot.Snapshot) bool { return !f.match(s) })
	return all, err
}

// chosen returns the snapshots of these names, or all when there are none.
func chosen(all []*snapshot.Snapshot, names []string) ([]*snapshot.Snapshot, error) {
	if len(names) == 0 {
		return all, nil
	}
	var list []*snapshot.Snapshot
	for _, name := range names {
		s, err := snapshot.Resolve(all, name)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list, nil
}

// place is a path in a snapshot, as SNAPSHOT or SNAPSHOT:PATH names it.
type place struct {
	snapshot *snapshot.Snapshot
	path     string // absolute and clean
	node     *snapshot.Node
}

// splitPlace takes SNAPSHOT:PATH apart. A path in a snapshot begins with a slash; on
// Windows it may also be what it was there: C:\Users is /C/Users.
func splitPlace(arg string) (name, at string, err error) {
	name, at, given := strings.Cut(arg, ":")
	if !given {
		return name, "/", nil
	}
	if filepath.VolumeName(at) != "" && filepath.IsAbs(at) {
		at = treePath(at)
	}
	if !strings.HasPrefix(at, "/") {
		return "", "", failed("Write it as SNAPSHOT:/PATH.", "%s: a path in a snapshot begins with a slash", arg)
	}
	return name, path.Clean(at), nil
}

// place finds what SNAPSHOT[:PATH] names among the snapshots of f.
func (p *program) place(ctx context.Context, r *repo.Repository, f filter, arg string) (place, error) {
	name, at, err := splitPlace(arg)
	if err != nil {
		return place{}, err
	}
	all, err := p.snapshots(ctx, r, f)
	if err != nil {
		return place{}, err
	}
	s, err := snapshot.Resolve(all, name)
	if err != nil {
		return place{}, err
	}
	n, err := snapshot.Lookup(ctx, r, &s.Root, at)
	if err != nil {
		return place{}, fmt.Errorf("snapshot %s: %w", s.ID.Short(), err)
	}
	return place{s, at, n}, nil
}

// oneOrTwo joins SNAPSHOT PATH, as some are used to write it, to SNAPSHOT:PATH.
func oneOrTwo(c *cli.Context) (string, error) {
	switch args := c.Args().Slice(); {
	case len(args) == 1:
		return args[0], nil
	case len(args) == 2 && strings.HasPrefix(args[1], "/") && !strings.Contains(args[0], ":"):
		return args[0] + ":" + args[1], nil
	}
	return "", usage(c, "one snapshot is wanted, as SNAPSHOT or SNAPSHOT:PATH")
}
