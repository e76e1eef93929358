package postgres

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"chartkeep/sources"
)

// WriteArchive writes a saved database as one archive in pg_dump's custom
// format, which pg_restore reads: the saved definitions, with tables' rows,
// sequences' values and large objects put in between. database may be empty
// when one was saved.
func WriteArchive(ctx context.Context, w io.Writer, saved sources.Restorable, database string) error {
	r := &restore{RestoreOptions: RestoreOptions{Saved: saved, Database: database}, sizes: map[string]int64{}}
	if err := r.choose(ctx); err != nil {
		return err
	}
	c := &composer{restore: r, out: w}
	if err := c.readTOC(ctx); err != nil {
		return err
	}
	if err := c.plan(ctx); err != nil {
		return err
	}
	if err := c.writeTOC(); err != nil {
		return err
	}
	for _, p := range c.parts {
		if err := p(ctx); err != nil {
			return err
		}
	}
	return nil
}

// A composer writes an archive.
type composer struct {
	*restore
	out   io.Writer
	toc   tocWriter
	parts []func(context.Context) error // each writes an entry's data
	count int                           // entries added
}

func (c *composer) readTOC(ctx context.Context) error {
	f, err := c.Saved.Open(ctx, c.at(definitionsFile))
	if err != nil {
		return err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	t, err := parseTOC(b)
	if err != nil {
		return fmt.Errorf("%s: %w", c.at(definitionsFile), err)
	}
	c.toc = tocWriter{toc: t}
	for _, e := range t.entries {
		c.toc.last = max(c.toc.last, e.id)
	}
	return nil
}

func (c *composer) add(a addition) int {
	c.count++
	return c.toc.add(a)
}

// plan adds an entry for everything that is to be put in.
func (c *composer) plan(ctx context.Context) error {
	if err := c.planObjects(ctx); err != nil {
		return err
	}
	tables := map[Place]int{}
	for _, e := range c.toc.entries {
		if e.kind == "TABLE" {
			tables[Place{Name(e.schema), Name(e.name)}] = e.id
		}
	}
	for i := range c.server.Tables {
		t := &c.server.Tables[i]
		into, mark := t.place(), ""
		if t.Root != nil { // the words by which pg_restore knows it
			into, mark = *t.Root, "-- load via partition root "+t.Root.sql()
		}
		columns := ""
		if len(t.Columns) > 0 {
			columns = " (" + quoteAll(t.columnNames()) + ")"
		}
		id := c.add(addition{kind: "TABLE DATA", schema: string(t.Schema), name: string(t.Name), section: sectionData, data: true,
			make: mark, copy: "COPY " + into.sql() + columns + " FROM stdin;\n", needs: tables[t.place()]})
		c.parts = append(c.parts, func(ctx context.Context) error { return c.rows(ctx, id, t) })
	}
	return c.planSequences(ctx)
}

func (c *composer) planSequences(ctx context.Context) error {
	f, err := c.Saved.Open(ctx, c.at(sequencesFile))
	if err != nil {
		return err
	}
	defer f.Close()
	for at, err := range sequences(f) {
		if err != nil {
			return err
		}
		c.add(addition{kind: "SEQUENCE SET", schema: string(at.Schema), name: string(at.Name), section: sectionData, make: at.statement() + ";\n"})
	}
	return nil
}

func (c *composer) planObjects(ctx context.Context) error {
	if !c.server.Objects {
		return nil
	}
	f, err := c.Saved.Open(ctx, c.at(objectsFile))
	if err != nil {
		return err
	}
	defer f.Close()
	var all []uint32
	for o, err := range objects(f) {
		if err != nil {
			return fmt.Errorf("%s: %w", objectsFile, err)
		}
		all = append(all, o.oid)
		name := fmt.Sprintf("LARGE OBJECT %d", o.oid)
		c.add(addition{kind: "BLOB", name: fmt.Sprint(o.oid), section: sectionPreData, owner: string(o.owner),
			make: fmt.Sprintf("SELECT pg_catalog.lo_create('%d');\n", o.oid), drop: fmt.Sprintf("SELECT pg_catalog.lo_unlink('%d');\n", o.oid)})
		if o.comment != nil {
			c.add(addition{kind: "COMMENT", name: name, section: sectionNone, owner: string(o.owner), make: "COMMENT ON " + name + " IS " + literal(*o.comment) + ";\n"})
		}
		if o.grants != nil {
			c.add(addition{kind: "ACL", name: name, section: sectionNone, owner: string(o.owner), make: strings.Join(grantStatements(name, o.owner, o.grants), ";\n") + ";\n"})
		}
	}
	id := c.add(addition{kind: "BLOBS", name: "BLOBS", section: sectionData, data: true})
	c.parts = append(c.parts, func(ctx context.Context) error { return c.objectsData(ctx, id, all) })
	return nil
}

// writeTOC writes the head, and the entries with those added before what needs
// the rows.
func (c *composer) writeTOC() error {
	t := c.toc.toc
	at := slices.IndexFunc(t.entries, func(e tocEntry) bool { return e.section == sectionPostData })
	if at < 0 {
		at = len(t.entries)
	}
	number := tocWriter{toc: t}
	number.int(len(t.entries) + c.count)
	var b bytes.Buffer
	b.Write(t.head)
	b.Write(number.b)
	for _, e := range t.entries[:at] {
		b.Write(e.bytes)
	}
	b.Write(c.toc.b)
	after := slices.Clone(t.entries[at:])
	slices.SortStableFunc(after, func(a, b tocEntry) int { return a.late() - b.late() })
	for _, e := range after {
		b.Write(e.bytes)
	}
	_, err := c.out.Write(b.Bytes())
	return err
}

// late is 1 for event triggers, which would fire while views are refreshed.
func (e *tocEntry) late() int {
	if e.kind == "EVENT TRIGGER" || strings.HasPrefix(e.name, "EVENT TRIGGER ") {
		return 1
	}
	return 0
}

// Kinds of blocks of data.
const (
	blockData    = 1
	blockObjects = 3
)

// ints writes integers as the archive has them.
func (c *composer) ints(block byte, all ...int) error {
	w := tocWriter{toc: c.toc.toc}
	if block != 0 {
		w.b = []byte{block}
	}
	for _, v := range all {
		w.int(v)
	}
	_, err := c.out.Write(w.b)
	return err
}

// rows writes a table's data: pieces with their lengths, and a length of zero.
func (c *composer) rows(ctx context.Context, id int, t *Table) error {
	if err := c.ints(blockData, id); err != nil {
		return err
	}
	f, err := c.Saved.Open(ctx, c.at(path.Join(tablesFolder, t.File)))
	if err != nil {
		return err
	}
	defer f.Close()
	const end = "\\.\n\n\n" // as pg_dump ends a table's rows
	return c.pieces(io.MultiReader(f, strings.NewReader(end)))
}

func (c *composer) pieces(in io.Reader) error {
	buf := make([]byte, readAhead)
	for {
		n, err := io.ReadFull(in, buf)
		if n > 0 {
			if err := c.ints(0, n); err != nil {
				return err
			}
			if _, err := c.out.Write(buf[:n]); err != nil {
				return err
			}
		}
		switch err {
		case nil:
		case io.EOF, io.ErrUnexpectedEOF:
			return c.ints(0, 0)
		default:
			return err
		}
	}
}

// objectsData writes the large objects, each after its number.
func (c *composer) objectsData(ctx context.Context, id int, all []uint32) error {
	if err := c.ints(blockObjects, id); err != nil {
		return err
	}
	for _, oid := range all {
		if err := c.objectNumber(oid); err != nil {
			return err
		}
		f, err := c.Saved.Open(ctx, c.at(fmt.Sprintf("%s/%d", objectsFolder, oid)))
		if err != nil {
			return err
		}
		err = c.pieces(f)
		if err := f.Close(); err != nil {
			return err
		}
		if err != nil {
			return fmt.Errorf("large object %d: %w", oid, err)
		}
	}
	return c.ints(0, 0)
}

// objectNumber writes a large object's number as pg_dump does, whose integers
// have a sign: those above 2^31 are negative.
func (c *composer) objectNumber(oid uint32) error {
	return c.ints(0, int(int32(oid)))
}
