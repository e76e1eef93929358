package files

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"chartkeep/sources"
)

// Options say what a Source reads. The zero value of everything but Paths and
// FilesFrom means the default.
type Options struct {
	// Paths are the files and folders to read. Relative ones start at the
	// working directory.
	Paths []string

	// FilesFrom are more paths, as read from a list. One that does not exist
	// is taken as a pattern for the names that do.
	FilesFrom []string

	// Excludes are patterns of what to leave out, by restic's rules:
	//
	//	*.tmp             any name that ends so, at any depth
	//	cache/old         old in a folder cache, at any depth
	//	/srv/spool        this path
	//	/srv/**/thumbs    thumbs at any depth below /srv
	//	!keep.tmp         not this one, though an earlier pattern said so
	//
	// They apply to the given paths and what is below them. A pattern that
	// matches a folder matches all that lies in it. The last pattern that
	// matches decides, but a folder that is left out is not entered, so nothing
	// in it can be taken back. FoldedExcludes match without regard to case.
	Excludes, FoldedExcludes []string

	// ExcludeIfPresent leaves out the content of folders that hold a file
	// NAME or, given as "NAME:header", one that starts with header. The file
	// itself is kept, to say why the rest is missing.
	ExcludeIfPresent []string

	// ExcludeCaches does so for folders with a valid CACHEDIR.TAG.
	ExcludeCaches bool

	// ExcludeLargerThan leaves out regular files of more bytes, if above 0.
	ExcludeLargerThan int64

	// OneFileSystem stays on the file system of each given path. A folder on
	// which another one is mounted is kept as an empty folder.
	OneFileSystem bool

	// Skip leaves out the folders for which it returns true. It is called
	// from several goroutines.
	Skip func(dir sources.Meta) bool

	// Skipped is told what was left out, in the order of the walk and from
	// the goroutine that ranges over Entries.
	Skipped func(path string, why Reason)

	// Concurrency is the number of system calls in flight; 0 is 32.
	Concurrency int
}

// A Reason says why something was left out.
type Reason uint8

// The reasons.
const (
	ByPattern       Reason = iota + 1 // Excludes, FoldedExcludes
	ByTag                             // the content of a folder: ExcludeIfPresent, ExcludeCaches
	BySize                            // ExcludeLargerThan
	OtherFileSystem                   // OneFileSystem
	ByFolder                          // Skip
)

var reasonNames = [...]string{"", "excluded", "excluded by a tag", "too large", "on another file system", "skipped"}

func (r Reason) String() string {
	if int(r) >= len(reasonNames) {
		return "unknown"
	}
	return reasonNames[r]
}

const defaultConcurrency = 32

// New returns a Source for o. It fails if there is no path or if a pattern is
// malformed; a path that does not exist is an entry with an error.
func New(o Options) (*Source, error) {
	if len(o.Paths)+len(o.FilesFrom) == 0 {
		return nil, errors.New("files: no path given")
	}
	exclude, err := newExcluder(o.Excludes, o.FoldedExcludes)
	if err != nil {
		return nil, err
	}
	if o.Concurrency <= 0 {
		o.Concurrency = defaultConcurrency
	}
	given, err := plant(o.Paths, o.FilesFrom)
	if err != nil {
		return nil, err
	}
	return &Source{
		options: o, exclude: exclude, tags: newTags(o), given: given, owners: newOwners(), aheadLimit: aheadLimit,
	}, nil
}

// ReadList reads a list of patterns or paths, one a line. Spaces around a line,
// empty lines and lines that start with # do not count. expand, unless nil, is
// applied to every line that does.
func ReadList(r io.Reader, expand func(string) string) ([]string, error) {
	var list []string
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		if expand != nil {
			line = expand(line)
		}
		list = append(list, line)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read list: %w", err)
	}
	return list, nil
}
