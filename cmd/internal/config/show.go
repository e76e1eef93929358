package config

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"chartkeep/cmd/internal/schedule"
	"chartkeep/gc"
)

// TOML is the configuration that counts, as a file: every default filled in,
// references in place of secrets. Unless an address that holds a token was
// hidden, reading it gives c again.
func (c *Config) TOML() []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "version = %d\n", version)
	for _, s := range c.sections() {
		text, err := toml.Marshal(s.values)
		if err != nil {
			text = []byte("# " + err.Error() + "\n") // no such value is in a section
		}
		fmt.Fprintf(&out, "\n[%s]\n%s", s.heading, text)
	}
	return out.Bytes()
}

// Values is TOML as nested maps.
func (c *Config) Values() (map[string]any, error) {
	values := map[string]any{}
	err := toml.Unmarshal(c.TOML(), &values)
	return values, err
}

// A section is a table of the file without tables in it.
type section struct {
	heading string
	values  any
}

func (c *Config) sections() []section {
	all := []section{{"practice", c.Practice.shown()}}
	for _, name := range inOrder(c.Sources, func(s Source) int { return s.Line }) {
		all = append(all, section{"source." + name, c.Sources[name].shown()})
	}
	for _, p := range c.Plans {
		all = append(all, section{"plan." + p.Name, p.shown()})
		all = append(all, p.Retention.section("plan."+p.Name+".retention")...)
	}
	for _, name := range inOrder(c.Destinations, func(d Destination) int { return d.Line }) {
		d := c.Destinations[name]
		all = append(all, section{"destination." + name, d.shown()})
		all = append(all, d.Retention.section("destination."+name+".retention")...)
	}
	all = append(all, c.Retention.section("retention")...)
	return append(all, section{"check", c.Check.shown()}, section{"prune", c.Prune.shown()},
		section{"notify", c.Notify.shown()}, section{"log", c.Log.shown()})
}

// inOrder are the names of a map in the order of the file.
func inOrder[V any](all map[string]V, line func(V) int) []string {
	return slices.SortedFunc(maps.Keys(all), func(a, b string) int { return line(all[a]) - line(all[b]) })
}

type practiceShown struct {
	Name             string   `toml:"name,omitempty"`
	Zone             string   `toml:"time_zone,omitempty"`
	OpenDays         []string `toml:"open_days"`
	Holidays         string   `toml:"holidays,omitempty"`
	ExtraClosed      []string `toml:"extra_closed,omitempty"`
	DayEndsAt        string   `toml:"day_ends_at"`
	FiscalYearStarts string   `toml:"fiscal_year_starts"`
}

func (p Practice) shown() practiceShown {
	return practiceShown{
		p.Name, zoneName(p.Zone), weekdays(p.OpenDays), p.Holidays, each(p.ExtraClosed, gc.Date.String),
		schedule.ClockText(p.DayEndsAt), p.FiscalYearStarts.String(),
	}
}

// zoneName is the zone's name; the computer's own has none.
func zoneName(zone *time.Location) string {
	if zone == time.Local {
		return ""
	}
	return zone.String()
}

type sourceShown struct {
	Preset            string            `toml:"preset,omitempty"`
	Config            string            `toml:"config,omitempty"`
	Paths             []string          `toml:"paths,omitempty"`
	Attachments       []string          `toml:"attachments,omitempty"`
	Exclude           []string          `toml:"exclude,omitempty"`
	IExclude          []string          `toml:"iexclude,omitempty"`
	ExcludeFile       []string          `toml:"exclude_file,omitempty"`
	ExcludeIfPresent  []string          `toml:"exclude_if_present,omitempty"`
	ExcludeLargerThan int64             `toml:"exclude_larger_than,omitempty"`
	ExcludeCaches     bool              `toml:"exclude_caches,omitempty"`
	OneFileSystem     bool              `toml:"one_file_system,omitempty"`
	Command           []string          `toml:"command,omitempty"`
	Filename          string            `toml:"filename,omitempty"`
	Dir               string            `toml:"dir,omitempty"`
	Env               map[string]string `toml:"env,inline,omitempty"`
	Database          string            `toml:"database,omitempty"`
	Databases         []string          `toml:"databases,omitempty"`
	Password          string            `toml:"password,omitempty"`
	Tables            []string          `toml:"tables,omitempty"`
	ExcludeTables     []string          `toml:"exclude_tables,omitempty"`
	ExcludeData       []string          `toml:"exclude_data,omitempty"`
	Readers           int               `toml:"readers,omitempty"`
	TimeLimit         string            `toml:"time_limit,omitempty"`
	CrossChecks       []crossCheckShown `toml:"crosscheck,inline,omitempty"`
}

