package preset

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// usualExact is where EXACT's list of data folders is, and the folder that has
// those which come with it.
var usualExact = []string{
	`C:\Program Files (x86)\Software of Excellence\EXACT Server\databases.ini`,
	`C:\Program Files\Software of Excellence\EXACT Server\databases.ini`,
	`C:\ProgramData\Software of Excellence\EXACT Server`,
}

// exactMark is the file by which a data folder is known.
const exactMark = "UNICONFIG6.FS5"

func fillExact(_ context.Context, f *Filled, o Options) error {
	if !o.wantsFiles() {
		return errors.New(`its database is files among the others in its data folder; write what = "all" in the plan`)
	}
	if len(f.Source.Folders()) == 0 {
		f.Source.Paths = distinct(exactFolders(o.Places))
	}
	if len(f.Source.Folders()) == 0 {
		return errors.New(`no data folder was found; write paths = ["FOLDER"], where FOLDER has the file ` + exactMark)
	}
	marked := false
	for _, folder := range f.Source.Folders() {
		marked = marked || hasMark(folder)
	}
	if !marked {
		f.say("%s is in none of the folders: is the data folder among them?", exactMark)
	}
	f.say("covered: %s with all folders below", strings.Join(f.Source.Folders(), ", "))
	f.say("not covered: X-rays that are kept outside of these folders; add their folder to paths")
	f.say("not of one moment: files that EXACT is writing are saved as they are read; at night nobody should work with it, or save the copy that EXACT makes (databackup) as well")
	return nil
}

// exactFolders are the data folders that places tell of.
func exactFolders(places []string) (found []string) {
	if places == nil {
		places = usualExact
	}
	for _, p := range places {
		if isFolder(p) {
			found = append(found, markedBelow(p)...)
			continue
		}
		text, err := os.ReadFile(p)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			if folder := strings.Trim(line[strings.Index(line, "=")+1:], " \t\r\n\""); filepath.IsAbs(folder) && hasMark(folder) {
				found = append(found, filepath.Clean(folder))
			}
		}
	}
	return found
}

// markedBelow are the data folders in a folder.
func markedBelow(dir string) (found []string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if path := filepath.Join(dir, e.Name()); e.IsDir() && hasMark(path) {
			found = append(found, path)
		}
	}
	return found
}

// hasMark reports whether a folder is a data folder. Names have no case on
// Windows, and may have another where a copy is.
func hasMark(folder string) bool {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return false
	}
	for _, e := range entries {
		if strings.EqualFold(e.Name(), exactMark) {
			return true
		}
	}
	return false
}
