package schedule

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chartkeep/gc"
)

var update = flag.Bool("update", false, "write the golden files anew")

func host(t testing.TB, practice, local string) Host {
	return Host{
		Program: "/usr/bin/chartkeep", Config: "/etc/chartkeep/100% own.toml",
		Practice: location(t, practice), Local: location(t, local), Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

func job(name string, times Times) Job {
	return Job{
		Name: "run-" + name, Title: "chartkeep: plan " + name,
		Args: []string{"run", name}, Due: []string{"run", "--due", name}, Times: times, CatchUp: true,
	}
}

func sampleJobs() []Job {
	noCatchUp := job("lunch", Times{Cron: "*/20 12-13 * * mon-fri"})
	noCatchUp.CatchUp = false
	return []Job{
		job("nightly", Times{At: clocks("19:30", "02:30"), Days: []time.Weekday{time.Friday, time.Monday}}),
		job("months", Times{At: clocks("23:00"), MonthDays: []int{15, 1, -1}}),
		noCatchUp,
		job("skips", Times{At: clocks("20:00"), Skip: []gc.Date{{Year: 2026, Month: 12, Day: 24}}}),
		job("once", Times{Once: []Moment{{gc.Date{Year: 2026, Month: 12, Day: 1}, clock("19:30")}, {gc.Date{Year: 2025, Month: 12, Day: 1}, 0}}}),
		job("either", Times{Cron: "5 4 1,15 2 sun"}),
		{Name: "status", Title: "chartkeep: is anything overdue", Args: []string{"status", "--alert"}, Times: Times{At: clocks("07:00")}, CatchUp: true},
	}
}

func TestWhatIsWrittenIsAsBefore(t *testing.T) {
	for _, zone := range []string{"America/Chicago", "Asia/Kathmandu"} {
		h := host(t, "America/Chicago", zone)
		name := map[bool]string{true: "same", false: "other"}[h.sameClock()]
		crontab, err := h.Crontab(sampleJobs(), []byte("MAILTO=root\n5 5 * * * own"))
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name+".crontab", crontab)
		golden(t, name+".launchd", joined(h.Launchd(sampleJobs())))
		golden(t, name+".windows", joined(h.Windows(sampleJobs())))
		golden(t, "systemd", joined(h.Systemd(sampleJobs()))) // the computer's zone does not matter
	}
}

func joined(files []File) (all []byte) {
	for _, f := range files {
		all = fmt.Appendf(all, "-- %s --\n%s", f.Name, f.Content)
	}
	return all
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is otherwise (%v); go test -update writes it anew\n%s", name, err, got)
	}
}

func TestOtherLinesOfACrontabStay(t *testing.T) {
	h, other := host(t, "UTC", "UTC"), host(t, "UTC", "UTC")
	other.Config = "/etc/other.toml"
	jobs := sampleJobs()
	for _, own := range []string{"", "5 5 * * * own\n", "# a comment\n\nMAILTO=x\n5 5 * * * own % with input\n"} {
		table := []byte(own)
		for _, step := range []Host{h, other, h, other, h} {
			var err error
			if table, err = step.Crontab(jobs, table); err != nil {
				t.Fatal(err)
			}
		}
		if n := strings.Count(string(table), "BEGIN Written by chartkeep"); n != 2 {
			t.Errorf("%d blocks of two configurations", n)
		}
		for _, step := range []Host{other, h} {
			var err error
			if table, err = step.Crontab(nil, table); err != nil {
				t.Fatal(err)
			}
		}
		if string(table) != own {
			t.Errorf("%q became %q", own, table)
		}
	}
	if _, err := h.Crontab(jobs, []byte(h.begin()+"1 1 * * * x\n")); !errors.Is(err, ErrCrontab) {
		t.Errorf("a block without an end: %v", err)
	}
}

