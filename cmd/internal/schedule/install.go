package schedule

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// A Scheduler is a part of the operating system that starts jobs. Its jobs are
// those of one configuration; what else it has stays as it is.
type Scheduler interface {
	// Install puts jobs in place of those that are there, and says what it
	// has written.
	Install(ctx context.Context, h Host, jobs []Job) (written []string, err error)

	// List tells what is there, a line each.
	List(ctx context.Context, h Host) ([]string, error)

	// Remove takes all jobs away, and says what it has removed.
	Remove(ctx context.Context, h Host) (removed []string, err error)
}

// ErrNoScheduler says that this computer runs neither systemd nor cron.
var ErrNoScheduler = errors.New("neither systemd nor cron is there")

// Find finds the scheduler of this computer: systemd where it runs, else cron.
func Find(ctx context.Context) (Scheduler, error) {
	if s, ok := findSystemd(ctx); ok {
		return s, nil
	}
	if _, err := exec.LookPath("crontab"); err == nil {
		return Cron{}, nil
	}
	return nil, ErrNoScheduler
}

// findSystemd finds the system's manager, or for users who are not root their
// own.
func findSystemd(ctx context.Context) (Systemd, bool) {
	if _, err := os.Stat("/run/systemd/system"); err != nil {
		return Systemd{}, false
	}
	s := Systemd{Dir: systemUnits}
	if os.Geteuid() != 0 {
		dir, err := os.UserConfigDir()
		if err != nil {
			return Systemd{}, false
		}
		s = Systemd{Dir: dir + "/systemd/user", User: true}
	}
	_, err := s.systemctl(ctx, "show-environment")
	return s, err == nil
}

// Named is the scheduler that is called systemd or cron.
func Named(ctx context.Context, name string) (Scheduler, error) {
	if name == "cron" {
		return Cron{}, nil
	}
	if s, ok := findSystemd(ctx); ok {
		return s, nil
	}
	return nil, errors.New("systemd does not run here")
}

// output runs a program; its error carries what it said.
func output(ctx context.Context, input string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	if input != "" {
		cmd.Stdin = strings.NewReader(input)
	}
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(said.String()))
	}
	return string(out), nil
}
