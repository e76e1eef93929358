package config

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"chartkeep/cmd/internal/schedule"
	"chartkeep/gc"
)

func read(t *testing.T, text string) *Config {
	t.Helper()
	c, err := Parse("test.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func readFile(t *testing.T, name string) *Config {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, string(text))
}

// The documented example, to which the destination that it leaves out is added.
func TestTheDocumentedExampleIsUnderstood(t *testing.T) {
	c := readFile(t, "testdata/elm.toml")
	chicago, _ := time.LoadLocation("America/Chicago")
	holidays, _ := gc.Holidays("us")
	calendar := c.Calendar()
	if calendar.Zone.String() != chicago.String() || calendar.DayEndsAt != 4*time.Hour || len(calendar.Holidays) != len(holidays) ||
		!slices.Equal(calendar.ExtraClosed, []gc.Date{{Year: 2026, Month: 12, Day: 24}}) || len(calendar.OpenDays) != 5 {
		t.Errorf("calendar %+v", calendar)
	}
	source := c.Sources["opendental"]
	want := Source{
		Name: "opendental", Line: 12, Preset: "opendental", Attachments: []string{"/srv/OpenDentImages"},
		Database: &Database{URL: "mysql://backup@localhost/opendental", Password: "keyring:opendental"},
	}
	if !reflect.DeepEqual(source, want) {
		t.Errorf("source\n%+v\nwant\n%+v", source, want)
	}
	plan, _ := c.Plan("nightly")
	if !reflect.DeepEqual(plan, Plan{
		Name: "nightly", Line: 18, Enabled: true, Sources: []string{"opendental"}, What: All, Compression: "default", Verify: true, CatchUp: true,
		Times: schedule.Times{At: []time.Duration{19*time.Hour + 30*time.Minute}}, To: []string{"red", "blue", "offsite"},
	}) {
		t.Errorf("plan %+v", plan)
	}
	policy := gc.Policy{BusinessDays: 10, Monthly: 12, Quarterly: 8, FiscalYearly: 7, FiscalYearStart: gc.MonthDay{Month: 7, Day: 1}}
	if got := c.RetentionOf(plan, c.Destinations["red"]); !reflect.DeepEqual(got, Retention{policy, 7}) {
		t.Errorf("retention %+v", got)
	}
	if d := c.Destinations["red"]; d.Drive != Unadopted || len(d.Days) != 3 {
		t.Errorf("destination %+v", d)
	}
	if c.Check != (Check{ReadPercent: 5, Drill: Monthly}) {
		t.Errorf("check %+v", c.Check)
	}
}

func TestWhatIsShownIsReadAsTheSame(t *testing.T) {
	for _, name := range []string{"testdata/elm.toml", "testdata/full.toml"} {
		c := readFile(t, name)
		again, err := Parse("test.toml", c.TOML())
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, c.TOML())
		}
		withoutLines(c)
		withoutLines(again)
		if !reflect.DeepEqual(c, again) {
			t.Errorf("%s is shown as\n%s", name, c.TOML())
		}
	}
}

func withoutLines(c *Config) {
	for name, s := range c.Sources {
		s.Line = 0
		c.Sources[name] = s
	}
	for name, d := range c.Destinations {
		d.Line = 0
		c.Destinations[name] = d
	}
	for i := range c.Plans {
		c.Plans[i].Line = 0
	}
}

// The file says everything there is to say. A field that is empty in all of its
// sources, plans and destinations is not read.
func TestEverythingThatCanBeSaidIsKept(t *testing.T) {
	c := readFile(t, "testdata/full.toml")
	for _, name := range unset(reflect.ValueOf(*c), "") {
		// The one is nil for what is the same as the other; midnight is 0.
		if !slices.Contains([]string{".Check.ReadPercent", ".Practice.DayEndsAt", ".exposed"}, name) {
			t.Errorf("%s is empty", name)
		}
	}
}