func (s Source) shown() sourceShown {
	shown := sourceShown{
		Preset: s.Preset, Config: s.Config, CrossChecks: each(s.CrossChecks, CrossCheck.shown), Paths: s.Paths, Attachments: s.Attachments,
		Exclude: s.Rules.Exclude, IExclude: s.Rules.IExclude, ExcludeFile: s.Rules.ExcludeFile,
		ExcludeIfPresent: s.Rules.ExcludeIfPresent, ExcludeLargerThan: s.Rules.ExcludeLargerThan,
		ExcludeCaches: s.Rules.ExcludeCaches, OneFileSystem: s.Rules.OneFileSystem,
	}
	if c := s.Command; c != nil {
		shown.Command, shown.Filename, shown.Dir, shown.TimeLimit = c.Args, c.Filename, c.Dir, span(c.TimeLimit)
		shown.Env = map[string]string{}
		for _, v := range c.Env {
			shown.Env[v.Name] = v.Value + v.Ref // one of them is empty
		}
	}
	if d := s.Database; d != nil {
		shown.Database, shown.Databases, shown.Password, shown.TimeLimit = d.URL, d.Databases, d.Password, span(d.TimeLimit)
		shown.Tables, shown.ExcludeTables, shown.ExcludeData, shown.Readers = d.Tables, d.ExcludeTables, d.ExcludeData, d.Readers
	}
	return shown
}

type hookShown struct {
	Command   []string `toml:"command"`
	TimeLimit string   `toml:"time_limit"`
}

type planShown struct {
	Enabled     bool        `toml:"enabled"`
	Sources     []string    `toml:"sources"`
	What        string      `toml:"what"`
	At          []string    `toml:"at,omitempty"`
	Cron        string      `toml:"cron,omitempty"`
	Days        []string    `toml:"days,omitempty"`
	MonthDays   []any       `toml:"month_days,omitempty"`
	Once        []string    `toml:"once,omitempty"`
	Skip        []string    `toml:"skip,omitempty"`
	CatchUp     bool        `toml:"catch_up"`
	Compression string      `toml:"compression"`
	Verify      string      `toml:"verify"`
	To          []string    `toml:"to"`
	Before      []hookShown `toml:"before,inline,omitempty"`
	After       []hookShown `toml:"after,inline,omitempty"`
	OnFailure   []hookShown `toml:"on_failure,inline,omitempty"`
	Tags        []string    `toml:"tags,omitempty"`
	Maintenance []string    `toml:"maintenance,omitempty"`

	MaintenanceLimit string `toml:"maintenance_time_limit,omitempty"`
}

func (p Plan) shown() planShown {
	verify := "none"
	if p.Verify {
		verify = "after-write"
	}
	t := p.Times
	return planShown{
		p.Enabled, p.Sources, string(p.What), each(t.At, schedule.ClockText), t.Cron, weekdays(t.Days), monthDays(t.MonthDays),
		each(t.Once, schedule.Moment.String), each(t.Skip, gc.Date.String), p.CatchUp, p.Compression, verify, p.To,
		each(p.Before, Hook.shown), each(p.After, Hook.shown), each(p.OnFailure, Hook.shown), p.Tags, p.Maintenance,
		span(p.MaintenanceLimit),
	}
}

func (h Hook) shown() hookShown { return hookShown{h.Command, span(h.TimeLimit)} }