// The real systemd tells when its expressions elapse: as often as Coming, and at
// the same moments.
func TestSystemdRunsAtTheSameTimes(t *testing.T) {
	requireProgram(t, "systemd-analyze", "systemd")
	h := host(t, "America/Chicago", "UTC")
	h.Now = time.Date(2026, 2, 20, 12, 0, 0, 0, time.UTC)
	all := map[string]Times{}
	for name, times := range plans {
		all[name] = times
	}
	for _, j := range sampleJobs() {
		all[j.Name] = j.Times
	}
	all["strange steps"] = Times{Cron: "*/7 1-3/2 */3 2,3,11 sun,7-7"}
	for name, times := range all {
		times.Skip = nil // by way of what is due
		const n = 25
		var want, got []time.Time
		for at := range Coming(times, h.Now, h.Practice) {
			if want = append(want, at); len(want) == n {
				break
			}
		}
		for _, line := range h.onCalendar(times) {
			got = append(got, elapses(t, line, h.Now, n)...)
		}
		slices.SortFunc(got, time.Time.Compare)
		got = slices.CompactFunc(got, time.Time.Equal)
		got = got[:min(n, len(got))]
		if !slices.EqualFunc(got, want, time.Time.Equal) {
			t.Errorf("%s: %s", name, difference(got, want, h.Practice))
		}
	}
}

// elapses asks systemd for the next n times of an expression.
func elapses(t *testing.T, line string, after time.Time, n int) (all []time.Time) {
	t.Helper()
	cmd := exec.Command("systemd-analyze", "calendar", "--iterations", fmt.Sprint(n), "--base-time", after.Format(time.DateTime), line)
	cmd.Env = append(os.Environ(), "TZ=UTC", "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", line, err, out)
	}
	for text := range strings.Lines(string(out)) {
		key, value, _ := strings.Cut(strings.TrimSpace(text), ": ")
		if key != "Next elapse" && !strings.HasPrefix(key, "Iter.") {
			continue
		}
		if strings.TrimSpace(value) == "never" {
			continue
		}
		at, err := time.Parse("Mon 2006-01-02 15:04:05 MST", strings.TrimSpace(value))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, at)
	}
	return all
}

