package notify

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// attempts bounds how often one thing is tried over one channel.
const attempts = 3

// final marks an error that another attempt would meet again: a wrong password
// (which more attempts would lock), a wrong address, a file that cannot be
// written.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

// try does one job within the limit, and again while it may help.
func (n *Notifier) try(ctx context.Context, name string, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, n.settings.Limit, fmt.Errorf("no answer within %v", n.settings.Limit))
	defer cancel()
	pause := n.settings.Pause
	for attempt := 1; ; attempt++ {
		err := do(ctx)
		if err == nil {
			return nil
		}
		if attempt == attempts || errors.As(err, new(final)) || !rest(ctx, pause) {
			return fmt.Errorf("%s: %w", name, because(ctx, err))
		}
		pause *= 2
	}
}

// because is why a job failed: when its time ran out, its own error says only
// what happened to be cut off.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// rest waits, and reports whether there is time for another attempt.
func rest(ctx context.Context, pause time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= pause {
		return false
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
