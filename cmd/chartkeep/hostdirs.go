package main

import (
	"cmp"
	"os"
	"path/filepath"
	"runtime"

	"chartkeep/cmd/internal/config"
)

// stateDir is where this computer keeps what it knows of its runs.
// $CHARTKEEP_STATE_DIR names another folder.
func stateDir() string {
	return cmp.Or(os.Getenv("CHARTKEEP_STATE_DIR"), hostDirs().state)
}

// logDir is where this computer's log of runs is: as the configuration says, if
// there is one.
func logDir(c *config.Config) string {
	if c != nil && c.Log.Dir != "" {
		return c.Log.Dir
	}
	if dir := os.Getenv("CHARTKEEP_STATE_DIR"); dir != "" {
		return filepath.Join(dir, "log")
	}
	return hostDirs().log
}

// hostPlaces are where a computer keeps things.
type hostPlaces struct{ state, log string }

// hostDirs are the folders that the operating system has for this: one for the
// whole computer when the system's administrator runs the program, and one in
// the user's home for others.
func hostDirs() hostPlaces {
	home, _ := os.UserHomeDir()
	switch {
	case runtime.GOOS == "windows":
		base := filepath.Join(cmp.Or(os.Getenv("ProgramData"), `C:\ProgramData`), "chartkeep")
		return hostPlaces{filepath.Join(base, "state"), filepath.Join(base, "log")}
	case os.Geteuid() == 0:
		return hostPlaces{"/var/lib/chartkeep", "/var/log/chartkeep"}
	case runtime.GOOS == "darwin":
		return hostPlaces{filepath.Join(home, "Library/Application Support/chartkeep"), filepath.Join(home, "Library/Logs/chartkeep")}
	}
	base := filepath.Join(cmp.Or(os.Getenv("XDG_STATE_HOME"), filepath.Join(home, ".local/state")), "chartkeep")
	return hostPlaces{base, filepath.Join(base, "log")}
}
