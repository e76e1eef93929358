package files

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"chartkeep/sources"
)

// A given is a node in the tree of the given paths: either a path that is
// walked as a whole, or a folder above such paths.
type given struct {
	whole    bool
	children map[string]*given
	names    listing // of children, sorted
}

// plant makes the tree of the given paths.
func plant(paths, listed []string) (*given, error) {
	for _, p := range listed {
		paths = append(slices.Clip(paths), expand(p)...)
	}
	for i, p := range paths {
		if p == "" || strings.ContainsRune(p, 0) {
			return nil, fmt.Errorf("path %q is not a path", p)
		}
		abs, err := filepath.Abs(p)
		if err != nil {
			return nil, fmt.Errorf("path %s: %w", p, err)
		}
		if i == 0 {
			paths = slices.Clone(paths)
		}
		paths[i] = abs
	}
	root := &given{}
	for _, p := range settle(paths) {
		root.add(elements(p))
	}
	root.sort()
	return root, nil
}

// expand returns the names that the pattern p stands for, or p itself if it is
// a name or stands for none; what is not there is then reported by the walk.
func expand(p string) []string {
	if _, err := os.Lstat(p); err == nil {
		return []string{p}
	}
	found, err := doublestar.FilepathGlob(p, doublestar.WithNoFollow())
	if err != nil || len(found) == 0 {
		return []string{p}
	}
	return found
}

// settle drops the paths that lie in other ones, which are walked anyway. But
// where a symbolic link stands between the two, the walk stores the link and
// does not pass it: such a path is given by its real name instead.
func settle(paths []string) []string {
	known := map[string]bool{}
	for _, p := range paths {
		known[p] = true
	}
	var kept []string
	for work := slices.Sorted(maps.Keys(known)); len(work) > 0; work = work[1:] {
		p := work[0]
		above, covered := nearest(known, p)
		if !covered {
			kept = append(kept, p)
			continue
		}
		if real := behindLink(above, p); real != "" && !known[real] {
			known[real] = true
			work = append(work, real)
		}
	}
	return kept
}

// nearest returns the given path that p lies in.
func nearest(known map[string]bool, p string) (string, bool) {
	for above := filepath.Dir(p); above != p; p, above = above, filepath.Dir(above) {
		if known[above] {
			return above, true
		}
	}
	return "", false
}

// behindLink returns the real name of p if a symbolic link leads to it from
// above, and else nothing.
func behindLink(above, p string) string {
	for dir := filepath.Dir(p); len(dir) >= len(above); dir = filepath.Dir(dir) {
		if info, err := os.Lstat(dir); err == nil && info.Mode()&os.ModeSymlink != 0 {
			real, err := filepath.EvalSymlinks(filepath.Dir(p))
			if err != nil {
				return ""
			}
			return filepath.Join(real, filepath.Base(p))
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	return ""
}

func (g *given) add(elements []string) {
	for _, name := range elements {
		if g.children[name] == nil {
			if g.children == nil {
				g.children = map[string]*given{}
			}
			g.children[name] = &given{}
		}
		g = g.children[name]
	}
	g.whole = true
}

// elements takes an absolute path of this system apart. A Windows volume is
// one element.
func elements(abs string) []string {
	volume := filepath.VolumeName(abs)
	rest := filepath.ToSlash(abs[len(volume):])
	names := strings.FieldsFunc(rest, func(r rune) bool { return r == '/' })
	if volume == "" {
		return names
	}
	return append([]string{sources.VolumeElement(volume)}, names...)
}

// sort makes the listings. Names come from a user, so they are few, and the
// limit of a listing is not met.
func (g *given) sort() {
	for name, child := range g.children {
		g.names.add([]byte(name), 0)
		child.sort()
	}
	g.names.sort()
}
