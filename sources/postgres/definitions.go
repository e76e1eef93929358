package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// errStuck says that pg_dump waited for a statement that waited for the moment.
var errStuck = errors.New("a statement that changes a table stood between the moment and pg_dump")

// dumpDefinitions returns pg_dump's archive of everything but rows, sequences'
// values and large objects, as of the moment's snapshot.
func (d *dump) dumpDefinitions(ctx context.Context, m *moment, database string) ([]byte, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	name := "chartkeep pg_dump " + random()
	watch, err := d.watchDump(ctx, m, database, name, cancel)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = d.programs.run(ctx, d.address, &out, "pg_dump", "--format=custom", "--compress=0",
		"--section=pre-data", "--section=post-data", "-B", "--no-password", "--snapshot="+m.snapshot,
		fmt.Sprintf("--lock-wait-timeout=%d", d.lockTimeout/time.Millisecond), "--dbname="+d.address.named(database, name))
	cancel(nil)
	watch()
	var failed *ProgramError
	if errors.As(err, &failed) && strings.Contains(failed.Said, "max_locks_per_transaction") {
		return nil, fmt.Errorf("%w: %w", ErrLockTable, failed.Err)
	}
	if err != nil {
		return nil, err
	}
	return out.Bytes(), clearTime(out.Bytes())
}

// lookInterval is how often a waiting pg_dump is looked for.
const lookInterval = 20 * time.Millisecond

// watchDump ends pg_dump when it waits for a statement that waits for the
// moment's locks. The server does not know that the moment waits for pg_dump, and
// so sees no deadlock; and as long as it lasts, writers wait as well. The returned
// function waits for the watch's end, which is ctx's.
func (d *dump) watchDump(ctx context.Context, m *moment, database, name string, stuck context.CancelCauseFunc) (wait func(), err error) {
	conn, err := d.address.connect(ctx, database)
	if err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer hangUp(conn)
		for {
			select {
			case <-time.After(lookInterval):
			case <-ctx.Done():
				return
			}
			waits := false
			err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_stat_activity a, unnest(pg_blocking_pids(a.pid)) b
				WHERE a.application_name = $1 AND a.wait_event_type = 'Lock' AND $2::int = ANY (pg_blocking_pids(b)))`,
				name, int32(m.conn.PgConn().PID())).Scan(&waits)
			if err != nil {
				return // pg_dump's own timeout is left
			}
			if waits {
				stuck(errStuck)
				return
			}
		}
	}()
	return func() { <-ended }, nil
}

// errArchive says that pg_dump wrote what is not known here.
var errArchive = errors.New("pg_dump wrote an archive of a format that is not known")

// clearTime sets the time in an archive's head to the first of January 2000,
// so that the same definitions are the same bytes:
//
//	"PGDMP" ‖ version, 3 ‖ size of an integer, 1 ‖ size of an offset, 1 ‖ format, 1 ‖
//	compression: an integer before 1.15, then 1 byte ‖
//	seconds ‖ minutes ‖ hours ‖ day ‖ month, from 0 ‖ year, from 1900 ‖ summer time ‖ …
//
// An integer is a byte for the sign, and its bytes, the lowest first.
// (WriteHead in pg_backup_archiver.c)
func clearTime(archive []byte) error {
	const head = 11
	if len(archive) < head || string(archive[:5]) != "PGDMP" || archive[5] != 1 || archive[6] < 13 || archive[10] != 1 {
		return errArchive
	}
	size := int(archive[8])
	at := head + 1 + size
	if archive[6] >= 15 {
		at = head + 1
	}
	if size < 2 || size > 8 || len(archive) < at+7*(1+size) {
		return errArchive
	}
	for _, v := range []byte{0, 0, 0, 1, 0, 100, 0} { // second, minute, hour, day, month, year, summer time
		clear(archive[at : at+1+size])
		archive[at+1] = v
		at += 1 + size
	}
	return nil
}
