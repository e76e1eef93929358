package postgres

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"path"
	"sync"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// load fills the tables, several at a time, then large objects and sequences.
func (r *restore) load(ctx context.Context, name string) error {
	r.step("rows")
	tables := make(chan *Table)
	g, all := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(tables)
		for _, t := range r.biggestFirst() {
			select {
			case tables <- t:
			case <-all.Done():
				return nil
			}
		}
		return nil
	})
	for range r.Workers {
		g.Go(func() error { return r.loadTables(all, name, tables) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	r.step("large objects")
	if err := r.loadObjects(ctx, name); err != nil {
		return err
	}
	conn, err := r.address.connect(ctx, name)
	if err != nil {
		return err
	}
	defer hangUp(conn)
	return r.setSequences(ctx, conn)
}

func (r *restore) loadTables(ctx context.Context, name string, tables <-chan *Table) error {
	conn, err := r.address.connect(ctx, name)
	if err != nil {
		return err
	}
	defer hangUp(conn)
	_ = execute(ctx, conn, "SET session_replication_role = replica") // an extension's tables may have triggers; only a superuser may
	for t := range tables {
		if err := r.loadFresh(ctx, conn, t); err != nil {
			return fmt.Errorf("table %s: %w", t.place(), err)
		}
	}
	return nil
}

// loadFresh fills a table that was just made. Emptying it once more in the same
// transaction lets the server write the rows as it would after a VACUUM, and
// without its log where it is set up so.
func (r *restore) loadFresh(ctx context.Context, conn *pgx.Conn, t *Table) error {
	if t.Root != nil {
		return r.copyIn(ctx, conn, t, t.Root.sql(), "")
	}
	if t.Config {
		return r.copyIn(ctx, conn, t, t.place().sql(), "")
	}
	if err := execute(ctx, conn, "BEGIN; TRUNCATE ONLY "+t.place().sql()); err != nil {
		return err
	}
	if err := r.copyIn(ctx, conn, t, t.place().sql(), "FREEZE, "); err != nil {
		return err
	}
	return execute(ctx, conn, "COMMIT")
}

// copyIn sends a table's file to the server.
func (r *restore) copyIn(ctx context.Context, conn *pgx.Conn, t *Table, into, options string) error {
	file, err := r.Saved.Open(ctx, r.at(path.Join(tablesFolder, t.File)))
	if err != nil {
		return err
	}
	defer file.Close()
	columns := ""
	if len(t.Columns) > 0 {
		columns = "(" + quoteAll(t.columnNames()) + ")"
	}
	in := &rowReader{in: file, hash: sha256.New(), each: func(n int) {
		r.tell(func(p *Progress) { p.Table, p.Done = t.place().String(), p.Done+int64(n) })
	}}
	tag, err := conn.PgConn().CopyFrom(ctx, in, fmt.Sprintf("COPY %s %s FROM STDIN (%sENCODING %s)", into, columns, options, literal(r.server.Encoding)))
	in.end()
	switch {
	case in.failure != nil:
		return in.failure
	case err != nil:
		return err
	case tag.RowsAffected() != in.count.Rows:
		return fmt.Errorf("%w: %d rows of %d were loaded", ErrDiffers, tag.RowsAffected(), in.count.Rows)
	}
	return r.loaded(t, in.count)
}

// A rowReader counts the rows that pass through it. Of a connection that ends
// early the driver says so while it may still be reading.
type rowReader struct {
	in   io.Reader
	each func(n int)

	reading sync.Mutex // for what follows, until end
	ended   bool

	hash    hash.Hash // of the row that has begun
	begun   bool
	count   Count
	failure error // of in
}

func (r *rowReader) Read(p []byte) (int, error) {
	r.reading.Lock()
	defer r.reading.Unlock()
	if r.ended {
		return 0, io.ErrClosedPipe
	}
	n, err := r.in.Read(p)
	rest := p[:n]
	for len(rest) > 0 {
		at := bytes.IndexByte(rest, '\n')
		if at < 0 {
			r.hash.Write(rest)
			r.begun = true
			break
		}
		r.hash.Write(rest[:at+1])
		r.count.addSum(r.hash.Sum(nil))
		r.hash.Reset()
		r.begun = false
		rest = rest[at+1:]
	}
	r.count.Bytes += int64(n)
	if err == io.EOF && r.begun {
		err = fmt.Errorf("%w: the last row is cut off", ErrDiffers)
	}
	if err != nil && err != io.EOF {
		r.failure = err
	}
	r.each(n)
	return n, err
}

// end waits for the read that is under way. There is none after it.
func (r *rowReader) end() {
	r.reading.Lock()
	defer r.reading.Unlock()
	r.ended = true
}
