package snapshot

import (
	"context"
	"errors"
	"io/fs"

	"chartkeep/sources"
)

// SkipFolder is what a WalkFunc returns to leave out what lies below the folder
// it was called with, and SkipRest to end the walk without an error.
var (
	SkipFolder = fs.SkipDir
	SkipRest   = fs.SkipAll
)

// A WalkFunc is called with every node and its path. With an error it is called
// a second time with a folder, a part of which could not be read; it returns nil
// to go on with what can be.
type WalkFunc func(path string, n *Node, err error) error

// Walk visits root, whose path is base, and all below it: depth first, a folder
// before what it holds, names in the order of their bytes.
func Walk(ctx context.Context, load Loader, root *Node, base string, fn WalkFunc) error {
	err := walk(ctx, load, root, []byte(base), fn)
	if errors.Is(err, SkipFolder) || errors.Is(err, SkipRest) {
		return nil
	}
	return err
}

func walk(ctx context.Context, load Loader, n *Node, path []byte, fn WalkFunc) error {
	if err := fn(string(path), n, nil); err != nil || n.Meta.Kind != sources.Dir {
		return err
	}
	for child, err := range Tree(ctx, load, n.Tree) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			err = fn(string(path), n, err)
		} else {
			err = walk(ctx, load, child, enter(path, child.Name), fn)
		}
		if err == SkipFolder && (child == nil || child.Meta.Kind != sources.Dir) {
			return nil // as in io/fs: the rest of the folder
		}
		if err != nil && err != SkipFolder {
			return err
		}
	}
	return nil
}

// enter is the path of a name in a folder. It lies in the memory of the folder's
// path, and is good until the next name is entered: a tree of any depth takes the
// memory of its longest path, and not that of all the paths on the way.
func enter(dir []byte, name string) []byte {
	if string(dir) != "/" {
		dir = append(dir, '/')
	}
	return append(dir, name...)
}
