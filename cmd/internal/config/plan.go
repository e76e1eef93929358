package config

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"chartkeep/cmd/internal/schedule"
	"chartkeep/cmd/internal/ui"
	"chartkeep/gc"
)

// hookLimit is how long a hook may take where nothing is said.
const hookLimit = 10 * time.Minute

func (r *reader) plan(name string, t *table, c *Config) Plan {
	r.checkName(t, name)
	p := Plan{Name: name, Line: r.line(t.place), Enabled: true, CatchUp: true, What: All, Compression: "default"}
	p.Sources = names(t, "sources", "source", c.Sources)
	choice(t, "what", &p.What, All, Databases, Attachments)
	t.yes("enabled", &p.Enabled)
	t.yes("catch_up", &p.CatchUp)
	choice(t, "compression", &p.Compression, "fastest", "default", "better", "best")
	verify := "after-write"
	choice(t, "verify", &verify, "after-write", "none")
	p.Verify = verify != "none"
	p.To = names(t, "to", "destination", c.Destinations)
	r.times(t, &p.Times)
	r.hooks(t, &p)
	parsedList(t, "tags", parseTag, &p.Tags)
	var more []string
	parsedList(t, "tag", parseTag, &more)
	p.Tags = append(p.Tags, more...)
	p.Retention = r.ownRetention(t, c)
	parsedList(t, "maintenance", parseMaintenance, &p.Maintenance)
	r.maintenanceLimit(t, &p)
	return p
}

// maintenanceLimit is how long maintenance may take: what is not done by the
// morning would be in people's way.
func (r *reader) maintenanceLimit(t *table, p *Plan) {
	if len(p.Maintenance) == 0 {
		if t.values["maintenance_time_limit"] != nil {
			r.problem(t.at("maintenance_time_limit"), "belongs to maintenance, and there is none")
		}
		t.take("maintenance_time_limit")
		return
	}
	p.MaintenanceLimit = 2 * time.Hour
	t.span("maintenance_time_limit", &p.MaintenanceLimit)
}

// names reads a list of names of what is known.
func names[V any](t *table, key, what string, known map[string]V) (found []string) {
	all := slices.Sorted(maps.Keys(known))
	parsedList(t, key, func(name string) (string, error) {
		if !slices.Contains(all, name) {
			return "", fmt.Errorf("there is no %s %s%s", what, name, ui.Suggest(name, all))
		}
		return name, nil
	}, &found)
	if len(found) == 0 && t.empty(key) {
		t.problem(t.place, "names no %s in %s", what, key)
	}
	return found
}

// empty reports whether a key is not there, or an empty list.
func (t *table) empty(key string) bool {
	value, ok := t.values[key]
	list, isList := value.([]any)
	return !ok || isList && len(list) == 0
}

func parseMaintenance(text string) (string, error) {
	known := []string{"analyze", "vacuum", "reindex", "optimize"}
	if !slices.Contains(known, text) {
		return "", fmt.Errorf("%q is not one of %s", text, strings.Join(known, ", "))
	}
	return text, nil
}

// ownRetention is that of a plan or destination: its rules replace all of the
// general ones.
func (r *reader) ownRetention(t *table, c *Config) *Retention {
	own := t.below("retention")
	if own == nil {
		return nil
	}
	keep := c.Retention
	r.retention(own, &keep, c.Practice)
	return &keep
}

// times reads when a plan runs.
func (r *reader) times(t *table, to *schedule.Times) {
	before := len(r.problems)
	parsedList(t, "at", parseClock, &to.At)
	t.text("cron", &to.Cron)
	parsedList(t, "days", parseWeekday, &to.Days)
	r.monthDays(t, &to.MonthDays)
	parsedList(t, "skip", gc.ParseDate, &to.Skip)
	parsedList(t, "once", schedule.ParseMoment, &to.Once)
	if len(r.problems) > before {
		return
	}
	if err := to.Validate(); err != nil {
		key := "at"
		for _, k := range []string{"days", "month_days", "cron"} {
			if t.values[k] != nil {
				key = k
			}
		}
		for line := range strings.Lines(err.Error()) {
			r.problem(t.at(key), "%s", strings.TrimSpace(line))
		}
	}
}