func monthDays(days []int) (all []any) {
	for _, d := range days {
		if d == -1 {
			all = append(all, "last")
			continue
		}
		all = append(all, d)
	}
	return all
}

type destinationShown struct {
	Drive       string   `toml:"drive,omitempty"`
	Repo        string   `toml:"repo,omitempty"`
	Paths       []string `toml:"path,omitempty"`
	Days        []string `toml:"days,omitempty"`
	Password    string   `toml:"password,omitempty"`
	Credentials string   `toml:"credentials,omitempty"`
}

func (d Destination) shown() destinationShown {
	return destinationShown{d.Drive, d.Repo, d.Paths, weekdays(d.Days), d.Password, d.Credentials}
}

// section is nothing for a table that is not there.
func (keep *Retention) section(heading string) []section {
	if keep == nil {
		return nil
	}
	values, p := map[string]any{"bin_days": keep.BinDays}, keep.Policy
	for _, k := range keepCounts {
		switch n := *k.of(&p); n {
		case 0:
		case gc.All:
			values[k.keys[0]] = "unlimited"
		default:
			values[k.keys[0]] = n
		}
	}
	for _, k := range keepSpans {
		if d := *k.of(&p); !d.Zero() {
			values[k.key] = d.String()
		}
	}
	if len(p.Tags) > 0 {
		values["keep_tags"] = p.Tags
	}
	return []section{{heading, values}}
}

type checkShown struct {
	ReadPercent float64 `toml:"read_percent,omitempty"`
	WithinDays  int     `toml:"within_days,omitempty"`
	TimeBudget  string  `toml:"time_budget,omitempty"`
	Drill       string  `toml:"drill"`
}

func (c Check) shown() checkShown {
	return checkShown{c.ReadPercent, c.WithinDays, span(c.TimeBudget), string(c.Drill)}
}

type pruneShown struct {
	Every         string `toml:"every"`
	MaxUnused     string `toml:"max_unused"`
	MaxRepackSize int64  `toml:"max_repack_size,omitempty"`
}

func (p Prune) shown() pruneShown {
	return pruneShown{string(p.Every), fmt.Sprintf("%g%%", p.MaxUnused), p.MaxRepackSize}
}

type notifyShown struct {
	Email        []string `toml:"email,omitempty"`
	From         string   `toml:"from,omitempty"`
	SMTP         string   `toml:"smtp,omitempty"`
	SMTPUser     string   `toml:"smtp_user,omitempty"`
	SMTPPassword string   `toml:"smtp_password,omitempty"`
	SMTPTLS      string   `toml:"smtp_tls"`
	URLs         []string `toml:"urls,omitempty"`
	Healthcheck  string   `toml:"healthcheck,omitempty"`
	Prometheus   string   `toml:"prometheus,omitempty"`
	OverdueAfter int      `toml:"overdue_after_business_days"`
	Summary      string   `toml:"summary"`
	SummaryAt    string   `toml:"summary_at"`
	Hostname     string   `toml:"hostname,omitempty"`
}

func (n Notify) shown() notifyShown {
	return notifyShown{
		n.Email, n.From, n.SMTP, n.SMTPUser, n.SMTPPassword, n.SMTPTLS, each(n.URLs, Hidden), n.Healthcheck,
		n.Prometheus, n.OverdueAfter, string(n.Summary), schedule.ClockText(n.SummaryAt), n.Hostname,
	}
}

type logShown struct {
	Dir     string `toml:"dir,omitempty"`
	MaxSize int64  `toml:"max_size"`
	Keep    int    `toml:"keep"`
}

func (l Log) shown() logShown { return logShown(l) }

// each turns a list into another.
func each[A, B any](all []A, f func(A) B) (turned []B) {
	for _, a := range all {
		turned = append(turned, f(a))
	}
	return turned
}

// weekdays are as they are written: mon, tue.
func weekdays(days []time.Weekday) []string {
	return each(days, func(d time.Weekday) string { return strings.ToLower(d.String()[:3]) })
}

// span is a span of time as it is written; none is empty.
func span(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}
