package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// takeBack undoes what was done, the last first. It has its own time: the
// restore's may be over.
func (r *restore) takeBack() error {
	var errs []error
	for _, f := range slices.Backward(r.undo) {
		if err := f(); err != nil {
			errs = append(errs, fmt.Errorf("and could not be taken back: %w", err))
		}
	}
	return errors.Join(errs...)
}

// undoTime bounds one step of taking back.
const undoTime = 10 * time.Minute

// onError lets statements be said if the restore fails.
func (r *restore) onError(statements ...string) {
	r.undo = append(r.undo, r.statements(statements...))
}

// statements returns what says statements in a connection of their own.
func (r *restore) statements(all ...string) func() error {
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), undoTime)
		defer cancel()
		s, err := r.login.connect(ctx, append(commonSession(restoreLock), "SET SESSION foreign_key_checks=0"))
		if err != nil {
			return err
		}
		defer s.close()
		for _, st := range all {
			if err := s.exec(ctx, st); err != nil {
				return err
			}
		}
		return nil
	}
}

// onCode lets something be done if the restore fails.
func (r *restore) onCode(f func(context.Context) error) {
	r.undo = append(r.undo, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), undoTime)
		defer cancel()
		return f(ctx)
	})
}
