package config

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"chartkeep/cmd/internal/text"
)

// largest is the size of the largest configuration, in bytes.
const largest = 1 << 20

// version is what the file says about itself.
const version = 1

// Load reads a file. Others may not be able to change it: they could have any
// command run. Where it holds addresses with tokens in them they may not read it
// either.
func Load(path string) (*Config, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	// Opening a pipe would wait for its writer.
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return nil, cmp.Or(err, fmt.Errorf("%s is no file", path))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := guarded(path, info); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, largest+1))
	if err != nil {
		return nil, err
	}
	c, err := Parse(path, data)
	if c != nil && len(c.exposed) > 0 && readable(info) {
		return nil, Problems(c.exposed).sorted()
	}
	return c, err
}

var errTooLarge = errors.New("a configuration is no larger than 1 MiB")

// Parse reads the content of a file. name is what problems call it. The error
// is Problems unless the content is no text at all.
func Parse(name string, data []byte) (*Config, error) {
	if len(data) > largest {
		return nil, fmt.Errorf("%s: %w", name, errTooLarge)
	}
	data, err := text.UTF8(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	doc, bad := parse(data)
	if bad != nil {
		bad.File = name
		return nil, Problems{*bad}
	}
	r := &reader{document: doc, name: name}
	c := r.config()
	if len(r.problems) > 0 {
		return nil, r.problems.sorted()
	}
	c.exposed = r.exposed
	return c, nil
}

// config reads all sections, and then what they say about each other.
func (r *reader) config() *Config {
	top := r.table("", r.values)
	c := &Config{Path: r.name, Sources: map[string]Source{}, Destinations: map[string]Destination{}}
	r.checkVersion(top)
	r.practice(top.within("practice"), &c.Practice)
	c.Retention = Retention{BinDays: 7}
	r.retention(top.below("retention"), &c.Retention, c.Practice)
	top.each("source", func(name string, t *table) { c.Sources[name] = r.source(name, t) })
	top.each("destination", func(name string, t *table) { c.Destinations[name] = r.destination(name, t, c) })
	top.each("plan", func(name string, t *table) { c.Plans = append(c.Plans, r.plan(name, t, c)) })
	r.check(top.within("check"), &c.Check)
	r.prune(top.within("prune"), &c.Prune)
	r.notify(top.within("notify"), &c.Notify)
	r.log(top.within("log"), &c.Log)
	top.done()
	r.together(c)
	return c
}

func (r *reader) checkVersion(top *table) {
	n := 0
	switch said := top.whole("version", 1, 1<<30, &n); {
	case said && n != version:
		r.problem("version", "this program reads version %d; a newer one reads this file", version)
	case !said && r.line("version") == 1 && top.values["version"] == nil:
		r.problem("version", "the file must say version = %d", version)
	}
}

func (r *reader) check(t *table, c *Check) {
	c.Drill = Monthly
	percent := t.number("read_percent", 0, 100, &c.ReadPercent)
	days := t.whole("within_days", 1, 3650, &c.WithinDays)
	if percent && days {
		r.problem(t.at("within_days"), "read_percent and within_days are two ways to say the same; keep one")
	}
	if !percent && !days {
		c.ReadPercent = 5
	}
	t.span("time_budget", &c.TimeBudget)
	choice(t, "drill", &c.Drill, Never, Daily, Weekly, Monthly, Quarterly, Yearly)
	t.done()
}

func (r *reader) prune(t *table, p *Prune) {
	*p = Prune{Every: Weekly, MaxUnused: 5}
	choice(t, "every", &p.Every, Never, Daily, Weekly, Monthly)
	parsed(t, "max_unused", parsePercent, &p.MaxUnused)
	t.size("max_repack_size", &p.MaxRepackSize)
	t.done()
}

// log: 10 MiB hold years of nightly runs.
func (r *reader) log(t *table, l *Log) {
	*l = Log{MaxSize: 10 << 20, Keep: 5}
	t.path("dir", &l.Dir)
	t.size("max_size", &l.MaxSize)
	t.whole("keep", 1, 1000, &l.Keep)
	t.done()
}

func (r *reader) notify(t *table, n *Notify) {
	*n = Notify{SMTPTLS: "starttls", OverdueAfter: 1, Summary: Daily, SummaryAt: 7 * time.Hour}
	parsedList(t, "email", parseAddress, &n.Email)
	parsed(t, "from", parseAddress, &n.From)
	parsed(t, "smtp", parseHostPort, &n.SMTP)
	t.text("smtp_user", &n.SMTPUser)
	t.reference("smtp_password", &n.SMTPPassword)
	choice(t, "smtp_tls", &n.SMTPTLS, "starttls", "tls", "none")
	r.serviceURLs(t, n)
	r.healthcheck(t, n)
	t.path("prometheus", &n.Prometheus)
	t.whole("overdue_after_business_days", 1, 365, &n.OverdueAfter)
	choice(t, "summary", &n.Summary, Daily, Weekly, Never)
	parsed(t, "summary_at", parseClock, &n.SummaryAt)
	t.text("hostname", &n.Hostname)
	if n.SMTPUser != "" && n.SMTPPassword == "" || n.SMTPUser == "" && n.SMTPPassword != "" {
		r.problem(t.at("smtp_user"), "smtp_user and smtp_password belong together")
	}
	t.done()
}
