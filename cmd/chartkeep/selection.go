package main

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"chartkeep/snapshot"
)

// A selection says what of a snapshot is restored. Its paths are relative to
// what is restored, as in the patterns:
//
//	--include S/Smith/pano.jpg   this file
//	--include 'S/*/pano.jpg'     these; ** stands for any number of folders
//	--include '*.jpg'            files so named, in any folder
//
// A folder that is included brings all that is in it. Excludes follow the rules
// of backup's: what has no slash in front counts in any folder.
type selection struct {
	includes []include
	excludes *snapshot.Patterns

	// covers are absolute paths outside of which nothing is deleted; nil: no
	// such bound.
	covers []string
	base   string // of what is restored, in the snapshot
}

// include is a pattern taken apart at its slashes, or one for names alone.
type include struct {
	elements []string
	anywhere bool
}

func newSelection(includes, excludes []string) (*selection, error) {
	s := &selection{}
	for _, text := range includes {
		i, err := newInclude(text)
		if err != nil {
			return nil, err
		}
		s.includes = append(s.includes, i)
	}
	var err error
	s.excludes, err = snapshot.NewPatterns(excludes, false)
	return s, err
}

// Braces are plain characters, as in the patterns of the other commands.
var plainBraces = strings.NewReplacer("{", `\{`, "}", `\}`)

func newInclude(text string) (include, error) {
	clean := strings.TrimPrefix(path.Clean("/"+text), "/")
	if clean == "" {
		return include{}, fmt.Errorf("pattern %q is empty", text)
	}
	i := include{elements: strings.Split(clean, "/"), anywhere: !strings.Contains(text, "/")}
	for k, e := range i.elements {
		i.elements[k] = plainBraces.Replace(e)
		if !doublestar.ValidatePattern(i.elements[k]) {
			return i, fmt.Errorf("pattern %q is malformed", text)
		}
	}
	return i, nil
}

// pick reports whether a path is restored, and whether something below it may
// be: what cannot be is not even read.
func (s *selection) pick(rel string, dir bool) (selected, below bool) {
	if s.covers != nil && !s.covered(path.Join("/", s.base, rel)) || s.excludes.Match("/"+rel) {
		return false, false
	}
	if len(s.includes) == 0 {
		return true, true
	}
	names := strings.Split(rel, "/")
	for _, i := range s.includes {
		here, deeper := i.match(names)
		selected, below = selected || here, below || deeper
	}
	return selected, dir && below
}

// match reports whether the pattern includes a path, and whether it may include
// something below it.
func (i *include) match(names []string) (here, below bool) {
	if i.anywhere {
		return slices.ContainsFunc(names, func(name string) bool { return doublestar.MatchUnvalidated(i.elements[0], name) }), true
	}
	return matchElements(i.elements, names)
}

func matchElements(pattern, names []string) (here, below bool) {
	switch {
	case len(pattern) == 0:
		return true, true // in a folder that is included
	case len(names) == 0:
		return !slices.ContainsFunc(pattern, func(e string) bool { return e != "**" }), true
	case pattern[0] == "**":
		here, below = matchElements(pattern[1:], names)
		further, deeper := matchElements(pattern, names[1:])
		return here || further, below || deeper
	case !doublestar.MatchUnvalidated(pattern[0], names[0]):
		return false, false
	}
	return matchElements(pattern[1:], names[1:])
}

// covered reports whether a path lies in what the snapshot was made of, or on
// the way to it. What lies beside it was never in the backup, so its absence
// from the snapshot says nothing.
func (s *selection) covered(abs string) bool {
	return slices.ContainsFunc(s.covers, func(given string) bool {
		return under(abs, given) || under(given, abs)
	})
}

// under reports whether an absolute path is dir, or lies below it.
func under(abs, dir string) bool {
	return abs == dir || strings.HasPrefix(abs, strings.TrimSuffix(dir, "/")+"/")
}
