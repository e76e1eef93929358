package config

import "chartkeep/cmd/internal/secret"

// A Reference is a place in the configuration that refers to a secret.
type Reference struct{ Place, Ref string }

// References are all references to secrets, in the order of the file's sections.
func (c *Config) References() (all []Reference) {
	add := func(place, ref string) {
		if ref != "" && secret.Check(ref) == nil {
			all = append(all, Reference{place, ref})
		}
	}
	for _, name := range inOrder(c.Sources, func(s Source) int { return s.Line }) {
		s, place := c.Sources[name], below("source", name)
		if s.Database != nil {
			add(below(place, "password"), s.Database.Password)
		}
		if s.Command != nil {
			for _, v := range s.Command.Env {
				add(below(below(place, "env"), v.Name), v.Ref)
			}
		}
	}
	for _, name := range inOrder(c.Destinations, func(d Destination) int { return d.Line }) {
		d, place := c.Destinations[name], below("destination", name)
		add(below(place, "password"), d.Password)
		add(below(place, "credentials"), d.Credentials)
	}
	add("notify.smtp_password", c.Notify.SMTPPassword)
	add("notify.healthcheck", c.Notify.Healthcheck)
	for i, u := range c.Notify.URLs {
		add(at("notify.urls", i), u)
	}
	return all
}