// unset names the fields that are empty in all elements.
func unset(v reflect.Value, name string) (empty []string) {
	switch v.Interface().(type) {
	case time.Location, gc.Policy, schedule.Moment, gc.Date:
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return unset(v.Elem(), name)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); !f.IsExported() || f.Name == "Line" {
				continue
			}
			empty = append(empty, unset(v.Field(i), name+"."+v.Type().Field(i).Name)...)
		}
		return empty
	case reflect.Map:
		var all []reflect.Value
		for _, key := range v.MapKeys() {
			all = append(all, v.MapIndex(key))
		}
		return unsetInAll(all, name)
	case reflect.Slice:
		var all []reflect.Value
		for i := range v.Len() {
			all = append(all, v.Index(i))
		}
		return unsetInAll(all, name)
	}
	if v.IsZero() {
		return []string{name}
	}
	return nil
}

func unsetInAll(all []reflect.Value, name string) []string {
	if len(all) == 0 {
		return []string{name}
	}
	empty := unset(all[0], name)
	for _, v := range all[1:] {
		other := unset(v, name)
		empty = slices.DeleteFunc(empty, func(field string) bool {
			return !slices.ContainsFunc(other, func(o string) bool { return strings.HasPrefix(field, o) })
		})
	}
	return empty
}

const frame = `version = 1
[source.files]
paths = ["/srv/practice"]
[destination.red]
repo = "/mnt/red"
[plan.nightly]
sources = ["files"]
to = ["red"]
`

