// Package mysql is a source of the databases of a MariaDB or MySQL server, hot
// and at one moment, and the sink that brings them back.
//
// # What is saved
//
// Below the source's folder, here practice, lie files that need nothing of ours
// to be read:
//
//	/practice/database.json              a Description: databases, tables, columns, keys
//	/practice/users.sql                  users and roles with their rights
//	/practice/shop/definitions.sql       the server's own dump program's: all but rows
//	/practice/shop/tables/patient.tsv    rows, as LOAD DATA … CHARACTER SET binary reads them
//	/practice/shop/tables/numbers.tsv    a sequence's state, as one row
//
// A table's rows are sorted by its primary key, so that tonight's file is last
// night's with the day's changes, and a file has no time: an unchanged table is
// an unchanged file. Bytes are as the server stores them, whatever the
// character set; a FLOAT is selected as a DOUBLE, since the server tells only
// six digits of it. Invisible columns are there, generated ones are not. A
// system-versioned table has its history. Names of databases and tables are
// made names of files by sources.FileName.
//
// # One moment
//
// All tables are of one moment, and the server goes on working:
//
//	list tables, columns, keys; connect what will be needed
//	BACKUP STAGE START, FLUSH, BLOCK_DDL           definitions stay; MyISAM and Aria are not written
//	    lock tables without transactions, each reader for itself
//	    list again: the same names
//	BACKUP STAGE BLOCK_COMMIT                      nobody commits, for milliseconds
//	    each reader: START TRANSACTION WITH CONSISTENT SNAPSHOT, touch every table
//	    note time, binary log, GTID
//	BACKUP STAGE END
//	dump definitions; list again: the same
//	read locked tables first, then unlock them
//
// Touching a table in the transaction holds its definition, so that a TRUNCATE
// waits for the end of the dump where it would break the reading. Tables that
// cannot be read from a snapshot (MyISAM, Aria, MEMORY, CSV) stay locked for
// writers until all of them were read; those of InnoDB are never locked. MySQL
// since 8.0 is held by LOCK INSTANCE FOR BACKUP and a short FLUSH TABLES WITH
// READ LOCK, older servers by the latter alone. Locks are waited for only
// briefly, and tried again. Definitions of tables that change all the time, or
// routines, make the source begin anew.
//
// # What is an error
//
// End is nil only if every listed table was read to its end, the dump program
// ended with status 0, and the connections that held the moment still hold it. A
// user who may not see all is refused before anything is read: the server would
// leave out what he may not see, and say nothing.
//
// # Back
//
// Restore makes the tables in a database of another name, loads them side by
// side, and moves them to their place with one RENAME TABLE, which moves all or
// none; then it makes routines, triggers, events and views. A failure takes back
// what was done. A value that the server would change is an error, also where
// LOAD DATA only warns. Scratch starts a server of one's own to try it on:
//
//	s, err := mysql.Scratch(ctx, mysql.ScratchOptions{})
//	defer s.Stop()
//	report, err := mysql.Restore(ctx, mysql.RestoreOptions{Saved: saved, URL: s.URL(""), Create: true})
package mysql
