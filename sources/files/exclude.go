package files

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"chartkeep/sources"
)

// An excluder decides by path what is left out; Options has the rules.
type excluder struct {
	exact, folded rules
}

// rules are patterns in the order in which they were given.
type rules struct {
	patterns []pattern
	negated  bool // some pattern is
}

type pattern struct {
	glob    string // of the path without its first slash, or of the name alone
	byName  bool
	literal bool
	negated bool
}

func newExcluder(exact, folded []string) (excluder, error) {
	e, err := newRules(exact, false)
	if err != nil {
		return excluder{}, err
	}
	f, err := newRules(folded, true)
	return excluder{exact: e, folded: f}, err
}

func newRules(list []string, fold bool) (rules, error) {
	var r rules
	for _, s := range list {
		if fold {
			s = strings.ToLower(s)
		}
		p, err := newPattern(s)
		if err != nil {
			return rules{}, err
		}
		r.patterns = append(r.patterns, p)
		r.negated = r.negated || p.negated
	}
	return r, nil
}

// Braces are plain characters, as in restic: Windows names hold them.
var plainBraces = strings.NewReplacer("{", `\{`, "}", `\}`)

func newPattern(s string) (pattern, error) {
	var p pattern
	glob, negated := strings.CutPrefix(s, "!")
	if glob == "" {
		return p, fmt.Errorf("exclude pattern %q is empty", s)
	}
	p.negated = negated
	glob = path.Clean(slashed(glob))
	if strings.HasPrefix(glob, "/") {
		p.glob = glob[1:]
	} else if strings.Contains(glob, "/") {
		p.glob = "**/" + glob
	} else {
		p.glob, p.byName = glob, glob != "**"
	}
	p.literal = !strings.ContainsAny(p.glob, `*?[\`)
	if !p.literal {
		p.glob = plainBraces.Replace(p.glob)
	}
	if !doublestar.ValidatePattern(p.glob) {
		return p, fmt.Errorf("exclude pattern %q is malformed", s)
	}
	return p, nil
}

// slashed writes a path of this system as an entry's path.
func slashed(s string) string {
	if filepath.Separator == '/' {
		return s
	}
	volume := filepath.VolumeName(s)
	rest := filepath.ToSlash(s[len(volume):])
	if volume == "" {
		return rest
	}
	return "/" + sources.VolumeElement(volume) + rest
}

func (p *pattern) match(path string) bool {
	subject := path[1:]
	if p.byName {
		subject = subject[strings.LastIndexByte(subject, '/')+1:]
	}
	if p.literal {
		return subject == p.glob
	}
	return doublestar.MatchUnvalidated(p.glob, subject)
}

// verdicts say which patterns matched a folder or one above it. They are
// needed only where a pattern is negated: without one, a folder that is walked
// was matched by none.
type verdicts struct {
	exact, folded []bool
}

func (e *excluder) empty() bool {
	return len(e.exact.patterns)+len(e.folded.patterns) == 0
}

// excluded reports whether path, in a folder with the verdicts above, is left
// out.
func (e *excluder) excluded(above verdicts, path string) bool {
	return e.exact.match(above.exact, path) ||
		len(e.folded.patterns) > 0 && e.folded.match(above.folded, strings.ToLower(path))
}

// below returns the verdicts for what lies in the folder path.
func (e *excluder) below(above verdicts, path string) verdicts {
	return verdicts{
		exact:  e.exact.below(above.exact, path),
		folded: e.folded.below(above.folded, strings.ToLower(path)),
	}
}

func (r *rules) match(above []bool, path string) bool {
	out := false
	for i := range r.patterns {
		p := &r.patterns[i]
		if out != p.negated {
			continue // decided so already
		}
		if above != nil && above[i] || p.match(path) {
			out = !p.negated
		}
		if out && !r.negated {
			return true
		}
	}
	return out
}

func (r *rules) below(above []bool, path string) []bool {
	if !r.negated {
		return nil
	}
	own := make([]bool, len(r.patterns))
	for i := range r.patterns {
		own[i] = above != nil && above[i] || r.patterns[i].match(path)
	}
	return own
}
