package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/urfave/cli/v2"

	"chartkeep/cmd/internal/archive"
	"chartkeep/cmd/internal/ui"
	"chartkeep/repo"
	"chartkeep/snapshot"
	"chartkeep/sources"
)

func (p *program) dumpCommand() *cli.Command {
	return &cli.Command{
		Name:      "dump",
		Usage:     "write a file's content, or a folder as an archive, to stdout",
		ArgsUsage: "SNAPSHOT:PATH",
		Description: `Writes the content of one file, or a folder as a tar or zip archive.

   chartkeep dump latest:/all.sql | mysql
   chartkeep dump latest:/srv/practice/letter.pdf -o letter.pdf
   chartkeep dump latest:/srv/practice -a zip -o practice.zip
   chartkeep dump latest:/soapware -a pg | pg_restore --create --dbname postgres
   chartkeep dump latest:/opendental -a sql | mariadb opendental_again

A table of a database is a file, too. A PostgreSQL database as a whole is, with
-a pg, an archive that pg_restore reads; a MariaDB or MySQL database is, with
-a sql, what the server's client reads into an empty database.`,
		Flags: append(filterFlags(),
			&cli.StringFlag{Name: "archive", Aliases: []string{"a"}, Usage: "archive `FORMAT` tar or zip (a folder is tar by default); pg or sql for a database"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE` instead of stdout"},
		),
		Action: p.dump,
	}
}

func (p *program) dump(c *cli.Context) error {
	arg, err := oneOrTwo(c)
	if err != nil {
		return err
	}
	format, err := dumpFormat(c)
	if err != nil {
		return err
	}
	if p.JSON {
		return usage(c, "dump writes content; --json has no place there")
	}
	return p.reading(c.Context, func(r *repo.Repository) error {
		at, err := p.place(c.Context, r, filterOf(c), arg)
		if err != nil {
			return err
		}
		if file := c.String("output"); file != "" {
			return p.dumpToFile(c.Context, r, at, format, file)
		}
		if p.ToTerminal() && (format != "" || at.node.Meta.Kind == sources.Dir) {
			return failed("Name a file with -o, or send it elsewhere with > or |.", "an archive is nothing for a terminal")
		}
		return p.dumpTo(c.Context, r, at, format, p.Bytes())
	})
}

// dumpFormat is the archive asked for, also by the output's name.
func dumpFormat(c *cli.Context) (archive.Format, error) {
	name := c.String("archive")
	if f := archive.Format(name); databaseFormats[f].write != nil {
		return f, nil
	}
	if name != "" {
		f, err := archive.Parse(name)
		if err != nil {
			return "", usage(c, "--archive: %w", err)
		}
		return f, nil
	}
	return "", nil
}

// dumpTo writes a file, or an archive, to w.
func (p *program) dumpTo(ctx context.Context, r *repo.Repository, at place, f archive.Format, w io.Writer) error {
	if write, ok := databaseFormats[f]; ok {
		return p.dumpDatabase(ctx, r, at, write, w)
	}
	entry := snapshot.Entry{Path: at.path, Node: at.node}
	kind := at.node.Meta.Kind
	if f == "" && kind == sources.Regular {
		return snapshot.Stream(ctx, r, alone(entry), func(snapshot.Entry) error { return nil }, w)
	}
	if f == "" && kind != sources.Dir {
		return failed("Use -a tar to keep it as what it is.", "%s is a %s and has no content", at.path, kind)
	}
	return archive.Write(ctx, r, entry, f, w, func(path, why string) { p.Warn("%s left out: %s", ui.Plain(path), why) })
}

func alone(e snapshot.Entry) iter.Seq2[snapshot.Entry, error] {
	return func(yield func(snapshot.Entry, error) bool) { yield(e, nil) }
}

// dumpToFile writes to a file beside the one that is wanted, and gives it its
// name when it is complete. What is there and no regular file, a device or a
// pipe, is written to as it is.
func (p *program) dumpToFile(ctx context.Context, r *repo.Repository, at place, f archive.Format, file string) (err error) {
	if is, err := os.Stat(file); err == nil && !is.Mode().IsRegular() {
		return p.dumpToDevice(ctx, r, at, f, file)
	}
	if f == "" && at.node.Meta.Kind == sources.Dir && strings.EqualFold(filepath.Ext(file), ".zip") {
		f = archive.Zip
	}
	out, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		return fmt.Errorf("dump to %s: %w", file, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, out.Close(), os.Remove(out.Name()))
		}
	}()
	w := &counter{w: out}
	state := func() ui.State { return ui.State{Bytes: w.n.Load(), TotalBytes: at.node.Meta.Size} }
	if err := p.During(state, func() error { return p.dumpTo(ctx, r, at, f, w) }); err != nil {
		return err
	}
	if err := errors.Join(out.Sync(), out.Close(), os.Rename(out.Name(), file)); err != nil {
		return fmt.Errorf("dump to %s: %w", file, err)
	}
	p.Remark("%s written, %s", file, ui.Size(w.n.Load()))
	return nil
}

func (p *program) dumpToDevice(ctx context.Context, r *repo.Repository, at place, f archive.Format, file string) error {
	out, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("dump to %s: %w", file, err)
	}
	return errors.Join(p.dumpTo(ctx, r, at, f, out), out.Close())
}

// counter counts what is written.
type counter struct {
	w io.Writer
	n atomic.Int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n.Add(int64(n))
	return n, err
}
