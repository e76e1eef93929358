package schedule

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const systemUnits = "/etc/systemd/system"

// Systemd is systemd's manager. Each job is a timer and a service.
type Systemd struct {
	Dir  string // of unit files, below Root
	User bool   // a user's own manager
	Root string // of a system that does not run, which is only prepared; empty: this one
}

// systemctl asks the manager.
func (s Systemd) systemctl(ctx context.Context, args ...string) (string, error) {
	if s.User {
		args = append([]string{"--user"}, args...)
	}
	if s.Root != "" {
		args = append([]string{"--root=" + s.Root}, args...)
	}
	return output(ctx, "", "systemctl", args...)
}

func (s Systemd) dir() string { return filepath.Join(s.Root, s.Dir) }

// Install writes units, and takes those away that are no longer wanted.
func (s Systemd) Install(ctx context.Context, h Host, jobs []Job) (written []string, err error) {
	files := h.Systemd(jobs)
	before, err := s.own(h)
	if err != nil {
		return nil, err
	}
	var wanted, timers []string
	for _, f := range files {
		wanted = append(wanted, f.Name)
		if strings.HasSuffix(f.Name, ".timer") {
			timers = append(timers, f.Name)
		}
		if _, err := os.Lstat(filepath.Join(s.dir(), f.Name)); err == nil && !slices.Contains(before, f.Name) {
			return nil, fmt.Errorf("%s is not of this configuration", filepath.Join(s.Dir, f.Name))
		}
	}
	unwanted := slices.DeleteFunc(before, func(name string) bool { return slices.Contains(wanted, name) })
	if err := s.take(ctx, unwanted); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(s.dir(), 0o755); err != nil {
		return nil, err
	}
	for _, f := range files {
		if err := replace(filepath.Join(s.dir(), f.Name), f.Content); err != nil {
			return written, err
		}
		written = append(written, filepath.Join(s.Dir, f.Name))
	}
	return written, s.start(ctx, timers)
}

// start has the manager read the units, and switches timers on.
func (s Systemd) start(ctx context.Context, timers []string) error {
	if s.Root == "" {
		if _, err := s.systemctl(ctx, "daemon-reload"); err != nil {
			return err
		}
	}
	if len(timers) == 0 {
		return nil
	}
	if _, err := s.systemctl(ctx, append([]string{"enable"}, timers...)...); err != nil || s.Root != "" {
		return err
	}
	// A timer that runs already goes by its new times only after this.
	_, err := s.systemctl(ctx, append([]string{"restart"}, timers...)...)
	return err
}

// List tells when each timer elapses, or only its name where the manager does
// not run.
func (s Systemd) List(ctx context.Context, h Host) (lines []string, err error) {
	names, err := s.own(h)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if !strings.HasSuffix(name, ".timer") {
			continue
		}
		line := filepath.Join(s.Dir, name)
		if s.Root == "" {
			next, err := s.systemctl(ctx, "show", name, "--property=NextElapseUSecRealtime", "--value")
			if err != nil {
				return nil, err
			}
			line += ", next " + strings.TrimSpace(next)
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// Remove takes the units away.
func (s Systemd) Remove(ctx context.Context, h Host) (removed []string, err error) {
	names, err := s.own(h)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		removed = append(removed, filepath.Join(s.Dir, name))
	}
	if err := s.take(ctx, names); err != nil || len(names) == 0 {
		return nil, err
	}
	return removed, s.start(ctx, nil)
}

// take switches timers off and removes units. What runs goes on to its end.
func (s Systemd) take(ctx context.Context, names []string) error {
	for _, name := range names {
		if strings.HasSuffix(name, ".timer") {
			args := []string{"disable", name}
			if s.Root == "" {
				args = []string{"disable", "--now", name}
			}
			if _, err := s.systemctl(ctx, args...); err != nil {
				return err
			}
		}
	}
	for _, name := range names {
		if err := os.Remove(filepath.Join(s.dir(), name)); err != nil {
			return err
		}
	}
	return nil
}

// own are the unit files that were written for this configuration.
func (s Systemd) own(h Host) (names []string, err error) {
	entries, err := os.ReadDir(s.dir())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !strings.HasPrefix(e.Name(), "chartkeep-") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(s.dir(), e.Name()))
		if err != nil {
			return nil, err
		}
		if first, _, _ := strings.Cut(string(text), "\n"); first == "# "+h.Mark() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// replace writes a file that is never seen half written.
func replace(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".chartkeep-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already when all went well
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
