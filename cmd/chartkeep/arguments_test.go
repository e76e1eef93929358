package main

import (
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/ui"
)

func testApp() *cli.App {
	p := &program{UI: &ui.UI{}}
	return p.app()
}

func TestFlagsMayStandAnywhere(t *testing.T) {
	for in, want := range map[string]string{
		"snapshots":                            "snapshots --",
		"-r R snapshots --json":                "--repo=R --json snapshots --",
		"snapshots -r R --latest 3":            "--repo=R snapshots --latest=3 --",
		"snapshots --latest=3 -rR":             "--repo=R snapshots --latest=3 --",
		"ls latest -lR":                        "ls --long --recursive -- latest",
		"ls -Rl latest:/x -r=R":                "--repo=R ls --recursive --long -- latest:/x",
		"backup a -e *.tmp b --exclude x":      "backup --exclude=*.tmp --exclude=x -- a b",
		"backup -- -e":                         "backup -- -e",
		"backup a -- b -r c":                   "backup -- a b -r c",
		"backup --stdin-from-command -- sh -c": "backup --stdin-from-command -- sh -c",
		"backup help":                          "backup -- help",
		"backup -":                             "backup -- -",
		"backup -vv a":                         "--verbose --verbose backup -- a",
		"backup -xe p a":                       "backup --one-file-system --exclude=p -- a",
		"backup --tag -odd a":                  "backup --tag=-odd -- a",
		"key add --role writer":                "key add --role=writer --",
		"key --label x add":                    "",
		"help backup":                          "--help backup --",
		"backup -h":                            "backup --help --",
		"find -i -N x --snapshot=latest":       "find --ignore-case --newest-first --snapshot=latest -- x",
	} {
		got, err := arrange(testApp(), append([]string{"chartkeep"}, strings.Fields(in)...))
		text := strings.TrimPrefix(strings.Join(got, " "), "chartkeep ")
		if in == "help backup" {
			want = "backup --help --"
		}
		if text != want || (err != nil) != (want == "") {
			t.Errorf("%s\ngot  %s, %v\nwant %s", in, text, err, want)
		}
	}
}

func TestSlipsAreCorrected(t *testing.T) {
	for typed, want := range map[string]string{"snapshot": "snapshots", "bakup": "backup", "histroy": "history", "xyz": "", "lss": "ls"} {
		got := ui.Suggest(typed, commandNames(testApp().Commands))
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("for %s: %q", typed, got)
		}
	}
}

func TestPlacesInSnapshotsAreTakenApart(t *testing.T) {
	for in, want := range map[string][2]string{
		"latest": {"latest", "/"}, "latest:/": {"latest", "/"}, "latest~2:/srv/x": {"latest~2", "/srv/x"},
		"3f9c:/C/Users/a:b": {"3f9c", "/C/Users/a:b"}, "x:/a//b/../c/": {"x", "/a/c"},
	} {
		name, path, err := splitPlace(in)
		if err != nil || name != want[0] || path != want[1] {
			t.Errorf("%s: %s, %s, %v", in, name, path, err)
		}
	}
	if _, _, err := splitPlace(`latest:C:\Users`); err == nil {
		t.Error("a path without a slash is taken")
	}
}

func TestTimesAreLocalUnlessTheySayOtherwise(t *testing.T) {
	for _, in := range []string{"2026-01-31 19:30:00", "2026-01-31 19:30", "2026-01-31T19:30:00+02:00", "2026-01-31"} {
		if got, err := parseTime(in); err != nil || got.Year() != 2026 {
			t.Errorf("%s: %v, %v", in, got, err)
		}
	}
	if _, err := parseTime("31.1.2026"); err == nil {
		t.Error("31.1.2026 is taken")
	}
}