func TestWhatIsWrongIsNamedWithItsLine(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"syntax":             {"version = 1\nname = \n", `2: `},
		"no version":         {"[log]\n", `1: version: the file must say version = 1`},
		"newer version":      {"\nversion = 2\n", `2: version: this program reads version 1`},
		"a key twice":        {"version = 1\n[log]\nkeep = 1\nkeep = 2\n", `4: `},
		"unknown section":    {frame + "[practise]\n", `9: practise: unknown key; did you mean practice?`},
		"unknown key":        {frame + "att = \"1:00\"\n", `9: plan.nightly.att: unknown key; did you mean at?`},
		"unknown deep":       {frame + "[plan.nightly.retention]\nmonth_end = 1\n", `10: plan.nightly.retention.month_end: unknown key; did you mean month_ends?`},
		"quoted key":         {"version = 1\n[source.\"a.b\"]\npaths=[\"/x\"]\n", `2: source."a.b": a name is`},
		"no table":           {"version = 1\nlog = 3\n", `2: log: want a table, not a number`},
		"no text":            {"version = 1\n[log]\ndir = 3\n", `3: log.dir: want text in quotes, not a number`},
		"zone":               {"version = 1\n[practice]\ntime_zone = \"Chicago\"\n", `3: practice.time_zone: there is no time zone "Chicago"`},
		"holidays":           {"version = 1\n[practice]\nholidays = \"atlantis\"\n", `3: practice.holidays: `},
		"date":               {"version = 1\n[practice]\nextra_closed = [\n  \"2026-12-24\",\n  \"2026-02-29\"\n]\n", `5: practice.extra_closed[2]: date "2026-02-29"`},
		"day of the week":    {"version = 1\n[practice]\nopen_days = [\"mon\", \"monday\"]\n", `3: practice.open_days[2]: monday stands here twice`},
		"fiscal year":        {"version = 1\n[practice]\nfiscal_year_starts = \"02-30\"\n", `3: practice.fiscal_year_starts: `},
		"clock":              {frame + "at = [\"19:30\", \"24:00\"]\n", `9: plan.nightly.at[2]: time of day "24:00"`},
		"at and cron":        {frame + "at = \"19:30\"\ncron = \"1 2 * * *\"\n", `10: plan.nightly.cron: at and cron`},
		"cron":               {frame + "cron = \"61 * * * *\"\n", `9: plan.nightly.cron: cron "61 * * * *": minute: "61" is impossible`},
		"cron never":         {frame + "cron = \"0 0 30 2 *\"\n", `9: plan.nightly.cron: cron "0 0 30 2 *": there is no such day`},
		"days alone":         {frame + "days = [\"mon\"]\n", `9: plan.nightly.days: days without a time of day`},
		"month day":          {frame + "at = \"1:00\"\nmonth_days = [1, 32]\n", `10: plan.nightly.month_days[2]: want days from 1 to 31`},
		"once":               {frame + "once = \"2026-02-30 19:30\"\n", `9: plan.nightly.once: moment`},
		"missing source":     {frame + "[plan.b]\nsources = [\"file\"]\nto = [\"red\"]\n", `10: plan.b.sources[1]: there is no source file; did you mean files?`},
		"missing place":      {frame + "[plan.b]\nsources = [\"files\"]\nto = [\"red\",\n\"blue\"]\n", `12: plan.b.to[2]: there is no destination blue`},
		"no sources":         {frame + "[plan.b]\nto = [\"red\"]\n", `9: plan.b: names no source in sources`},
		"no destination":     {frame + "[plan.b]\nsources = [\"files\"]\nto = []\n", `9: plan.b: names no destination in to`},
		"nothing left":       {frame + "what = \"database\"\n", `9: plan.nightly.what: saves nothing: none of its sources has a database or command`},
		"what":               {frame + "what = \"databases\"\n", `9: plan.nightly.what: "databases" is not one of all, database, attachments; did you mean database?`},
		"hook as text":       {frame + "before = [\"systemctl stop x\"]\n", `9: plan.nightly.before[1]: want the program and its arguments as a list`},
		"hook without":       {frame + "[[plan.nightly.after]]\ntime_limit = \"1m\"\n", `9: plan.nightly.after[1]: has no command`},
		"second hook":        {frame + "[[plan.nightly.after]]\ncommand = [\"a\"]\n[[plan.nightly.after]]\ncommand = []\n", `12: plan.nightly.after[2].command: names no program`},
		"hook limit":         {frame + "hook_time_limit = \"soon\"\n", `9: plan.nightly.hook_time_limit: want a span of time`},
		"tag":                {frame + "tags = [\"a,b\"]\n", `9: plan.nightly.tags[1]: a tag is not empty`},
		"source name":        {"version = 1\n[source.Files]\npaths = [\"/x\"]\n", `2: source.Files: a name is small letters`},
		"empty source":       {"version = 1\n[source.a]\n", `2: source.a: saves nothing`},
		"relative path":      {"version = 1\n[source.a]\npaths = [\"x\"]\n", `3: source.a.paths[1]: "x" is not an absolute path`},
		"preset":             {"version = 1\n[source.a]\npreset = \"opendent\"\n", `3: source.a.preset: "opendent" is not one of opendental, macpractice, soapware, exact; did you mean opendental?`},
		"database":           {"version = 1\n[source.a]\ndatabase = \"oracle://x\"\n", `3: source.a.database: want an address that begins with`},
		"password inside":    {"version = 1\n[source.a]\ndatabase = \"mysql://u:hunter2@x/y\"\n", `3: source.a.database: holds a password`},
		"password in query":  {"version = 1\n[source.a]\ndatabase = \"postgres://u@x/y?password=hunter2\"\n", `3: source.a.database: holds a password`},
		"inline password":    {"version = 1\n[source.a]\ndatabase = \"mysql://u@x/y\"\npassword = \"hunter2\"\n", `4: source.a.password: no reference to a secret`},
		"inline variable":    {"version = 1\n[source.a]\ncommand = [\"x\"]\n[source.a.env]\nPGPASSWORD = \"hunter2\"\n", `5: source.a.env.PGPASSWORD: looks like a secret`},
		"orphan password":    {"version = 1\n[source.a]\npaths = [\"/x\"]\npassword = \"env:X\"\n", `4: source.a.password: belongs to a database`},
		"config alone":       {"version = 1\n[source.a]\npaths = [\"/x\"]\nconfig = \"/y\"\n", `4: source.a.config: belongs to the preset opendental`},
		"check of what":      {"version = 1\n[source.a]\ndatabase = \"mysql://h/d\"\n[source.a.crosscheck]\ntable = \"t\"\n", `4: source.a.crosscheck: needs file_column`},
		"check of a list":    {"version = 1\n[source.a]\ndatabase = \"mysql://h/d\"\n[[source.a.crosscheck]]\ntable = \"t\"\nfile_column = \"f\"\nlayout = \"flat\"\n", `7: source.a.crosscheck[1].layout: "flat" is not one of`},
		"check without join": {"version = 1\n[source.a]\ndatabase = \"mysql://h/d\"\n[source.a.crosscheck]\ntable = \"t\"\nfile_column = \"f\"\nfolder_table = \"p\"\nfolder_column = \"g\"\n", `4: source.a.crosscheck: folder_table needs folder_column and join`},
		"check of nothing":   {"version = 1\n[source.a]\npaths = [\"/x\"]\n[source.a.crosscheck]\ntable = \"t\"\nfile_column = \"f\"\n", `4: source.a.crosscheck: belongs to a database`},
		"limit of nothing":   {frame + "maintenance_time_limit = \"1h\"\n", `9: plan.nightly.maintenance_time_limit: belongs to maintenance`},
		"filename":           {"version = 1\n[source.a]\ncommand = [\"x\"]\nfilename = \"a/b\"\n", `4: source.a.filename: want a plain name`},
		"nowhere":            {"version = 1\n[destination.a]\ndays = [\"mon\"]\n", `2: destination.a: is nowhere`},
		"drive":              {"version = 1\n[destination.a]\ndrive = \"the red one\"\n", `3: destination.a.drive: want the ID`},
		"hint without":       {"version = 1\n[destination.a]\nrepo = \"/x\"\npath = \"/y\"\n", `4: destination.a.path: says where a drive`},
		"credentials inside": {"version = 1\n[destination.a]\nrepo = \"s3://key:hunter2@h/b\"\n", `3: destination.a.repo: holds credentials`},
		"ftp":                {"version = 1\n[destination.a]\nrepo = \"ftp://h/b\"\n", `3: destination.a.repo: want an absolute path`},
		"same repository":    {frame + "[destination.blue]\nrepo = \"/mnt/red\"\n[plan.b]\nsources = [\"files\"]\nto = [\"red\", \"blue\"]\n", `13: plan.b.to[2]: red and blue are the same repository`},
		"count":              {"version = 1\n[retention]\nlast = -1\n", `3: retention.last: want a number from 0`},
		"count in words":     {"version = 1\n[retention]\nlast = \"many\"\n", `3: retention.last: count "many"`},
		"fraction":           {"version = 1\n[retention]\nlast = 1.5\n", `3: retention.last: want a whole number`},
		"span":               {"version = 1\n[retention]\nwithin = \"1 year\"\n", `3: retention.within: `},
		"two names":          {"version = 1\n[retention]\nmonthly = 1\nmonth_ends = 2\n", `3: retention.monthly: month_ends and monthly are the same`},
		"keep tags":          {"version = 1\n[retention]\nkeep_tags = [[\"\"]]\n", `3: retention.keep_tags[1]: a tag is not empty`},
		"share":              {"version = 1\n[prune]\nmax_unused = \"5\"\n", `3: prune.max_unused: "5" is no share`},
		"two shares":         {"version = 1\n[check]\nread_percent = 5\nwithin_days = 30\n", `4: check.within_days: read_percent and within_days`},
		"nan":                {"version = 1\n[check]\nread_percent = nan\n", `3: check.read_percent: want a number from 0 to 100`},
		"mail":               {"version = 1\n[notify]\nemail = [\"manager\"]\n", `3: notify.email[1]: "manager" is no mail address`},
		"server":             {"version = 1\n[notify]\nsmtp = \"mail.example\"\n", `3: notify.smtp: "mail.example" is no server`},
		"user alone":         {"version = 1\n[notify]\nsmtp_user = \"u\"\n", `3: notify.smtp_user: smtp_user and smtp_password belong together`},
		"chat":               {"version = 1\n[notify]\nurls = [\"hello\"]\n", `3: notify.urls[1]: want an address`},
		"ping":               {"version = 1\n[notify]\nhealthcheck = \"hello\"\n", `3: notify.healthcheck: want an address`},
		"zero byte":          {"version = 1\n[practice]\nname = \"a\\u0000\"\n", `3: practice.name: holds a zero byte`},
		"zoned time":         {frame + "once = 2026-12-01T19:30:00Z\n", `9: plan.nightly.once: want a date or time without a zone`},
	} {
		_, err := Parse("f", []byte(c.text))
		problems, ok := err.(Problems)
		if !ok || len(problems) != 1 || !strings.HasPrefix(err.Error(), "f:"+c.want) {
			t.Errorf("%s:\ngot  %v\nwant f:%s", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error holds a secret", name)
		}
	}
}