func TestSystemdFindsNothingWrongWithTheUnits(t *testing.T) {
	requireProgram(t, "systemd-analyze", "systemd")
	program := filepath.Join(t.TempDir(), "a program")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	h := host(t, "America/Chicago", "UTC")
	h.Program = program
	dir := t.TempDir()
	args := []string{"verify", "--man=no", "--recursive-errors=no"}
	for _, f := range h.Systemd(sampleJobs()) {
		path := filepath.Join(dir, f.Name)
		if err := os.WriteFile(path, f.Content, 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	if out, err := exec.Command("systemd-analyze", args...).CombinedOutput(); err != nil || strings.Contains(string(out), dir) {
		t.Errorf("%v\n%s", err, out)
	}
}

// The units of a system that does not run are put in place and switched on by
// the real systemctl.
func TestUnitsAreInstalledAndRemoved(t *testing.T) {
	requireProgram(t, "systemctl", "systemd")
	ctx, h, root := t.Context(), host(t, "America/Chicago", "UTC"), t.TempDir()
	s := Systemd{Dir: systemUnits, Root: root}
	foreign := filepath.Join(root, systemUnits, "chartkeep-own.timer")
	if err := errors.Join(os.MkdirAll(filepath.Dir(foreign), 0o755), os.WriteFile(foreign, []byte("[Timer]\nOnCalendar=daily\n"), 0o644)); err != nil {
		t.Fatal(err)
	}
	if written, err := s.Install(ctx, h, sampleJobs()); err != nil || len(written) != 2*len(sampleJobs()) {
		t.Fatalf("%q, %v", written, err)
	}
	enabled := func() string {
		entries, _ := os.ReadDir(filepath.Join(root, systemUnits, "timers.target.wants"))
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return strings.Join(names, " ")
	}
	if got := strings.Count(enabled(), "chartkeep-"); got != len(sampleJobs()) {
		t.Errorf("enabled: %s", enabled())
	}
	if _, err := s.Install(ctx, h, sampleJobs()[:1]); err != nil {
		t.Fatal(err)
	}
	if lines, err := s.List(ctx, h); err != nil || strings.Join(lines, " ") != "/etc/systemd/system/chartkeep-run-nightly.timer" || enabled() != "chartkeep-run-nightly.timer" {
		t.Errorf("list %q, %v, enabled %s", lines, err, enabled())
	}
	other := h
	other.Config = "/etc/other.toml"
	if _, err := s.Install(ctx, other, sampleJobs()[:1]); err == nil {
		t.Error("the units of another configuration are replaced")
	}
	if removed, err := s.Remove(ctx, h); err != nil || len(removed) != 2 {
		t.Errorf("removed %q, %v", removed, err)
	}
	entries, _ := os.ReadDir(filepath.Dir(foreign))
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if !slices.Contains(left, "chartkeep-own.timer") || strings.Contains(strings.Join(left, " "), "run-") || enabled() != "" {
		t.Errorf("left: %q, enabled: %s", left, enabled())
	}
}

func TestCronTakesTheTable(t *testing.T) {
	requireProgram(t, "crontab", "cron")
	for _, local := range []string{"America/Chicago", "Asia/Kathmandu"} {
		h := host(t, "America/Chicago", local)
		table, err := h.Crontab(sampleJobs(), nil)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "table")
		if err := os.WriteFile(path, table, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("crontab", "-n", path).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	}
}

// A superset of the times is started, and what is started too often asks what is
// due.
func TestNoTimeIsLeftOutOfACrontab(t *testing.T) {
	for _, local := range []string{"America/Chicago", "Asia/Kathmandu", "UTC"} {
		h := host(t, "America/Chicago", local)
		for _, j := range sampleJobs() {
			if j.Due == nil {
				continue
			}
			lines := h.cronLines(j)
			until := h.Now.AddDate(1, 0, 0)
			meant := map[time.Time]bool{}
			for at := range Coming(j.Times, h.Now, h.Practice) {
				if at.After(until) {
					break
				}
				meant[at.UTC()] = true
				if !slices.ContainsFunc(lines, func(l cronLine) bool { return starts(l, at, h.Local) }) {
					t.Errorf("%s in %s: nothing is started at %v", j.Name, local, at)
				}
			}
			for _, l := range lines {
				if l.exact {
					for at := range Coming(Times{Cron: l.when}, h.Now, h.Local) {
						if at.After(until) {
							break
						}
						if !meant[at.UTC()] {
							t.Errorf("%s in %s: %s starts at %v", j.Name, local, l.when, at)
						}
					}
				}
			}
		}
	}
}

func starts(l cronLine, at time.Time, local *time.Location) bool {
	return Next(Times{Cron: l.when}, at.Add(-time.Minute), local).Equal(at)
}

func TestPropertyListsAreReadByAnotherProgram(t *testing.T) {
	requireProgram(t, "python3", "python3")
	dir := t.TempDir()
	args := []string{"-c", `
import plistlib, sys
for name in sys.argv[1:]:
	p = plistlib.load(open(name, "rb"))
	print(p["Label"], p["ProgramArguments"][:3], len(p["StartCalendarInterval"]) > 0)`}
	want := ""
	for _, f := range host(t, "UTC", "UTC").Launchd(sampleJobs()) {
		path := filepath.Join(dir, f.Name)
		if err := os.WriteFile(path, f.Content, 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
		want += strings.TrimSuffix(f.Name, ".plist") + " ['/usr/bin/chartkeep', '--config', '/etc/chartkeep/100% own.toml'] True\n"
	}
	if out, err := exec.Command("python3", args...).CombinedOutput(); err != nil || string(out) != want {
		t.Errorf("%v: %s, want %s", err, out, want)
	}
}

func TestTasksAreXML(t *testing.T) {
	h := host(t, "UTC", "UTC")
	h.Config = `C:\Program Data\"x"\`
	jobs := append(sampleJobs(), job("many", Times{Cron: "* * * * *"}))
	for _, f := range h.Windows(jobs) {
		d := xml.NewDecoder(bytes.NewReader(f.Content))
		triggers := 0
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
			if e, ok := token.(xml.StartElement); ok && strings.HasSuffix(e.Name.Local, "Trigger") {
				triggers++
			}
		}
		if triggers < 1 || triggers > 48 {
			t.Errorf("%s has %d triggers", f.Name, triggers)
		}
	}
	if got := windowsQuoted(h.Config); got != `"C:\Program Data\\"x\"\\"` && got != `"C:\Program Data\\\"x\"\\"` {
		t.Error(got)
	}
}

func requireProgram(t *testing.T, program, pkg string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Fatalf("the test needs %s: install the package %s (testdata/install-needs does)", program, pkg)
	}
}
