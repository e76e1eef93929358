package main

// dbKind is a kind of server with the ways to save its databases. The commands
// see BIN, REPO and WORK as those of tools do, and
//
//	DB   the database that is saved      URL     its address
//	NEW  the database to be restored to  TO      its address
//	                                     SOCKET  of a MariaDB server
type dbKind struct {
	name  string
	start func(work string) (dbServer, error)
	tools []tool
}

var (
	ourEnv    = []string{"CHARTKEEP_REPOSITORY=$REPO", "CHARTKEEP_PASSWORD=bench", "CHARTKEEP_CACHE_DIR=$WORK/cache"}
	resticEnv = []string{"RESTIC_REPOSITORY=$REPO", "RESTIC_PASSWORD=bench", "RESTIC_CACHE_DIR=$WORK/cache", "RESTIC_COMPRESSION=fastest"}
)

const (
	ours         = "chartkeep"
	throughPipe  = " | $BIN backup --stdin --stdin-filename dump"
	outOfPipe    = "$BIN dump latest dump | "
	mariadbLogin = " --no-defaults --socket=$SOCKET --user=root "
)

var dbKinds = []dbKind{
	{"postgresql", startPostgres, []tool{
		ourDatabaseTool,
		{
			name: "pg_dump -Fc + restic", version: "pg_dump --version && $BIN version", env: resticEnv, init: "$BIN init",
			backup:  `pg_dump -Fc -Z0 "$URL"` + throughPipe,
			restore: `psql -Xqc "CREATE DATABASE $NEW" "$URL" && ` + outOfPipe + `pg_restore --exit-on-error -d "$TO"`,
		},
		{
			name: "pg_dump + restic", version: "pg_dump --version && $BIN version", env: resticEnv, init: "$BIN init",
			backup:  `pg_dump "$URL"` + throughPipe,
			restore: `psql -Xqc "CREATE DATABASE $NEW" "$URL" && ` + outOfPipe + `psql -Xq -v ON_ERROR_STOP=1 "$TO" >/dev/null`,
		},
	}},
	{"mariadb", startMariaDB, []tool{
		ourDatabaseTool,
		{
			name: "mariadb-dump + restic", version: "mariadb-dump --version && $BIN version", env: resticEnv, init: "$BIN init",
			backup:  "mariadb-dump" + mariadbLogin + "--single-transaction --routines --events --triggers $DB" + throughPipe,
			restore: "mariadb" + mariadbLogin + `-e "CREATE DATABASE $NEW" && ` + outOfPipe + "mariadb" + mariadbLogin + "$NEW",
		},
		{
			name: "mydumper + restic", version: "mydumper --version && $BIN version", env: resticEnv, init: "$BIN init",
			backup: "rm -rf $WORK/dump && mydumper --socket $SOCKET --user root --database $DB --threads 2 --outputdir $WORK/dump && $BIN backup $WORK/dump",
			restore: "rm -rf $WORK/dump && $BIN restore latest --target / && " +
				"myloader --socket $SOCKET --user root --source-db $DB --database $NEW --threads 2 --directory $WORK/dump",
		},
	}},
}

var ourDatabaseTool = tool{
	name: ours, version: "$BIN version | head -1", env: ourEnv, init: "$BIN init",
	backup: `exec $BIN backup "$URL"`, restore: `exec $BIN restore-db latest --to "$TO" --create`,
}
