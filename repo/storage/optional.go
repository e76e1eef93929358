package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"
)

// LockMode says with whom a lock can be shared.
type LockMode uint8

const (
	// Shared locks go together with each other: reading, and adding files.
	Shared LockMode = 1
	// Exclusive goes with no other lock: removing files.
	Exclusive LockMode = 2
)

func (m LockMode) String() string {
	switch m {
	case Shared:
		return "shared"
	case Exclusive:
		return "exclusive"
	}
	return fmt.Sprintf("LockMode(%d)", uint8(m))
}

// Locker is a store that can be locked as a whole.
type Locker interface {
	// Lock takes the store's lock, waiting for other holders for as long as
	// wait says: zero means not at all, below zero until ctx ends. ErrLocked
	// means that the wait was in vain. Closing what it returns gives the lock
	// back, and so does the end of the process, whatever its cause. Two locks
	// taken through one Store exclude each other like those of two processes.
	Lock(ctx context.Context, mode LockMode, wait time.Duration) (io.Closer, error)
}

// Lock locks st (see Locker). A store without locks gives errors.ErrUnsupported.
func Lock(ctx context.Context, st Store, mode LockMode, wait time.Duration) (io.Closer, error) {
	if l, ok := st.(Locker); ok {
		return l.Lock(ctx, mode, wait)
	}
	return nil, fmt.Errorf("lock: %w", errors.ErrUnsupported)
}

// Replacer is a store that can put a healed file in the place of a damaged one.
type Replacer interface {
	// Replace is Put, except that it takes the place of a file of the same
	// name, if there is one. At every moment, a power cut included, the name
	// stands for all of the old file or all of the new one; after an error it
	// may be either. Open files go on reading what they were opened on.
	Replace(ctx context.Context, name string, parts ...[]byte) error
}

// Replace replaces a file (see Replacer). A store that cannot gives
// errors.ErrUnsupported.
func Replace(ctx context.Context, st Store, name string, parts ...[]byte) error {
	if r, ok := st.(Replacer); ok {
		return r.Replace(ctx, name, parts...)
	}
	return fmt.Errorf("replace %s: %w", name, errors.ErrUnsupported)
}

// Space is a store that knows how full it is.
type Space interface {
	// Space returns, in bytes, what this user can still write and the size of
	// the whole place.
	Space(ctx context.Context) (free, total uint64, err error)
}

// FreeSpace asks st how full it is (see Space). A store that cannot know gives
// errors.ErrUnsupported.
func FreeSpace(ctx context.Context, st Store) (free, total uint64, err error) {
	if s, ok := st.(Space); ok {
		return s.Space(ctx)
	}
	return 0, 0, fmt.Errorf("free space: %w", errors.ErrUnsupported)
}

// Cleaner is a store in which a run that died can leave half-written files,
// which no listing shows but which take space.
type Cleaner interface {
	// CleanTemp removes the leftovers of dead runs that have not been touched
	// for olderThan and returns how many files they were. It never removes what
	// a living run is writing.
	CleanTemp(ctx context.Context, olderThan time.Duration) (removed int, err error)
}

// CleanTemp removes the leftovers of dead runs (see Cleaner). A store that has
// none has nothing to do.
func CleanTemp(ctx context.Context, st Store, olderThan time.Duration) (removed int, err error) {
	if c, ok := st.(Cleaner); ok {
		return c.CleanTemp(ctx, olderThan)
	}
	return 0, nil
}

// Tracer is a store in which a run can make sure that a Witness will know of it,
// should it die, although it has not written anything yet.
type Tracer interface {
	Trace(ctx context.Context) error
}

// Trace leaves a trace of this run in st (see Tracer). A store that has none has
// nothing to do.
func Trace(ctx context.Context, st Store) error {
	if t, ok := st.(Tracer); ok {
		return t.Trace(ctx)
	}
	return nil
}

// Witness is a store in which it can be seen that runs died, or go on.
type Witness interface {
	// DeadRuns returns how many runs died and left something that CleanTemp has
	// not removed since. Living runs do not count.
	DeadRuns(ctx context.Context) (int, error)

	// LivingRuns returns how many other runs have written something and go on.
	LivingRuns(ctx context.Context) (int, error)
}

// DeadRuns asks st how many runs died in it (see Witness). Where that cannot be
// seen there are none.
func DeadRuns(ctx context.Context, st Store) (int, error) {
	if w, ok := st.(Witness); ok {
		return w.DeadRuns(ctx)
	}
	return 0, nil
}

// Namer is a store that names its files for less than a listing costs: in a folder
// of a drive nothing has to be asked of each file.
type Namer interface {
	// Names yields the names that List would, in the same order. A file that is
	// removed meanwhile may be among them.
	Names(ctx context.Context, dir string) iter.Seq2[string, error]
}

// Names yields the names of all files below a folder (see Namer). Errors are those
// of List. A store that has no better way is listed.
func Names(ctx context.Context, st Store, dir string) iter.Seq2[string, error] {
	if n, ok := st.(Namer); ok {
		return n.Names(ctx, dir)
	}
	return func(yield func(string, error) bool) {
		for info, err := range st.List(ctx, dir) {
			if !yield(info.Name, err) {
				return
			}
		}
	}
}

// LivingRuns asks st how many other runs go on in it (see Witness). Where that
// cannot be seen there are none.
func LivingRuns(ctx context.Context, st Store) (int, error) {
	if w, ok := st.(Witness); ok {
		return w.LivingRuns(ctx)
	}
	return 0, nil
}

// Uncacher is a store whose files the computer keeps in its memory as well, so
// that reading them back would prove nothing about the medium.
type Uncacher interface {
	// Uncache has the next read of the file come from the medium, as far as the
	// operating system allows: it is not to be relied on while others read it.
	Uncache(ctx context.Context, name string) error
}

// Uncache has the next read of a file come from the medium (see Uncacher). A
// store that cannot gives errors.ErrUnsupported.
func Uncache(ctx context.Context, st Store, name string) error {
	if u, ok := st.(Uncacher); ok {
		return u.Uncache(ctx, name)
	}
	return fmt.Errorf("uncache %s: %w", name, errors.ErrUnsupported)
}

// RunLocker is a store in which runs of whole plans keep out of each other's way,
// whatever they do in it and however long. Backups, restores and checks that
// people start are not concerned: these take the store's lock only.
type RunLocker interface {
	// LockRun takes the one lock of runs. For wait, errors and the end of the
	// lock the same holds as for Locker.Lock; it is a lock of its own beside
	// that one.
	LockRun(ctx context.Context, wait time.Duration) (io.Closer, error)
}

// LockRun takes the lock of runs of st (see RunLocker). A store without it gives
// errors.ErrUnsupported.
func LockRun(ctx context.Context, st Store, wait time.Duration) (io.Closer, error) {
	if l, ok := st.(RunLocker); ok {
		return l.LockRun(ctx, wait)
	}
	return nil, fmt.Errorf("lock for a run: %w", errors.ErrUnsupported)
}

// Close gives back what st holds of the operating system, if it holds anything.
// A store that is never closed loses no data.
func Close(st Store) error {
	if c, ok := st.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
