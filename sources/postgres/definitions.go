package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"
)

// dumpDefinitions returns pg_dump's archive of everything but rows, sequences'
// values and large objects, as of an exported snapshot.
func (s *server) dumpDefinitions(ctx context.Context, database, snapshot string) ([]byte, error) {
	var out bytes.Buffer
	err := s.programs.run(ctx, s.address, &out, "pg_dump", "--format=custom", "--compress=0",
		"--section=pre-data", "--section=post-data", "-B", "--no-password", "--snapshot="+snapshot,
		fmt.Sprintf("--lock-wait-timeout=%d", s.lockTimeout/time.Millisecond), "--dbname="+s.address.of(database))
	if err != nil {
		return nil, err
	}
	return out.Bytes(), clearTime(out.Bytes())
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
