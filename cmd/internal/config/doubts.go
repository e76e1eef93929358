package config

import "fmt"

// Doubts are what is allowed, but is hardly meant to stay so.
func (c *Config) Doubts() (all Problems) {
	doubt := func(line int, key, format string, args ...any) {
		all = append(all, Problem{c.Path, line, key, fmt.Sprintf(format, args...)})
	}
	used := map[string]bool{}
	for _, p := range c.Plans {
		place := below("plan", p.Name)
		if p.Enabled && p.Times.Never() {
			doubt(p.Line, place, "has no time, and runs only by hand")
		}
		for _, name := range p.To {
			used[name] = true
			if c.RetentionOf(p, c.Destinations[name]).Policy.Empty() {
				doubt(p.Line, place, "nothing is ever removed from %s: there are no rules in [retention]", name)
			}
		}
		for _, name := range p.Sources {
			used["source "+name] = true
		}
	}
	for name, s := range c.Sources {
		if !used["source "+name] {
			doubt(s.Line, below("source", name), "belongs to no plan, and is never saved")
		}
	}
	for name, d := range c.Destinations {
		if d.Drive == Unadopted {
			doubt(d.Line, below("destination", name), "its drive is still to be named; chartkeep drive adopt writes it")
		}
		if !used[name] {
			doubt(d.Line, below("destination", name), "belongs to no plan")
		}
		if d.Password == "" {
			doubt(d.Line, below("destination", name), "has no password; a run that nobody watches needs one, such as file:/etc/chartkeep/password")
		}
	}
	if len(c.Plans) == 0 {
		doubt(1, "plan", "there is none, so nothing is ever saved")
	}
	return all.sorted()
}