// monthDays reads days of the month: numbers, and "last".
func (r *reader) monthDays(t *table, to *[]int) {
	value, ok := t.take("month_days")
	if !ok {
		return
	}
	elements, ok := value.([]any)
	if !ok {
		elements = []any{value}
	}
	for i, e := range elements {
		place := at(t.at("month_days"), i)
		n, _ := e.(int64)
		if e == "last" {
			n = -1
		}
		if n == 0 || n < -1 || n > 31 {
			r.problem(place, `want days from 1 to 31, or "last"`)
			continue
		}
		*to = append(*to, int(n))
	}
}

// hooks reads the commands around a run.
func (r *reader) hooks(t *table, p *Plan) {
	limit := hookLimit
	t.span("hook_time_limit", &limit)
	for _, h := range []struct {
		key string
		to  *[]Hook
	}{{"before", &p.Before}, {"after", &p.After}, {"on_failure", &p.OnFailure}} {
		value, ok := t.take(h.key)
		if !ok {
			continue
		}
		elements, ok := value.([]any)
		if !ok {
			r.problem(t.at(h.key), `want a list of commands, such as [["systemctl", "stop", "x"]]`)
			continue
		}
		for i, e := range elements {
			if hook, ok := r.hook(at(t.at(h.key), i), e, limit); ok {
				*h.to = append(*h.to, hook)
			}
		}
	}
}

// hook reads a command: a list, or a table with a time limit of its own.
func (r *reader) hook(place string, value any, limit time.Duration) (h Hook, ok bool) {
	h.TimeLimit = limit
	if _, isTable := value.(map[string]any); !isTable {
		return h, r.argumentsOf(place, value, &h.Command)
	}
	t := r.table(place, value)
	t.span("time_limit", &h.TimeLimit)
	if ok = r.arguments(t, "command", &h.Command); !ok && t.values["command"] == nil {
		r.problem(place, "has no command")
	}
	t.done()
	return h, ok
}

// parseRepository checks a repository's place: an absolute path or an address
// without a password.
func parseRepository(text string) (string, error) {
	if filepath.IsAbs(text) || drivePath.MatchString(text) {
		return text, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "s3" || u.Host == "" {
		return "", errors.New("want an absolute path, or s3://host/bucket/prefix")
	}
	if u.User != nil {
		return "", errors.New(`holds credentials; write them as credentials = "keyring:NAME", "file:PATH" or "env:NAME"`)
	}
	return text, nil
}

func (r *reader) destination(name string, t *table, c *Config) Destination {
	r.checkName(t, name)
	d := Destination{Name: name, Line: r.line(t.place)}
	parsed(t, "drive", parseDrive, &d.Drive)
	parsed(t, "repo", parseRepository, &d.Repo)
	t.absolute("path", &d.Paths)
	parsedList(t, "days", parseWeekday, &d.Days)
	t.reference("password", &d.Password)
	t.reference("credentials", &d.Credentials)
	d.Retention = r.ownRetention(t, c)
	if t.values["drive"] == nil && t.values["repo"] == nil {
		r.problem(t.place, "is nowhere: it has neither drive (the ID of a repository) nor repo (a path or s3://…)")
	}
	if t.values["path"] != nil && t.values["drive"] == nil {
		r.problem(t.at("path"), "says where a drive is looked for, and there is no drive; for a fixed place write repo")
	}
	return d
}

// Unadopted stands for the ID of a drive that is still to be adopted.
const Unadopted = "…"

// parseDrive reads a repository's ID.
func parseDrive(text string) (string, error) {
	if text == Unadopted {
		return text, nil
	}
	if text == "" || len(text) > 64 || strings.Trim(text, "0123456789abcdef") != "" {
		return "", fmt.Errorf("want the ID of a repository, as chartkeep drive adopt writes it")
	}
	return text, nil
}
