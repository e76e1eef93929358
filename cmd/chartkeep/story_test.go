package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"chartkeep/repo/crypt"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"chartkeep": func() { os.Exit(run(os.Args, crypt.MinKDF)) },
	})
}

// TestStories runs the stories in testdata: each uses the real program as a
// person would, and reads as documentation of what it does.
func TestStories(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("CHARTKEEP_REPOSITORY", filepath.Join(e.WorkDir, "repo"))
			e.Setenv("CHARTKEEP_CACHE_DIR", filepath.Join(e.WorkDir, "cache"))
			e.Setenv("CHARTKEEP_STATE_DIR", filepath.Join(e.WorkDir, "state"))
			e.Setenv("CHARTKEEP_PASSWORD", "a good password")
			e.Setenv("HOME", e.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":  exits,
			"expand": expand,
			"field":  field,
			"lock":   lock,
			"noise":  noise,
			"server": server,
			"spoil":  spoil,
		},
	})
}

// exits runs a command and wants its exit code:
//
//	exits 12 chartkeep snapshots
func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	var failed *exec.ExitError
	code := 0
	if errors.As(err, &failed) {
		code = failed.ExitCode()
	} else {
		ts.Check(err)
	}
	if (code == want) == neg {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

// field takes a field out of the last JSON object on standard output that has
// it, and puts it into a variable, or compares it with what it ought to be:
//
//	field snapshot_id -> ID
//	field files_new = 3
func field(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: field NAME -> VARIABLE, field NAME = VALUE")
	}
	var value any
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			ts.Fatalf("%s is not a JSON object: %v", line, err)
		}
		if v, ok := object[args[0]]; ok {
			value = v
		}
	}
	text, ok := value.(string)
	if !ok {
		raw, err := json.Marshal(value)
		ts.Check(err)
		text = string(raw)
	}
	switch args[1] {
	case "->":
		ts.Setenv(args[2], text)
	case "=":
		if (text == args[2]) == neg {
			ts.Fatalf("%s is %s, want %s", args[0], text, args[2])
		}
	default:
		ts.Fatalf("unknown operator %s", args[1])
	}
}