// Editors of Windows begin a file with a byte order mark.
func TestAMarkBeforeTheFirstLineIsNoPartOfIt(t *testing.T) {
	c, err := Parse("c.toml", []byte("\xef\xbb\xbfversion = 1\r\n[practice]\r\nname = \"Elm\"\r\n"))
	if err != nil || c.Practice.Name != "Elm" {
		t.Errorf("%v", err)
	}
}

func TestSourcesOfAPlanKeepApart(t *testing.T) {
	for name, c := range map[string]struct{ sources, want string }{
		"the same":    {"[source.a]\npaths=[\"/srv/x\"]\n[source.b]\npaths=[\"/srv/x/\"]\n", "a and b overlap: /srv/x and /srv/x"},
		"within":      {"[source.a]\npaths=[\"/srv/x\"]\n[source.b]\nattachments=[\"/srv/x/y\"]\n", "a and b overlap: /srv/x and /srv/x/y"},
		"around":      {"[source.a]\npaths=[\"/srv/x\"]\n[source.b]\npaths=[\"/\"]\n", "a and b overlap: /srv/x and /"},
		"beside":      {"[source.a]\npaths=[\"/srv/x\"]\n[source.b]\npaths=[\"/srv/xy\"]\n", ""},
		"own":         {"[source.a]\npaths=[\"/srv/x\", \"/srv/x/y\"]\n[source.b]\npaths=[\"/b\"]\n", ""},
		"top folder":  {"[source.srv]\ncommand=[\"x\"]\n[source.b]\npaths=[\"/srv/x\"]\n", "srv lies in the snapshot at /srv, where b (/srv/x) lies as well"},
		"file name":   {"[source.a]\ncommand=[\"x\"]\nfilename=\"srv\"\n[source.b]\npaths=[\"/srv/x\"]\n", "a lies in the snapshot at /srv, where b (/srv/x) lies"},
		"two streams": {"[source.a]\ncommand=[\"x\"]\nfilename=\"b\"\n[source.b]\ncommand=[\"x\"]\n", "b lies in the snapshot at /b, where a lies"},
		"of its own":  {"[source.srv]\ndatabase=\"mysql://h/d\"\nattachments=[\"/srv/x\"]\n", "srv lies in the snapshot at /srv, where srv (/srv/x) lies"},
	} {
		names := `"a", "b"`
		if strings.Contains(c.sources, "source.srv") {
			names = `"srv", "b"`
		}
		if name == "of its own" {
			names = `"srv"`
		}
		text := "version = 1\n" + c.sources + "[destination.r]\nrepo=\"/r\"\n[plan.p]\nto=[\"r\"]\nsources=[" + names + "]\n"
		_, err := Parse("f", []byte(text))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s:\ngot  %v\nwant %s", name, err, c.want)
		}
	}
}

