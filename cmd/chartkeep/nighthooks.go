package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"chartkeep/cmd/internal/config"
	"chartkeep/cmd/internal/ui"
	"chartkeep/sources/stream"
)

// hooks runs commands in order; the first that fails ends it. What they write
// goes to the log, and to the terminal.
func (n *night) hooks(ctx context.Context, when string, hooks []config.Hook) error {
	for _, h := range hooks {
		err := n.step(ctx, when, "", func() (string, error) {
			return strings.Join(h.Command, " "), n.hook(ctx, when, h)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// saidExcerpt is how much of a command's output the log keeps, bytes.
const saidExcerpt = 2 << 10

func (n *night) hook(ctx context.Context, when string, h config.Hook) error {
	if h.TimeLimit > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeoutCause(ctx, h.TimeLimit, fmt.Errorf("it took longer than its time_limit of %s", ui.Duration(h.TimeLimit)))
		defer stop()
	}
	fmt.Fprintf(&n.hookLog, "%s %s: %s\n", time.Now().Format(time.DateTime), when, strings.Join(h.Command, " "))
	var said bytes.Buffer
	defer func() { n.saying = tail(strings.TrimSpace(said.String()), saidExcerpt) }()
	out := io.MultiWriter(&said, &n.hookLog, n.Aside())
	c := stream.Command{Args: h.Command, Dir: rootDir, Stderr: out, Env: append(os.Environ(),
		"CHARTKEEP_PLAN="+n.plan.Name, "CHARTKEEP_HOOK="+when, "CHARTKEEP_RUN="+n.out.ID)}
	if err := c.Run(ctx, out); err != nil {
		return fmt.Errorf("%s: %w", strings.Join(h.Command, " "), err)
	}
	return nil
}
