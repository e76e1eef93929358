package schedule

import (
	"context"
	"strings"
)

// Cron is the user's table of cron.
type Cron struct{}

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
