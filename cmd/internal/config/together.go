package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// together checks what sections say about each other. A source or destination
// that was not read well is not judged again.
func (r *reader) together(c *Config) {
	if len(r.problems) > 0 {
		return
	}
	for _, p := range c.Plans {
		r.somethingToSave(c, p)
		r.apart(c, p)
		r.noCollision(c, p)
		r.different(c, p)
	}
}

// SourcesOf are the sources of a plan, reduced to what it saves of them.
func (c *Config) SourcesOf(p Plan) (all []Source) {
	for _, name := range p.Sources {
		all = append(all, c.Sources[name].Part(p.What))
	}
	return all
}

// RetentionOf says what stays of a plan's snapshots at a destination: its own
// rules go before the plan's, and those before the general ones.
func (c *Config) RetentionOf(p Plan, d Destination) Retention {
	switch {
	case d.Retention != nil:
		return *d.Retention
	case p.Retention != nil:
		return *p.Retention
	}
	return c.Retention
}

// Plan finds a plan by its name.
func (c *Config) Plan(name string) (Plan, bool) {
	i := slices.IndexFunc(c.Plans, func(p Plan) bool { return p.Name == name })
	if i < 0 {
		return Plan{}, false
	}
	return c.Plans[i], true
}

// placeOf is the place of a name in one of a plan's lists.
func (r *reader) placeOf(p Plan, key string, i int) string {
	place := below(below("plan", p.Name), key)
	if _, ok := r.lines[at(place, i)]; ok {
		return at(place, i)
	}
	return place
}

// somethingToSave: a plan may leave out parts, but not all of them.
func (r *reader) somethingToSave(c *Config, p Plan) {
	for _, s := range c.SourcesOf(p) {
		if !s.Empty() || s.Preset != "" {
			return
		}
	}
	r.problem(below(below("plan", p.Name), "what"), "saves nothing: none of its sources has %s", map[What]string{
		Databases: "a database or command", Attachments: "paths or attachments", All: "anything",
	}[p.What])
}

// A folder is a path of a source.
type folder struct{ source, path string }

// apart checks that no file belongs to two sources of a plan: which one's rules
// count would be chance.
func (r *reader) apart(c *Config, p Plan) {
	var seen []folder
	for i, s := range c.SourcesOf(p) {
		for _, path := range s.Folders() {
			for _, f := range seen {
				if f.source != s.Name && overlap(f.path, path) {
					r.problem(r.placeOf(p, "sources", i), "%s and %s overlap: %s and %s", f.source, s.Name, f.path, path)
				}
			}
			seen = append(seen, folder{s.Name, path})
		}
	}
}

// Apart is an error when a file would belong to two sources. It is for sources
// that were filled in by a preset.
func Apart(all []Source) error {
	var seen []folder
	for _, s := range all {
		for _, path := range s.Folders() {
			for _, f := range seen {
				if f.source != s.Name && overlap(f.path, path) {
					return fmt.Errorf("sources %s and %s overlap: %s and %s", f.source, s.Name, f.path, path)
				}
			}
			seen = append(seen, folder{s.Name, path})
		}
	}
	return nil
}

// overlap reports whether a path is the other or lies in it.
func overlap(a, b string) bool {
	a, b = slashed(a), slashed(b)
	return strings.HasPrefix(a, b) || strings.HasPrefix(b, a)
}

func slashed(path string) string {
	return strings.TrimSuffix(strings.ReplaceAll(path, `\`, "/"), "/") + "/"
}

// noCollision checks that what is no files has a place in the snapshot that no
// other source has.
func (r *reader) noCollision(c *Config, p Plan) {
	taken := map[string]string{} // by name at the top: the source
	all := c.SourcesOf(p)
	for _, s := range all {
		for _, path := range s.Folders() {
			taken[topName(path)] = s.Name + " (" + path + ")"
		}
	}
	for i, s := range all {
		if !s.Streams() || p.What == Attachments {
			continue
		}
		if other, ok := taken[s.Top()]; ok {
			r.problem(r.placeOf(p, "sources", i), "%s lies in the snapshot at /%s, where %s lies as well; rename the source", s.Name, s.Top(), other)
		}
		taken[s.Top()] = s.Name
	}
}

// different checks that a plan's destinations are different repositories.
func (r *reader) different(c *Config, p Plan) {
	seen := map[string]string{}
	for i, name := range p.To {
		d := c.Destinations[name]
		for _, key := range []string{d.Drive, d.Repo} {
			if key == "" || key == Unadopted {
				continue
			}
			if other, ok := seen[key]; ok && other != name {
				r.problem(r.placeOf(p, "to", i), "%s and %s are the same repository", other, name)
			}
			seen[key] = name
		}
	}
}

// DestinationNames are those of all destinations, sorted.
func (c *Config) DestinationNames() []string { return slices.Sorted(maps.Keys(c.Destinations)) }

// PlanNames are those of all plans, in the order of the file.
func (c *Config) PlanNames() []string { return each(c.Plans, func(p Plan) string { return p.Name }) }

// SourceNames are those of all sources, sorted.
func (c *Config) SourceNames() []string { return slices.Sorted(maps.Keys(c.Sources)) }
