// Package postgres reads the databases of a PostgreSQL server, each as it was at
// one moment while work on it goes on, and brings them back.
//
// # What is saved
//
// A source named practice yields
//
//	/practice/database.json                      what the databases are: a Description
//	/practice/roles.sql                          roles and tablespaces, as pg_dumpall writes them
//	/practice/app/                               a database
//	/practice/app/blobs/20001                    a large object, by its number
//	/practice/app/blobs.tsv                      owner, rights and comment of each
//	/practice/app/definitions.dump               pg_dump's archive of all but rows
//	/practice/app/sequences.tsv                  schema, name, last value, whether it was used
//	/practice/app/tables/public.patient.copy     rows, as COPY writes text
//
// Names that no file may have are written as sources.FileName does. Rows are in
// the order of the primary key or of another unique index, so that a table that
// was rewritten as a whole is still the same file. Generated columns are not
// saved. What did not change has the same bytes as the night before: archives
// have no time in them, and the files' own times are not known.
//
// # One moment
//
//	list the tables
//	begin; lock the tables (ACCESS SHARE); export a snapshot
//	list again, and begin anew if tables came or went
//	pg_dump the definitions in the snapshot
//	read sequences, which are later than the snapshot or the same
//	for each table, some at a time: join the snapshot, COPY
//	commit
//
// The locks come before the snapshot. The other way round, a table that is
// emptied and filled between the two is empty in the copy: a TRUNCATE is seen by
// everybody at once, the rows that came after it only by later snapshots.
//
// Nobody waits for these locks but who wants to change a table's structure, and
// whoever comes after him to the same table. Such a statement can come between
// the moment and a helper that needs a lock of its own, and then all three wait
// for each other where the server cannot see it. While a moment begins, all locks
// are given back at once and it begins anew; later, the moment's own connection
// reads the table in the helper's place.
//
// # What is refused
//
// End returns an error, and then there is no backup, unless every file was read
// to its end, every program ended well, and each moment's connection lived until
// then, and with it its locks. Rows that a policy would hide are an error, and so
// are rows that an index has lost: tables read in an index's order are counted
// once more without it.
//
// # Coming back
//
// Restore makes a new database under a name of its own, and gives it the right
// one at the end:
//
//	pg_restore what rows need: schemas, types, tables
//	COPY all tables, several at a time, in whatever order
//	large objects, sequences
//	pg_restore what needs rows: keys, indexes, triggers, rules, views with data
//	pg_restore event triggers
//	owner, rights, settings and comment of the database; rename
//
// Nothing fires, and keys may go round in circles. Partitions whose bounds could
// lie elsewhere on another server, by hash or by a text's order, are loaded
// through the table that they are parts of.
//
// Scratch starts a server for an hour, to see whether a backup comes back:
//
//	s, err := postgres.Scratch(ctx, postgres.ScratchOptions{})
//	if err != nil {
//		return err
//	}
//	defer s.Stop()
//	report, err := postgres.Restore(ctx, postgres.RestoreOptions{
//		Saved: saved, URL: s.URL("app"), Create: true, Roles: true, NoTablespaces: true,
//	})
//
// # Passwords
//
// A connection's password comes from the address, from a function, or from where
// libpq would take it: service file, .pgpass, PGPASSWORD. Programs get it in their
// environment, which only their user can read, and never as an argument.
package postgres
