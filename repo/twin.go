package repo

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sort"

	"golang.org/x/sync/errgroup"

	"chartkeep/repo/storage"
)

// twinFolder holds the second copy of every small file that much depends on.
// It is a folder of its own so that the damage of one folder's sectors, or a
// slip of the hand in it, leaves the other copy alone.
const twinFolder = "copies"

// maxSmallFile bounds what is read of a file that is kept twice, bytes.
const maxSmallFile = 16 << 20

// smallReaders is how many small files are read at a time. A repository that is
// ten years old has tens of thousands, and a fast drive gives many at once what it
// gives one; what a slow one is asked for at a time is the store's concern.
const smallReaders = 8

// eachSmall calls do for 0 to n-1, several at a time, until one fails.
func eachSmall(ctx context.Context, n int, do func(i int) error) error {
	g, going := errgroup.WithContext(ctx)
	g.SetLimit(smallReaders)
	for i := range n {
		if going.Err() != nil {
			break
		}
		g.Go(func() error { return do(i) })
	}
	return cmp.Or(g.Wait(), ctx.Err())
}

// putTwins stores a small file twice and returns when both copies are durable.
// The one in the twin folder comes first, here as everywhere: where the other
// one alone is missing, a run may have been cut off that was putting them, and
// completeTwins does its work.
func putTwins(ctx context.Context, st storage.Store, name string, content []byte) error {
	twin := path.Join(twinFolder, name)
	if err := st.Put(ctx, twin, content); err != nil {
		return err
	}
	err := putSame(ctx, st, name, content)
	if err != nil {
		takeBack(context.WithoutCancel(ctx), st, name, content)
	}
	return err
}

// takeBack removes what putTwins has stored before it failed, which must not look
// like half of what has succeeded. Somebody who completes twins may have written
// the other copy meanwhile.
func takeBack(ctx context.Context, st storage.Store, name string, content []byte) {
	st.Remove(ctx, path.Join(twinFolder, name))
	if is, err := storage.ReadAll(ctx, st, name, maxSmallFile); err == nil && bytes.Equal(is, content) {
		st.Remove(ctx, name)
	}
}

// putSame is Put for a name that stands for this content alone: another run
// that completes twins may be faster.
func putSame(ctx context.Context, st storage.Store, name string, content []byte) error {
	err := st.Put(ctx, name, content)
	if errors.Is(err, fs.ErrExist) {
		if is, failed := storage.ReadAll(ctx, st, name, maxSmallFile); failed == nil && bytes.Equal(is, content) {
			return nil
		}
	}
	return err
}

// readTwins returns the first copy of name that valid accepts. When both are
// there and neither is accepted, the error is the first copy's.
func readTwins(ctx context.Context, st storage.Store, name string, valid func([]byte) error) ([]byte, error) {
	var first error
	for _, n := range []string{name, path.Join(twinFolder, name)} {
		b, err := storage.ReadAll(ctx, st, n, maxSmallFile)
		if err == nil {
			err = valid(b)
		}
		if err == nil {
			return b, nil
		}
		if first == nil || errors.Is(first, fs.ErrNotExist) {
			first = fmt.Errorf("read %s: %w", n, err)
		}
	}
	return nil, first
}

// removeTwins deletes both copies, the one in the twin folder first: what is
// being removed never looks like what completeTwins completes. When neither is
// there the error is fs.ErrNotExist: somebody else was faster.
func removeTwins(ctx context.Context, st storage.Store, name string) error {
	// Whoever finds one copy alone has to see that a run died over it. Where there
	// is no room for that, it will be mended without a reason.
	_ = storage.Trace(ctx, st)
	removed := false
	for _, n := range []string{path.Join(twinFolder, name), name} {
		err := st.Remove(ctx, n)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove %s: %w", n, err)
		}
		removed = removed || err == nil
	}
	if !removed {
		return fmt.Errorf("remove %s: %w", name, fs.ErrNotExist)
	}
	return nil
}

// listTwins returns the names in dir of which at least one copy is there,
// without the folder, sorted.
func listTwins(ctx context.Context, st storage.Store, dir string) ([]string, error) {
	seen := map[string]bool{}
	for _, d := range []string{dir, path.Join(twinFolder, dir)} {
		for name, err := range storage.Names(ctx, st, d) {
			if err != nil {
				return nil, fmt.Errorf("list %s: %w", d, err)
			}
			seen[path.Base(name)] = true
		}
	}
	names := make([]string, 0, len(seen))
	for n := range seen {
		names = append(names, n)
	}
	sort.Strings(names)
	return names, nil
}
