package storage

import (
	"context"
	"errors"
	"io"
	"time"
)

const (
	firstPause = 5 * time.Millisecond
	lastPause  = 250 * time.Millisecond
)

// AwaitLock calls try until it returns something else than ErrLocked, or the
// wait is over as Locker describes it. It serves stores whose locks can only be
// tried: a blocking flock could not be called off.
func AwaitLock(ctx context.Context, wait time.Duration, try func() (io.Closer, error)) (io.Closer, error) {
	deadline := time.Now().Add(wait)
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		held, err := try()
		if !errors.Is(err, ErrLocked) {
			return held, err
		}
		if wait >= 0 {
			pause = min(pause, time.Until(deadline))
		}
		if pause <= 0 {
			return nil, err
		}
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
