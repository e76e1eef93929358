package mysql

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"chartkeep/sources"
)

// loadTables writes all rows, the longest tables first.
func (r *restore) loadTables(ctx context.Context, into string) error {
	var todo []*Table
	for _, t := range r.tables {
		if t.File != "" {
			todo = append(todo, t)
			r.progress.Total += r.sizes[tablesFolder+"/"+t.File]
		}
	}
	slices.SortStableFunc(todo, func(a, b *Table) int {
		return cmp.Compare(r.sizes[tablesFolder+"/"+b.File], r.sizes[tablesFolder+"/"+a.File])
	})
	next := make(chan *Table, len(todo))
	for _, t := range todo {
		next <- t
	}
	close(next)
	g, ctx := errgroup.WithContext(ctx)
	for range min(r.Workers, len(todo)) {
		g.Go(func() error { return r.worker(ctx, into, next) })
	}
	return g.Wait()
}

// worker loads tables with a connection of its own.
func (r *restore) worker(ctx context.Context, into string, next <-chan *Table) error {
	s, err := r.login.connect(ctx, loadingSession())
	if err != nil {
		return err
	}
	defer s.close()
	for t := range next {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := r.loadTable(ctx, s, into, t); err != nil {
			return fmt.Errorf("table %s: %w", t.Name, err)
		}
	}
	return nil
}

func (r *restore) loadTable(ctx context.Context, s *session, into string, t *Table) error {
	f, err := r.Saved.Open(ctx, r.saved.path(t))
	if err != nil {
		return err
	}
	defer f.Close()
	var keys string
	if !r.DataOnly && r.sizes[tablesFolder+"/"+t.File] >= lateKeysFrom {
		if keys, err = r.takeKeys(ctx, into, t); err != nil {
			return err
		}
	}
	rows := &lineCounter{r: f, progress: func(n int) { r.advance("rows", t.Name, n) }}
	l := load{session: s, server: r.server, into: into, table: t, rows: rows, packet: r.packet}
	if err := l.run(ctx, r.inserts); err != nil {
		return err
	}
	if keys != "" {
		r.advance("keys", t.Name, 0)
		if err := r.makeKeys(ctx, into, keys); err != nil {
			return err
		}
	}
	return r.count(t, rows.count())
}

// count notes what was loaded into a table, and compares.
func (r *restore) count(t *Table, c sources.Count) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	name := strings.TrimSuffix(t.File, extension)
	r.report.Counts[name] = c
	r.report.Rows += c.Rows
	r.report.Bytes += c.Bytes
	if want, ok := r.Counts[name]; r.Counts != nil && (!ok || want != c) {
		return fmt.Errorf("%w: %d rows and %d bytes with digest %s, and it was %d, %d and %s", ErrDiffers, c.Rows, c.Bytes, c.Digest, want.Rows, want.Bytes, want.Digest)
	}
	return nil
}

// advance tells how far the restore is.
func (r *restore) advance(step, table string, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.progress.Step, r.progress.Table = step, table
	r.progress.Done += int64(n)
	if r.Progress != nil {
		r.Progress(r.progress)
	}
}
