package postgres

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/jackc/pgx/v5"

	"chartkeep/sources"
	"chartkeep/sources/entries"
)

// objectsQuery lists the large objects with what they have beside their bytes,
// in two kinds of lines:
//
//	object  oid  owner    whether its rights are the usual ones  comment
//	grant   oid  grantor  grantee (empty: everybody)  privilege  grantable
const objectsQuery = `COPY (
	SELECT item, oid, who, a, b, c FROM (
		SELECT m.oid::text COLLATE "C" AS oid, 0 AS place, 'object' AS item, pg_get_userbyid(m.lomowner)::text AS who,
			(m.lomacl IS NULL)::text AS a, obj_description(m.oid, 'pg_largeobject') AS b, NULL AS c
		FROM pg_largeobject_metadata m
		UNION ALL
		SELECT m.oid::text COLLATE "C", x.place, 'grant', pg_get_userbyid(x.grantor)::text,
			CASE WHEN x.grantee = 0 THEN '' ELSE pg_get_userbyid(x.grantee)::text END, x.privilege, x.grantable::text
		FROM pg_largeobject_metadata m, aclexplode(m.lomacl) WITH ORDINALITY x(grantor, grantee, privilege, grantable, place)
	) lines ORDER BY oid, place
) TO STDOUT`

// listObjects returns all large objects, in the order of their files' names.
func listObjects(ctx context.Context, conn *pgx.Conn) ([]uint32, error) {
	rows, err := conn.Query(ctx, `SELECT oid FROM pg_largeobject_metadata ORDER BY oid::text COLLATE "C"`)
	if err != nil {
		return nil, fmt.Errorf("list large objects: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[uint32])
}

// An objectFile is a large object being read.
type objectFile struct {
	dump   *dump
	moment *moment
	index  int

	worker *worker // nil: ended
	ahead  []byte
	offset int64 // of what was fetched
	last   bool  // nothing follows ahead
	read   int64
	end    error
}

func (d *dump) openObject(m *moment, index int) (sources.File, error) {
	w, err := d.pool.take(d.ctx, m)
	if err != nil {
		return nil, err
	}
	return &objectFile{dump: d, moment: m, index: index, worker: w}, nil
}

// objectStep is how much of a large object is fetched at a time, bytes.
const objectStep = 1 << 20

func (f *objectFile) Read(p []byte) (int, error) {
	for len(f.ahead) == 0 && f.end == nil {
		if f.last {
			f.end = io.EOF
			f.moment.seen.add(f.index, f.read)
			f.dump.pool.give(f.worker)
			f.worker = nil
		} else if err := f.fetch(); err != nil {
			f.end = fmt.Errorf("database %s, large object %d: %w", f.moment.Name, f.oid(), err)
			f.dump.pool.drop(f.worker)
			f.worker = nil
		}
	}
	n := copy(p, f.ahead)
	f.ahead = f.ahead[n:]
	f.read += int64(n)
	if n == 0 && len(p) > 0 {
		return 0, f.end
	}
	return n, nil
}

func (f *objectFile) oid() uint32 { return f.moment.objects[f.index] }

func (f *objectFile) fetch() error {
	sql := fmt.Sprintf("SELECT lo_get(%d, %d, %d)", f.oid(), f.offset, objectStep)
	r := f.worker.conn.PgConn().ExecParams(f.dump.ctx, sql, nil, nil, nil, []int16{1}).Read()
	if r.Err != nil {
		return r.Err
	}
	f.ahead = r.Rows[0][0]
	f.offset += int64(len(f.ahead))
	f.last = len(f.ahead) < objectStep
	return nil
}

// Meta returns the metadata with the number of bytes read so far.
func (f *objectFile) Meta() (sources.Meta, error) {
	m := entries.Meta()
	m.Size = f.read
	return m, nil
}

func (f *objectFile) Close() error {
	if f.worker != nil {
		f.end, f.ahead = os.ErrClosed, nil
		f.dump.pool.give(f.worker)
		f.worker = nil
	}
	return nil
}
