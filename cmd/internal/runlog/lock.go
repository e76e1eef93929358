package runlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"chartkeep/repo/storage"
)

// A Holder is a run that goes on on this computer.
type Holder struct {
	Plan  string    `json:"plan"`
	Since time.Time `json:"since"`
	PID   int       `json:"pid"`
}

func (h Holder) String() string {
	since := h.Since.Local()
	form := "15:04"
	if time.Since(since) > 20*time.Hour {
		form = "2006-01-02 15:04"
	}
	return fmt.Sprintf("run of plan %s since %s (pid %d)", h.Plan, since.Format(form), h.PID)
}

// BusyError says that another run goes on. It wraps storage.ErrLocked.
type BusyError struct {
	Holder Holder // zero: not known
}

func (e *BusyError) Error() string {
	if e.Holder == (Holder{}) {
		return "another run goes on on this computer"
	}
	return e.Holder.String() + " goes on on this computer"
}

func (e *BusyError) Unwrap() error { return storage.ErrLocked }

// LockHost makes sure that one run at a time goes on on this computer. The folder
// is made if need be. It waits for another run for as long as wait says: zero
// means not at all, below zero until ctx ends. When the wait was in vain the
// error is a *BusyError. Closing what it returns ends it, and so does the end of
// the process.
func LockHost(ctx context.Context, dir, plan string, wait time.Duration) (io.Closer, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("lock for a run: %w", err)
	}
	held, err := storage.AwaitLock(ctx, wait, func() (io.Closer, error) { return tryFile(filepath.Join(dir, "run.lock")) })
	if errors.Is(err, storage.ErrLocked) {
		return nil, busy(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("lock for a run: %w", err)
	}
	l := &hostLock{held, holderFile(dir)}
	if err := l.introduce(Holder{plan, time.Now().Round(time.Second), os.Getpid()}); err != nil {
		return nil, fmt.Errorf("lock for a run: %w", errors.Join(err, l.Close()))
	}
	return l, nil
}

func tryFile(name string) (io.Closer, error) {
	l := flock.New(name, flock.SetPermissions(0o600))
	ok, err := l.TryLock()
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, storage.ErrLocked
	}
	return l, nil
}

func holderFile(dir string) string { return filepath.Join(dir, "run.holder") }

// busy says who holds the lock, as far as that can be read.
func busy(dir string) *BusyError {
	e := new(BusyError)
	if b, err := os.ReadFile(holderFile(dir)); err == nil && json.Unmarshal(b, &e.Holder) != nil {
		e.Holder = Holder{}
	}
	return e
}

// hostLock is held by the run that goes on.
type hostLock struct {
	io.Closer
	holder string
}

// introduce leaves word of who holds the lock. It stands in a file of its own,
// because Windows lets nobody read one that is locked.
func (l *hostLock) introduce(h Holder) error {
	b, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return os.WriteFile(l.holder, append(b, '\n'), 0o600)
}

// Close gives the lock back.
func (l *hostLock) Close() error {
	os.Remove(l.holder) // left behind it would only be replaced
	return l.Closer.Close()
}
