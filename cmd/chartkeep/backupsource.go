package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/preset"
	"chartkeep/cmd/internal/text"
	"chartkeep/cmd/internal/ui"
	"chartkeep/snapshot"
	"chartkeep/sources"
	"chartkeep/sources/files"
)

// task is what a backup reads.
type task struct {
	source sources.Source
	walks  []*files.Source // that are in it
	name   string          // for people
	paths  []string        // as the snapshot keeps them
	strict bool            // what cannot be read fails the run

	apart []*part                  // saved before, one after the other
	order []*snapshot.SourceRecord // what becomes of a plan's sources; empty: it is no plan's

	filled []preset.Filled // a plan's sources, with what presets have found

	// survey finds out how much there is to read; nil: nothing can tell.
	survey func(context.Context, *snapshot.Progress)
}

// part is one source of several, saved by itself.
type part struct {
	source sources.Source
	record *snapshot.SourceRecord // in the task's order
}

// above reports whether a path is a folder on the way to what was given, which
// is in the snapshot for its metadata only.
func (t *task) above(path string) bool {
	return !slices.ContainsFunc(t.paths, func(given string) bool {
		return path == given || strings.HasPrefix(path, strings.TrimSuffix(given, "/")+"/")
	})
}

// begin lists files while the repository is being opened. Where something else is
// saved before them it does not: a file that a database names has to be found, and
// so the files are listed after it.
func (t *task) begin() (giveUp func()) {
	if len(t.apart) > 0 {
		return func() {}
	}
	for _, w := range t.walks {
		w.Begin()
	}
	return func() {
		for _, w := range t.walks {
			w.GiveUp()
		}
	}
}

// backupTask makes the source that the flags and arguments ask for.
func (p *program) backupTask(c *cli.Context) (task, error) {
	if c.Bool("stdin") || c.Bool("stdin-from-command") {
		return p.streamTask(c)
	}
	o, err := p.fileOptions(c)
	if err != nil {
		return task{}, err
	}
	var t task
	p.databaseFile = c.String(databaseSide.flag("password-file"))
	if o.Paths, err = p.addDatabases(&t, o.Paths); err != nil {
		return task{}, err
	}
	given := append(slices.Clone(o.Paths), o.FilesFrom...)
	if len(given) == 0 && len(t.apart) == 0 {
		return task{}, usage(c, "nothing to back up: no path given")
	}
	if len(given) == 0 {
		t.source, t.name = bareRoot{}, t.apart[0].record.Name
		return t, nil
	}
	if err := p.checkPaths(o.Paths); err != nil {
		return task{}, err
	}
	source, err := files.New(o)
	if err != nil {
		return task{}, usage(c, "%w", err)
	}
	t.source, t.walks, t.name, t.survey = source, []*files.Source{source}, nameOf(given), survey(o)
	for _, g := range given {
		t.paths = append(t.paths, treePath(g))
	}
	slices.Sort(t.paths)
	t.paths = slices.Compact(t.paths)
	return t, nil
}

// survey walks what o names and counts it.
func survey(o files.Options) func(context.Context, *snapshot.Progress) {
	o.Skipped = nil
	return func(ctx context.Context, pr *snapshot.Progress) {
		walk, err := files.New(o)
		if err != nil {
			return // the backup's own walk says so
		}
		var number, size int64
		for e := range walk.Entries(ctx) {
			if e.Meta.Kind != sources.Dir {
				number++
				size += e.Meta.Size
			}
		}
		if ctx.Err() == nil {
			pr.TotalFiles.Store(number)
			pr.TotalBytes.Store(size)
		}
	}
}

func nameOf(paths []string) string {
	if len(paths) == 1 {
		return paths[0]
	}
	return ui.Counted(len(paths), "path")
}

func (p *program) fileOptions(c *cli.Context) (o files.Options, err error) {
	o = files.Options{
		Paths: c.Args().Slice(), Excludes: c.StringSlice("exclude"), FoldedExcludes: c.StringSlice("iexclude"),
		ExcludeIfPresent: c.StringSlice("exclude-if-present"), ExcludeCaches: c.Bool("exclude-caches"), OneFileSystem: c.Bool("one-file-system"),
	}
	if size := c.String("exclude-larger-than"); size != "" {
		if o.ExcludeLargerThan, err = ui.ParseSize(size); err != nil {
			return o, usage(c, "--exclude-larger-than: %w", err)
		}
	}
	for _, file := range c.StringSlice("exclude-file") {
		list, err := p.readList(file, expandVariables)
		if err != nil {
			return o, usage(c, "--exclude-file: %w", err)
		}
		o.Excludes = append(o.Excludes, list...)
	}
	for _, file := range c.StringSlice("files-from") {
		list, err := p.readList(file, nil)
		if err != nil {
			return o, usage(c, "--files-from: %w", err)
		}
		o.FilesFrom = append(o.FilesFrom, list...)
	}
	p.skipOwn(&o)
	return o, nil
}

// readList reads the lines of a file, or of standard input for "-".
func (p *program) readList(file string, expand func(string) string) ([]string, error) {
	var in io.Reader = p.stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	return files.ReadList(text.Reader(in), expand)
}

// expandVariables replaces $NAME in an exclude pattern by what the environment
// says, and leaves what it does not know, such as $RECYCLE.BIN.
func expandVariables(line string) string {
	return os.Expand(line, func(name string) string {
		if value, ok := os.LookupEnv(name); ok {
			return value
		}
		return "$" + name
	})
}

// checkPaths fails when none of the given paths is there, and when one is the
// repository itself. That some are missing is a problem of the run.
func (p *program) checkPaths(paths []string) error {
	var missing error
	for _, path := range paths {
		if p.location != "" && inside(path, p.location) {
			return failed("Back up something else, or choose another repository with -r.", "%s is in the repository that it would be backed up to", path)
		}
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			missing = errors.Join(missing, fmt.Errorf("%s does not exist", path))
		} else {
			return nil
		}
	}
	if missing == nil {
		return nil
	}
	return failed("Check the paths; nothing was saved.", "back up: %w", missing)
}

// inside reports whether path is the folder dir or lies in it.
func inside(path, dir string) bool {
	realPath, err := filepath.EvalSymlinks(path)
	realDir, err2 := filepath.EvalSymlinks(dir)
	if err != nil || err2 != nil {
		return false
	}
	realPath, realDir = treePath(realPath), treePath(realDir)
	return realPath == realDir || strings.HasPrefix(realPath, strings.TrimSuffix(realDir, "/")+"/")
}

// skipOwn leaves the repository and its cache out of the backup: they change
// while it runs, and a backup of a backup grows without end.
func (p *program) skipOwn(o *files.Options) {
	_ = os.MkdirAll(p.cacheDir, 0o700) // it would be made during the walk; if it cannot be, there is none
	own := map[identity]bool{}
	for _, dir := range []string{p.location, p.cacheDir} {
		if id, ok := identify(dir); ok {
			own[id] = true
		}
	}
	o.Skip = func(m sources.Meta) bool { return own[identity{m.Device, m.Inode}] }
	o.Skipped = func(path string, why files.Reason) {
		if why == files.ByFolder {
			p.Remark("left out: %s, the repository or its cache", ui.Plain(path))
			return
		}
		p.Detail(2, "left out: %s (%s)", ui.Plain(path), why)
	}
}

// identity is what names a folder whatever path leads to it.
type identity struct{ device, inode uint64 }
