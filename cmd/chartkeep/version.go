package main

import (
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"

	"chartkeep/repo"
)

// version is set when a release is built (-ldflags "-X main.version=…").
var version string

// versionName is the version, or the commit that this was built from.
func versionName() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "development"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "development-" + s.Value[:12]
		}
	}
	return "development"
}

type versionObject struct {
	Type    string `json:"message_type"`
	Version string `json:"version"`
	Format  int    `json:"format"`
	Go      string `json:"go_version"`
	OS      string `json:"go_os"`
	Arch    string `json:"go_arch"`
}

func (p *program) versionCommand() *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "say which version this is",
		Action: func(*cli.Context) error {
			v := versionObject{"version", versionName(), repo.FormatVersion, runtime.Version(), runtime.GOOS, runtime.GOARCH}
			p.Print("chartkeep %s (repository format %d, %s, %s/%s)", v.Version, v.Format, v.Go, v.OS, v.Arch)
			p.Object(v)
			return nil
		},
	}
}
