package postgres

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// sequencesQuery lists the sequences whose values are saved.
const sequencesQuery = `SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
	AND (EXISTS (SELECT FROM pg_extension e WHERE c.oid = ANY (e.extconfig))
		OR NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))
	ORDER BY 1, 2`

// readSequences returns a line for each of the moment's sequences: schema, name,
// last value, whether it was used. It reads them later than the moment, on a
// connection of its own: sequences know no transactions, and a later value is
// the safe side. Without a transaction, locks do not pile up.
func (d *dump) readSequences(ctx context.Context, m *moment) ([]byte, error) {
	rows, err := m.conn.Query(ctx, sequencesQuery)
	if err != nil {
		return nil, fmt.Errorf("list sequences: %w", err)
	}
	places, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p Place, err error) {
		return p, row.Scan((*string)(&p.Schema), (*string)(&p.Name))
	})
	if err != nil || len(places) == 0 {
		return nil, err
	}
	conn, err := d.address.connect(ctx, string(m.Name))
	if err != nil {
		return nil, err
	}
	defer hangUp(conn)
	var out bytes.Buffer
	for part := range slices.Chunk(places, 200) {
		if _, err := conn.PgConn().CopyTo(ctx, &out, valuesOf(part)); err != nil {
			return nil, fmt.Errorf("read sequences: %w", err)
		}
	}
	return out.Bytes(), nil
}

// valuesOf is the statement that reads sequences, in their order.
func valuesOf(places []Place) string {
	var parts []string
	for i, p := range places {
		parts = append(parts, fmt.Sprintf("SELECT %d, %s, %s, last_value, is_called FROM %s", i, literal(string(p.Schema)), literal(string(p.Name)), p.sql()))
	}
	return "COPY (SELECT schema, name, value, called FROM (" + strings.Join(parts, " UNION ALL ") +
		") s(place, schema, name, value, called) ORDER BY place) TO STDOUT"
}