func TestRulesOfADestinationGoBeforeThoseOfAPlan(t *testing.T) {
	c := read(t, frame+`
[plan.own]
sources = ["files"]
to = ["red", "blue"]
[plan.own.retention]
daily = 3
[destination.blue]
repo = "/mnt/blue"
[destination.blue.retention]
last = 2
bin_days = 0
[retention]
weekly = 4
bin_days = 14
`)
	nightly, _ := c.Plan("nightly")
	own, _ := c.Plan("own")
	for _, r := range []struct {
		got, want Retention
	}{
		{c.RetentionOf(nightly, c.Destinations["red"]), Retention{gc.Policy{Weekly: 4}, 14}},
		{c.RetentionOf(own, c.Destinations["red"]), Retention{gc.Policy{Daily: 3}, 14}},
		{c.RetentionOf(own, c.Destinations["blue"]), Retention{gc.Policy{Last: 2}, 0}},
	} {
		if !reflect.DeepEqual(r.got, r.want) {
			t.Errorf("got %v, want %v", r.got, r.want)
		}
	}
}

func TestDatesAndTimesNeedNoQuotes(t *testing.T) {
	c := read(t, frame+"at = [07:30:00, 19:00:00]\nonce = 2026-12-01T19:30:00\nskip = [2026-12-24]\n")
	p, _ := c.Plan("nightly")
	want := schedule.Times{
		At:   []time.Duration{7*time.Hour + 30*time.Minute, 19 * time.Hour},
		Once: []schedule.Moment{{Date: gc.Date{Year: 2026, Month: 12, Day: 1}, Clock: 19*time.Hour + 30*time.Minute}},
		Skip: []gc.Date{{Year: 2026, Month: 12, Day: 24}},
	}
	if !reflect.DeepEqual(p.Times, want) {
		t.Errorf("%+v", p.Times)
	}
}

