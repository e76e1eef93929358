package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A tool is a backup program and how it does each step, as commands of a shell.
// They see these variables beside those of env:
//
//	BIN   the program            SRC   the folder that is saved
//	REPO  its repository         DEST  an empty folder to restore to
//	WORK  its scratch folder     ONE   a file below SRC
//	N     which backup it is     STRIP how deep SRC lies
type tool struct {
	name, path, version string
	env                 []string
	init, backup        string
	restore, restoreOne string
	check, prune        string // prune leaves the newest backup
}

var tools = []tool{
	{
		name:    "chartkeep",
		version: "$BIN version | head -1",
		env:     []string{"CHARTKEEP_REPOSITORY=$REPO", "CHARTKEEP_PASSWORD=bench", "CHARTKEEP_CACHE_DIR=$WORK/cache"},
		init:    "$BIN init", backup: "exec $BIN backup $SRC",
		restore: "exec $BIN restore latest:$SRC --target $DEST", restoreOne: "exec $BIN restore latest:$SRC --include $ONE --target $DEST",
		check: "exec $BIN check --read-data", prune: "exec $BIN forget --keep-last 1 --prune",
	},
	{
		name:    "restic",
		version: "$BIN version",
		env:     []string{"RESTIC_REPOSITORY=$REPO", "RESTIC_PASSWORD=bench", "RESTIC_CACHE_DIR=$WORK/cache", "RESTIC_COMPRESSION=fastest"},
		init:    "$BIN init", backup: "exec $BIN backup $SRC",
		restore: "exec $BIN restore latest:$SRC --target $DEST", restoreOne: "exec $BIN restore latest:$SRC --include $ONE --target $DEST",
		check: "exec $BIN check --read-data", prune: "exec $BIN forget --keep-last 1 --prune",
	},
	{
		name:    "borg",
		version: "$BIN --version",
		env:     []string{"BORG_REPO=$REPO", "BORG_PASSPHRASE=bench", "BORG_BASE_DIR=$WORK/base"},
		init:    "$BIN init -e repokey", backup: "exec $BIN create ::snap$N $SRC",
		restore:    "cd $DEST && exec $BIN extract --strip-components $STRIP ::snap$N",
		restoreOne: "cd $DEST && exec $BIN extract --strip-components $STRIP ::snap$N ${SRC#/}/$ONE",
		check:      "exec $BIN check --verify-data", prune: "$BIN prune --keep-last 1 && $BIN compact",
	},
	{
		name:    "kopia",
		version: "$BIN --version",
		env:     []string{"KOPIA_PASSWORD=bench", "KOPIA_CONFIG_PATH=$WORK/config", "KOPIA_CACHE_DIRECTORY=$WORK/cache", "KOPIA_LOG_DIR=$WORK/log", "KOPIA_CHECK_FOR_UPDATES=false"},
		init:    "$BIN repository create filesystem --path $REPO && $BIN policy set --global --compression=zstd-fastest --keep-latest 1 --keep-hourly 0 --keep-daily 0 --keep-weekly 0 --keep-monthly 0 --keep-annual 0",
		backup:  "exec $BIN snapshot create --no-progress $SRC",
		restore: "exec $BIN restore --no-progress $SRC $DEST", restoreOne: "exec $BIN restore --no-progress $SRC/$ONE $DEST/one",
		check: "exec $BIN snapshot verify --no-progress --verify-files-percent=100",
		prune: "$BIN snapshot expire --all --delete && $BIN maintenance run --full --safety=none",
	},
	{
		name:    "duplicacy",
		version: "$BIN help | grep -A1 ^VERSION | tail -1",
		env:     []string{"DUPLICACY_PASSWORD=bench-bench"},
		init:    "mkdir -p $WORK/b $WORK/r && cd $WORK/b && $BIN init -e -zstd-level fastest -repository $SRC practice $REPO && cd $WORK/r && $BIN init -e -repository $DEST practice $REPO",
		backup:  "cd $WORK/b && exec $BIN backup -threads 2",
		restore: "cd $WORK/r && exec $BIN restore -r $N -threads 2", restoreOne: "cd $WORK/r && exec $BIN restore -r $N -- $ONE",
		check: "cd $WORK/b && exec $BIN check -chunks -threads 2", prune: "cd $WORK/b && exec $BIN prune -r 1-$((N-1)) -exclusive",
	},
}

// found returns the tools that are installed and wanted, with their paths and
// versions.
func found(o options) []tool { return foundAmong(tools, o) }

func foundAmong(tools []tool, o options) (list []tool) {
	for _, t := range tools {
		path, err := t.look(o)
		if err != nil || o.only != "" && !strings.Contains(","+o.only+",", ","+t.name+",") {
			continue
		}
		t.path, _ = filepath.Abs(path)
		cmd := exec.Command("sh", "-c", t.version)
		cmd.Env = append(os.Environ(), "BIN="+t.path)
		said, _ := cmd.Output()
		t.version = strings.ReplaceAll(strings.TrimSpace(string(said)), "\n", "; ")
		list = append(list, t)
	}
	return list
}

// look finds the program of a tool: the last that its name says, if a dump goes
// through several.
func (t tool) look(o options) (path string, err error) {
	for name := range strings.FieldsFuncSeq(t.name, func(c rune) bool { return strings.ContainsRune(" +", c) }) {
		if name == "chartkeep" {
			name = o.program
		}
		if strings.HasPrefix(name, "-") {
			continue
		}
		if path, err = exec.LookPath(name); err != nil {
			return "", err
		}
	}
	return path, nil
}
