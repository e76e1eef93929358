package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"chartkeep/repo"
	"chartkeep/repo/storage/local"
	"chartkeep/snapshot"
	"chartkeep/sources/files"
)

// A history is nights of backups of one folder that changes every day. They are
// made with the packages and not with the command, which would take a quarter of a
// second each time to derive the key from the password.
type history struct {
	l     *lab
	rows  uint64
	words int // files of text that there are on the first night; each night brings one, and changes one

	t    *table
	lot  *rand.Rand
	made int
}

func (l *lab) history(rows uint64, words int) *history {
	return &history{l: l, rows: rows, words: words}
}

func (h *history) folder() string { return filepath.Join(h.l.kept, "practice") }

// firstNight is when a history begins.
var firstNight = time.Date(2016, time.January, 4, 19, 30, 0, 0, time.UTC)

// day brings the folder to what it is on a day, from any earlier one.
func (h *history) day(n int) error {
	if h.t == nil || n < h.made {
		h.t, h.made = newTable(h.l.o.seed, h.l.o.pattern, h.rows), -1
		h.lot = rand.New(rand.NewPCG(h.l.o.seed, 99))
	}
	for h.made < n {
		h.made++
		if h.made > 0 {
			h.t.change(h.lot, h.l.o.changed/100)
			// A practice's table grows by a few percent a year, not by half a percent a day.
			h.t.rows = h.rows + h.rows*uint64(h.made)/10_000
		}
	}
	if err := h.letters(n); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(h.folder(), "dump.sql"))
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(f, h.t.reader())
	return err
}

// letters writes what is missing of the files; the last day's one of the old is
// changed.
func (h *history) letters(n int) error {
	for i := range h.words + n {
		name := filepath.Join(h.folder(), fmt.Sprintf("%02d", i%50), fmt.Sprintf("%06d.rtf", i))
		version := 0
		if i == n*7919%h.words {
			version = n
		} else if _, err := os.Lstat(name); err == nil {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, letter(rand.New(rand.NewPCG(h.l.o.seed+uint64(version), uint64(i)))), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// save adds the nights from one up to another to the lab's repository.
func (h *history) save(ctx context.Context, from, to int) error {
	st, err := local.New(h.l.repository())
	if err != nil {
		return err
	}
	r, err := repo.Open(ctx, st, []byte("bench"), repo.Options{CacheDir: filepath.Join(h.l.work, "cache")})
	if err != nil {
		return err
	}
	defer r.Close()
	all, _, err := snapshot.All(ctx, r)
	if err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	last := snapshot.Last(all, host)
	for n := from; n < to; n++ {
		if err := h.day(n); err != nil {
			return err
		}
		if last, err = h.night(ctx, r, n, host, last); err != nil {
			return err
		}
	}
	return nil
}

// night saves the folder as it is.
func (h *history) night(ctx context.Context, r *repo.Repository, n int, host string, last *snapshot.Snapshot) (*snapshot.Snapshot, error) {
	w, err := r.NewWriter(ctx, repo.WriterOptions{})
	if err != nil {
		return nil, err
	}
	defer w.Abort()
	src, err := files.New(files.Options{Paths: []string{h.folder()}})
	if err != nil {
		return nil, err
	}
	s := &snapshot.Snapshot{Host: host, User: "root", Paths: []string{h.folder()}, Complete: true, Time: firstNight.AddDate(0, 0, n)}
	var o snapshot.SaveOptions
	if last != nil {
		o.Parent, s.Parent, s.Previous, s.Sequence = &last.Root, last.ID, last.ID, last.Sequence+1
	}
	root, sum, err := snapshot.Save(ctx, r, w, src, o)
	if err != nil {
		return nil, err
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	s.Root, s.Summary = *root, sum
	return s, s.Put(ctx, w)
}