func TestPartsOfASource(t *testing.T) {
	s := readFile(t, "testdata/elm.toml").Sources["opendental"]
	if p := s.Part(Databases); p.Database == nil || len(p.Folders()) != 0 {
		t.Errorf("database: %+v", p)
	}
	if p := s.Part(Attachments); p.Database != nil || len(p.Folders()) != 1 {
		t.Errorf("attachments: %+v", p)
	}
}

func TestWhatIsHardlyMeantIsDoubted(t *testing.T) {
	var got []string
	for _, d := range read(t, frame+"[source.old]\npaths = [\"/old\"]\n[destination.blue]\ndrive = \"…\"\npassword = \"env:X\"\n").Doubts() {
		got = append(got, d.Error())
	}
	want := []string{
		"test.toml:4: destination.red: has no password; a run that nobody watches needs one, such as file:/etc/chartkeep/password",
		"test.toml:6: plan.nightly: has no time, and runs only by hand",
		"test.toml:6: plan.nightly: nothing is ever removed from red: there are no rules in [retention]",
		"test.toml:9: source.old: belongs to no plan, and is never saved",
		"test.toml:11: destination.blue: its drive is still to be named; chartkeep drive adopt writes it",
		"test.toml:11: destination.blue: belongs to no plan",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"testdata/elm.toml", "testdata/full.toml"} {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("version = 1\n[[plan.a.before]]\ncommand=[['']]\n[plan.a.before.x]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Parse("f", text)
		if err != nil {
			if c != nil {
				t.Error("a configuration beside an error")
			}
			return
		}
		if again, err := Parse("f", c.TOML()); err != nil && len(c.exposed) == 0 {
			t.Errorf("shown as\n%s\n%v", c.TOML(), err)
		} else if err == nil && len(again.Plans) != len(c.Plans) {
			t.Error("shown with other plans")
		}
	})
}
