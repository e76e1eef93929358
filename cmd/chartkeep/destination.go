package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/disk"

	"chartkeep/cmd/internal/config"
	"chartkeep/cmd/internal/secret"
	"chartkeep/repo"
	"chartkeep/repo/storage"
	"chartkeep/repo/storage/local"
)

// A site is a destination of a plan, and where it is found today.
type site struct {
	config.Destination
	program *program // with its location and password; nil: it is absent
	why     error    // that it is absent
	broken  error    // there is no way to open it
}

// siteOf looks for a destination. What is not there, drive or folder, makes it
// absent; anything else that is wrong is told when it is opened.
func (p *program) siteOf(ctx context.Context, d config.Destination) *site {
	at, why := p.locate(ctx, d)
	if why != nil {
		return &site{Destination: d, why: why}
	}
	found := *p
	found.location = at
	s := &site{Destination: d, program: &found}
	if d.Password != "" {
		password, err := secret.Resolve(d.Password)
		if err != nil {
			s.broken = failed("Check the destination's password in the configuration.", "destination %s: %w", d.Name, err)
		}
		found.passwordFile, found.secrets = "", secrets{password: string(password)}
	}
	return s
}

// locate returns where the destination's repository lies now.
func (p *program) locate(ctx context.Context, d config.Destination) (string, error) {
	if d.Repo != "" && isRemote(d.Repo) {
		return d.Repo, nil
	}
	candidates := slices.Concat(given(d.Repo), d.Paths)
	if d.Drive != "" {
		for _, dir := range candidates {
			if holds(ctx, dir, d.Drive) {
				return dir, nil
			}
		}
		for dir := range mounted(ctx) {
			if holds(ctx, dir, d.Drive) {
				return dir, nil
			}
		}
		return "", fmt.Errorf("the drive %s is not connected: %w", d.Name, storage.ErrAbsent)
	}
	for _, dir := range candidates {
		if !vacant(dir) {
			return dir, nil
		}
	}
	return "", fmt.Errorf("the destination %s is not there (%s): %w", d.Name, d.Repo, storage.ErrAbsent)
}

func given(path string) []string {
	if path == "" {
		return nil
	}
	return []string{path}
}

// vacant reports whether there is no folder, or an empty one: that is what the
// place of a drive looks like which is not mounted.
func vacant(dir string) bool {
	f, err := os.Open(dir)
	if err != nil {
		return errors.Is(err, os.ErrNotExist)
	}
	defer f.Close()
	names, _ := f.Readdirnames(1)
	return len(names) == 0
}

// holds reports whether a folder is the repository with an ID.
func holds(ctx context.Context, dir, id string) bool {
	if _, err := os.Stat(filepath.Join(dir, "config")); err != nil {
		return false
	}
	st, err := local.New(dir)
	if err != nil {
		return false
	}
	defer storage.Close(st)
	is, err := repo.Identify(ctx, st)
	return err == nil && is.String() == id
}

// mounted yields the folders of mounted drives in which a repository may be:
// the drive's root and the folders in it.
func mounted(ctx context.Context) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		ctx, cancel := context.WithTimeout(ctx, 20*time.Second) // a dead network share answers never
		defer cancel()
		drives, _ := disk.PartitionsWithContext(ctx, false)
		for _, d := range drives {
			if !yield(d.Mountpoint) {
				return
			}
			below, _ := os.ReadDir(d.Mountpoint)
			for _, e := range below {
				if e.IsDir() && !yield(filepath.Join(d.Mountpoint, e.Name())) {
					return
				}
			}
		}
	}
}

// sites finds a plan's destinations, in its order.
func (p *program) sites(ctx context.Context, c *config.Config, plan config.Plan) (all []*site, err error) {
	for _, name := range plan.To {
		d, ok := c.Destinations[name]
		if !ok {
			return nil, failed("Check the plan's to = […].", "plan %s: there is no destination %s", plan.Name, name)
		}
		all = append(all, p.siteOf(ctx, d))
	}
	return all, nil
}

// isRemote reports whether a location is an address and not a folder.
func isRemote(location string) bool { return strings.Contains(location, "://") }

// firstSite is the program at the plan's first destination that is there.
func (p *program) firstSite(ctx context.Context, conf *config.Config, plan config.Plan) (*program, error) {
	sites, err := p.sites(ctx, conf, plan)
	if err != nil {
		return nil, err
	}
	for _, s := range sites {
		if s.program != nil {
			return s.program, s.broken
		}
	}
	return nil, noneThere(plan, sites[0].why)
}

// noneThere says that no destination of a plan is there.
func noneThere(plan config.Plan, why error) error {
	return &quiet{failure{exitAbsent, fmt.Errorf("plan %s: no destination is there: %w", plan.Name, why), "Connect one of its drives, and run it again: chartkeep run " + plan.Name}}
}
