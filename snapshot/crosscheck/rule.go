package crosscheck

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"chartkeep/sources"
)

// A Rule says where the rows of a table have their files.
type Rule struct {
	Source     string // whose tables they are
	Database   string // of the source; empty: the only one that has the table
	Table      string // PostgreSQL: perhaps with its schema, "public.scan"
	FileColumn string // a file's name, or its path: relative to a root, or absolute

	FolderColumn string // the file's folder; empty: it is in the file's name, or there is none
	FolderTable  string // the table that FolderColumn is in; empty: Table
	Join         string // the column by which a row finds its own in FolderTable
	FolderJoin   string // the same one's name in FolderTable; empty: Join

	Roots    []string // folders, as they stand in the tree; a file may lie below any of them
	Layout   Layout
	Ignore   []string // patterns (snapshot.Patterns) of files that no row names
	Fold     bool     // case does not count
	Optional bool     // a database without the table has nothing to check
}

// A Layout says how folders are arranged below a root.
type Layout int

// The layouts.
const (
	File             Layout = iota // FILE, wherever it is below the root
	FolderFile                     // FOLDER/FILE
	LetterFolderFile               // F/FOLDER/FILE
)

// below is the place of a row's file, relative to a root, or absolute. What is
// no path at all is empty.
func (r *Rule) below(folder, file string) string {
	file = slashed(file)
	if file == "" || absolute(file) {
		return file
	}
	folder = slashed(folder)
	if r.Layout != File && folder == "" {
		return ""
	}
	switch r.Layout {
	case FolderFile:
		file = folder + "/" + file
	case LetterFolderFile:
		file = letter(folder) + "/" + folder + "/" + file
	}
	return path.Clean(file)
}

// slashed is a path of whatever system with slashes. A Windows volume becomes
// the first element, as in the tree.
func slashed(p string) string {
	volume, rest := sources.SplitVolume(p)
	rest = strings.ReplaceAll(rest, `\`, "/")
	if volume != "" {
		rest = "/" + sources.VolumeElement(volume) + "/" + rest
	}
	if rest == "" {
		return ""
	}
	return path.Clean(rest)
}

func absolute(p string) bool { return strings.HasPrefix(p, "/") }

// letter is the first one of a folder's name, as a capital.
func letter(folder string) string {
	first, _ := utf8.DecodeRuneInString(folder)
	return string(unicode.ToUpper(first))
}

// places are the paths at which a row's file may lie.
func (r *Rule) places(below string) []string {
	if absolute(below) {
		return []string{below}
	}
	var all []string
	for _, root := range r.Roots {
		all = append(all, path.Join(root, below))
	}
	return all
}

// expects reports whether every file at a place is some row's.
func (r *Rule) expects(p string) bool {
	for _, root := range r.Roots {
		rest, ok := strings.CutPrefix(p, strings.TrimSuffix(root, "/")+"/")
		if !ok {
			continue
		}
		parts := strings.Split(rest, "/")
		switch r.Layout {
		case File:
			return true
		case FolderFile:
			return len(parts) == 2
		case LetterFolderFile:
			return len(parts) == 3 && strings.EqualFold(parts[0], letter(parts[1]))
		}
	}
	return false
}
