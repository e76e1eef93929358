package mysql

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"
)

// programTimeout bounds a run of the dump program.
const programTimeout = 15 * time.Minute

// A definer runs the server's own dump program for definitions.
type definer struct {
	program string
	login   login
	server  server
}

// dump returns the definitions of a database in the words of the program:
// statements that the server's client reads. names are tables and views.
//
// They are named so that the program asks for nothing else: a table that came
// later may be locked by a change that waits for us.
func (f definer) dump(ctx context.Context, database string, names []string) (all []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, programTimeout)
	defer cancel()
	err = withLogin(f.login, func(file string) error {
		out, err := run(ctx, f.program, f.args(file, database, names)...)
		if err == nil {
			all, err = steady(out)
		}
		if err == nil && len(names) == 0 && bytes.Contains(all, []byte("\nCREATE TABLE")) {
			err = errMoved
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("definitions of database %s: %w", database, err)
	}
	return all, nil
}

// args are the program's arguments. It must not lock tables: a lock would queue
// behind a definition's change that waits for us.
func (f definer) args(file, database string, names []string) []string {
	args := []string{
		"--defaults-file=" + file, "--no-data", "--routines", "--events", "--triggers",
		"--skip-lock-tables", "--skip-add-locks", "--skip-add-drop-table", "--skip-comments", "--skip-dump-date",
		"--default-character-set=utf8mb4", "--no-tablespaces",
	}
	if !f.server.maria {
		args = append(args, "--set-gtid-purged=OFF")
		if f.server.dictionary() {
			args = append(args, "--column-statistics=0")
		}
	}
	args = append(args, "--", database)
	if length := len(strings.Join(names, "   ")); length < longestArgs() {
		args = append(args, names...)
	}
	return args
}

// longestArgs is how long a command line may be here, bytes; the rest of it is
// shorter than a thousand.
func longestArgs() int {
	if runtime.GOOS == "windows" {
		return 30_000
	}
	return 120_000
}

// steady takes out what says nothing of the definitions: the line that switches
// MariaDB's client to its sandbox, which other clients do not understand, and
// the sequences' values, which are rows. A line of a procedure, which stands
// between two DELIMITER lines, is never taken for them.
func steady(dump []byte) ([]byte, error) {
	if len(bytes.TrimSpace(dump)) == 0 {
		return nil, errors.New("the dump program wrote nothing")
	}
	var out bytes.Buffer
	first, code := true, false
	for line := range bytes.Lines(dump) {
		if d, ok := bytes.CutPrefix(line, []byte("DELIMITER ")); ok {
			code = string(bytes.TrimSpace(d)) != ";"
		}
		sandbox := first && bytes.HasPrefix(line, []byte("/*M!999999"))
		value := !code && (bytes.HasPrefix(line, []byte("DO SETVAL(")) || bytes.HasPrefix(line, []byte("SELECT SETVAL(")))
		if !sandbox && !value {
			out.Write(line)
		}
		first = false
	}
	return out.Bytes(), nil
}

// errStuck says that the dump program waits for a change of a definition, which
// waits for us. The server does not see such a circle.
var errStuck = errors.New("a change of a definition is in the way")

// watched runs do and ends it when it gets stuck.
func (h *hold) watched(ctx context.Context, timeout time.Duration, do func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { h.watch(ctx, timeout, done, cancel) })
	err := do(ctx)
	close(done)
	wg.Wait()
	cancel(nil)
	return err
}

// watch looks for a connection of ours that waits for a definition.
func (h *hold) watch(ctx context.Context, timeout time.Duration, done <-chan struct{}, cancel func(error)) {
	query := fmt.Sprintf("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting for %% lock' AND TIME>=%d"+
		" AND USER=SUBSTRING_INDEX(USER(),'@',1) AND (INFO LIKE 'SHOW %%' OR INFO LIKE '%%information_schema%%')", max(1, int(timeout.Seconds())))
	for {
		select {
		case <-time.After(200 * time.Millisecond):
		case <-done:
			return
		case <-ctx.Done():
			return
		}
		v, err := h.block.by.row(ctx, query)
		if err != nil || v[0] != "0" {
			cancel(cmp.Or(err, errStuck))
			return
		}
	}
}
