package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// tablesQuery lists the tables whose rows are saved: ordinary ones, partitions
// among them, and those that an extension has marked as its configuration.
// Partitioned tables have no rows and are listed to be locked.
//
// The key is the primary key, or else a unique index that has every row.
// A partition is loaded through the topmost table when its bounds may fall
// elsewhere on another server: by hash (of an enum's numbers, for one), or by a
// text's order. Names in arrays are bytes: the driver would take an array's text
// for UTF-8.
const tablesQuery = `
WITH RECURSIVE up AS (
	SELECT i.inhrelid AS leaf, i.inhparent AS parent, 1 AS depth FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relispartition
	UNION ALL
	SELECT up.leaf, i.inhparent, up.depth + 1 FROM up JOIN pg_class c ON c.oid = up.parent AND c.relispartition JOIN pg_inherits i ON i.inhrelid = up.parent
), roots AS (
	SELECT up.leaf, (array_agg(up.parent ORDER BY up.depth DESC))[1] AS root,
		bool_or(p.partstrat = 'h' OR EXISTS (SELECT FROM unnest(p.partcollation::oid[]) x WHERE x <> 0)) AS moves
	FROM up JOIN pg_partitioned_table p ON p.partrelid = up.parent GROUP BY up.leaf
), config AS (
	SELECT unnest(extconfig) AS oid, unnest(extcondition) AS condition FROM pg_extension
)
SELECT c.oid, n.nspname, c.relname, c.relkind = 'p', config.oid IS NOT NULL, coalesce(config.condition, ''),
	rn.nspname, rc.relname,
	coalesce(col.names, '{}'), coalesce(col.types, '{}'), coalesce(col.filled, '{}'), coalesce(key.columns, '{}')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	LEFT JOIN config ON config.oid = c.oid
	LEFT JOIN roots ON roots.leaf = c.oid AND roots.moves
	LEFT JOIN pg_class rc ON rc.oid = roots.root LEFT JOIN pg_namespace rn ON rn.oid = rc.relnamespace
	LEFT JOIN LATERAL (
		SELECT array_agg(convert_to(a.attname, pg_client_encoding()) ORDER BY a.attnum) AS names,
			array_agg(convert_to(format_type(a.atttypid, a.atttypmod), pg_client_encoding()) ORDER BY a.attnum) AS types, array_agg(a.attnotnull ORDER BY a.attnum) AS filled
		FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
	) col ON true
	LEFT JOIN LATERAL (
		SELECT array_agg(convert_to(a.attname, pg_client_encoding()) ORDER BY k.place) AS columns
		FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, place)
			JOIN pg_class ic ON ic.oid = i.indexrelid JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
		WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND k.place <= i.indnkeyatts
		GROUP BY i.indisprimary, ic.relname HAVING bool_and(a.attnotnull)
		ORDER BY i.indisprimary DESC, ic.relname LIMIT 1
	) key ON true
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
	AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
	AND (config.oid IS NOT NULL OR NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))
ORDER BY c.oid`

// A listed table is one to be locked; partitioned ones hold no rows.
type listed struct {
	Table
	partitioned bool
}

// listTables lists the tables of a connection's database.
func listTables(ctx context.Context, conn *pgx.Conn) ([]listed, error) {
	rows, err := conn.Query(ctx, tablesQuery)
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	all, err := pgx.CollectRows(rows, scanTable)
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	return all, nil
}

func scanTable(row pgx.CollectableRow) (listed, error) {
	var l listed
	var rootSchema, root *string
	var names, types, key [][]byte
	var filled []bool
	err := row.Scan(&l.oid, (*string)(&l.Schema), (*string)(&l.Name), &l.partitioned, &l.Config, &l.condition,
		&rootSchema, &root, &names, &types, &filled, &key)
	if err != nil {
		return l, err
	}
	if root != nil {
		l.Root = &Place{Name(*rootSchema), Name(*root)}
	}
	for _, k := range key {
		l.Key = append(l.Key, Name(k))
	}
	for i := range names {
		l.Columns = append(l.Columns, Column{Name(names[i]), Name(types[i]), filled[i]})
	}
	l.File = tableFile(l.Schema, l.Name)
	return l, nil
}

// describe tells what a database is beside its tables.
func describe(ctx context.Context, conn *pgx.Conn, version int) (d Database, err error) {
	restricted := false
	var comment *string
	row := conn.QueryRow(ctx, `SELECT d.datname, pg_get_userbyid(d.datdba), pg_encoding_to_char(d.encoding), d.datcollate, d.datctype, `+
		localeColumns(version)+`, shobj_description(d.oid, 'pg_database'), d.datconnlimit, d.datacl IS NOT NULL
		FROM pg_database d WHERE d.datname = current_database()`)
	err = row.Scan((*string)(&d.Name), (*string)(&d.Owner), &d.Encoding, &d.Collate, &d.CType,
		&d.Provider, &d.Locale, &d.Rules, &d.Collations, &comment, &d.Connections, &restricted)
	d.Comment = (*Name)(comment)
	if err == nil {
		d.Grants, err = databaseGrants(ctx, conn)
	}
	if restricted && d.Grants == nil {
		d.Grants = []Grant{}
	}
	if err == nil {
		d.Settings, err = databaseSettings(ctx, conn)
	}
	if err == nil {
		d.Extensions, err = extensions(ctx, conn)
	}
	if err != nil {
		return d, fmt.Errorf("describe the database: %w", err)
	}
	d.Folder = folder(d.Name)
	return d, nil
}

// localeColumns are provider, locale, rules and version of a database's
// collation; each came with another version of the server.
func localeColumns(version int) string {
	provider, locale, rules, collation := "''", "''", "''", "''"
	if version >= 150000 {
		provider = "CASE d.datlocprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END"
		locale = "coalesce(d.daticulocale, '')"
		collation = "coalesce(pg_database_collation_actual_version(d.oid), '')"
	}
	if version >= 160000 {
		rules = "coalesce(d.daticurules, '')"
	}
	if version >= 170000 {
		locale = "coalesce(d.datlocale, '')"
	}
	return provider + ", " + locale + ", " + rules + ", " + collation
}

func databaseGrants(ctx context.Context, conn *pgx.Conn) ([]Grant, error) {
	rows, err := conn.Query(ctx, `SELECT pg_get_userbyid(x.grantor), CASE WHEN x.grantee = 0 THEN '' ELSE pg_get_userbyid(x.grantee) END, x.privilege, x.grantable
		FROM pg_database d, aclexplode(d.datacl) WITH ORDINALITY x(grantor, grantee, privilege, grantable, place)
		WHERE d.datname = current_database() ORDER BY x.place`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (g Grant, err error) {
		return g, row.Scan((*string)(&g.Grantor), (*string)(&g.Grantee), &g.Privilege, &g.Grantable)
	})
}

func databaseSettings(ctx context.Context, conn *pgx.Conn) ([]Setting, error) {
	rows, err := conn.Query(ctx, `SELECT coalesce(r.rolname, ''), split_part(c.item, '=', 1), substr(c.item, strpos(c.item, '=') + 1)
		FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase LEFT JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) WITH ORDINALITY c(item, place)
		WHERE d.datname = current_database() ORDER BY 1, c.place`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (s Setting, err error) {
		return s, row.Scan((*string)(&s.Role), &s.Name, (*string)(&s.Value))
	})
}

func extensions(ctx context.Context, conn *pgx.Conn) ([]Extension, error) {
	rows, err := conn.Query(ctx, `SELECT extname, extversion FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY extname`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (e Extension, err error) {
		return e, row.Scan((*string)(&e.Name), &e.Version)
	})
}
