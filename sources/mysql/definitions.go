package mysql

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"
)

// programTimeout bounds a run of the dump program.
const programTimeout = 15 * time.Minute

// dumpDefinitions returns the definitions of each database, in the words of the
// server's own dump program: statements that its client reads.
func dumpDefinitions(ctx context.Context, program string, l login, s server, desc *Description) ([][]byte, error) {
	all := make([][]byte, len(desc.Databases))
	err := withLogin(l, func(file string) error {
		for i := range desc.Databases {
			name := desc.Databases[i].Name
			ctx, cancel := context.WithTimeout(ctx, programTimeout)
			out, err := run(ctx, program, dumpArgs(file, s, name)...)
			cancel()
			if err != nil {
				return fmt.Errorf("definitions of database %s: %w", name, err)
			}
			if all[i], err = steady(out); err != nil {
				return fmt.Errorf("definitions of database %s: %w", name, err)
			}
		}
		return nil
	})
	return all, err
}

// dumpArgs are the program's arguments. It must not lock tables: a lock would
// queue behind a definition's change that waits for us.
func dumpArgs(file string, s server, database string) []string {
	args := []string{
		"--defaults-file=" + file, "--no-data", "--routines", "--events", "--triggers",
		"--skip-lock-tables", "--skip-add-locks", "--skip-add-drop-table", "--skip-comments", "--skip-dump-date",
		"--default-character-set=utf8mb4", "--no-tablespaces",
	}
	if !s.maria {
		args = append(args, "--set-gtid-purged=OFF")
		if s.since(8, 0) {
			args = append(args, "--column-statistics=0")
		}
	}
	return append(args, "--", database)
}

// steady takes out what says nothing of the definitions: the line that switches
// MariaDB's client to its sandbox, which other clients do not understand, and
// the sequences' values, which are rows. Both stand before all code: a line of a
// procedure is never taken for them.
func steady(dump []byte) ([]byte, error) {
	if len(bytes.TrimSpace(dump)) == 0 {
		return nil, errors.New("the dump program wrote nothing")
	}
	var out bytes.Buffer
	first, code := true, false
	for line := range bytes.Lines(dump) {
		code = code || bytes.HasPrefix(line, []byte("DELIMITER"))
		sandbox := first && bytes.HasPrefix(line, []byte("/*M!999999"))
		value := !code && (bytes.HasPrefix(line, []byte("DO SETVAL(")) || bytes.HasPrefix(line, []byte("SELECT SETVAL(")))
		if !sandbox && !value {
			out.Write(line)
		}
		first = false
	}
	return out.Bytes(), nil
}
