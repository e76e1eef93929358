package schedule

import (
	"context"
	"os"
	"runtime"
	"strings"
)

// Cron is the user's table of cron.
type Cron struct{}

// cronPIDs are where the daemons of Linux note their process.
var cronPIDs = []string{"/run/crond.pid", "/run/cron.pid", "/var/run/crond.pid", "/var/run/cron.pid"}

// Runs reports whether the daemon seems to run; a table alone starts nothing.
// Other systems than Linux start it when there is a table.
func (Cron) Runs() bool {
	if runtime.GOOS != "linux" {
		return true
	}
	for _, path := range cronPIDs {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		if _, err := os.Stat("/proc/" + strings.TrimSpace(string(text)) + "/stat"); err == nil {
			return true
		}
	}
	return false
}

// Install puts the jobs into a marked block of the table.
func (c Cron) Install(ctx context.Context, h Host, jobs []Job) (written []string, err error) {
	table, err := c.table(ctx)
	if err != nil {
		return nil, err
	}
	changed, err := h.Crontab(jobs, table)
	if err != nil {
		return nil, err
	}
	return cronEntries(h.Block(changed)), c.write(ctx, table, changed)
}

// List are the lines of the block.
func (c Cron) List(ctx context.Context, h Host) ([]string, error) {
	table, err := c.table(ctx)
	return cronEntries(h.Block(table)), err
}

// Remove takes the block out of the table.
func (c Cron) Remove(ctx context.Context, h Host) ([]string, error) {
	table, err := c.table(ctx)
	if err != nil {
		return nil, err
	}
	rest, err := h.WithoutBlock(table)
	if err != nil {
		return nil, err
	}
	return cronEntries(h.Block(table)), c.write(ctx, table, rest)
}

// table is the user's table; a user without one has an empty one.
func (Cron) table(ctx context.Context) ([]byte, error) {
	text, err := output(ctx, "", "crontab", "-l")
	if err != nil && strings.Contains(err.Error(), "no crontab for") {
		return nil, nil
	}
	return []byte(text), err
}

func (Cron) write(ctx context.Context, before, after []byte) error {
	if string(before) == string(after) {
		return nil
	}
	if len(after) == 0 {
		_, err := output(ctx, "", "crontab", "-r")
		return err
	}
	_, err := output(ctx, string(after), "crontab", "-")
	return err
}

// cronEntries are the lines of a block but for its comments.
func cronEntries(block string) (lines []string) {
	for line := range strings.Lines(block) {
		if !strings.HasPrefix(line, "#") {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	return lines
}
