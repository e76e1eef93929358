package snapshot

import (
	"fmt"
	"path"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// Patterns choose paths by name:
//
//	scan.jpg        this name, in any folder
//	*.jpg           names that end so; ? stands for one character
//	S/Smith*/*.jpg  these elements one after the other, in any folder
//	/srv/**/*.jpg   a whole path; ** stands for any number of folders
//
// Square brackets are a class of characters, braces are plain characters.
type Patterns struct {
	all  []pattern
	fold bool
}

type pattern struct {
	glob   string // of the path without its first slash, or of the name alone
	byName bool
	prefix string // folder that everything that matches lies in; "/" is any
}

// NewPatterns parses patterns. With fold, case does not count.
func NewPatterns(list []string, fold bool) (*Patterns, error) {
	ps := &Patterns{fold: fold}
	for _, s := range list {
		p, err := newPattern(ps.folded(s))
		if err != nil {
			return nil, err
		}
		ps.all = append(ps.all, p)
	}
	return ps, nil
}

// Windows names hold braces, and nobody expects them to mean something.
var plainBraces = strings.NewReplacer("{", `\{`, "}", `\}`)

func newPattern(s string) (pattern, error) {
	if s == "" {
		return pattern{}, fmt.Errorf("pattern %q is empty", s)
	}
	p := pattern{prefix: "/"}
	switch clean := path.Clean(s); {
	case clean[0] == '/':
		p.glob = clean[1:]
		p.prefix = literalFolder(clean)
	case strings.Contains(clean, "/"):
		p.glob = "**/" + clean
	default:
		p.glob, p.byName = clean, true
	}
	p.glob = plainBraces.Replace(p.glob)
	if !doublestar.ValidatePattern(p.glob) {
		return p, fmt.Errorf("pattern %q is malformed", s)
	}
	return p, nil
}

// literalFolder is the longest folder that a pattern names without wildcards.
func literalFolder(glob string) string {
	if i := strings.IndexAny(glob, `*?[\`); i >= 0 {
		glob = glob[:i]
	}
	return path.Clean(glob[:strings.LastIndexByte(glob, '/')+1])
}

func (ps *Patterns) folded(s string) string {
	if ps.fold {
		return strings.ToLower(s)
	}
	return s
}

// Match reports whether one of the patterns chooses the absolute path.
func (ps *Patterns) Match(p string) bool {
	p = ps.folded(p)
	for i := range ps.all {
		if ps.all[i].match(p) {
			return true
		}
	}
	return false
}

func (p *pattern) match(abs string) bool {
	name := abs[1:]
	if p.byName {
		name = baseName(abs)
	}
	ok, err := doublestar.Match(p.glob, name)
	return ok && err == nil
}

// Below reports whether something below the folder dir may be chosen.
func (ps *Patterns) Below(dir string) bool {
	dir = ps.folded(dir)
	for i := range ps.all {
		prefix := ps.all[i].prefix
		if prefix == "/" || dir == prefix || within(dir, prefix) || within(prefix, dir) {
			return true
		}
	}
	return false
}
