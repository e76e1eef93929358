package postgres

import (
	"bytes"
	"context"
	"strings"
)

// dumpRoles returns the statements that make the server's roles and
// tablespaces. Where passwords may not be read it leaves them out.
func (d *dump) dumpRoles(ctx context.Context) (sql []byte, passwords bool, err error) {
	database, err := d.address.database()
	if err != nil {
		return nil, false, err
	}
	args := []string{"--globals-only", "--no-password", "--dbname=" + d.address.named(database, "chartkeep pg_dumpall"), "--database=" + database}
	var out bytes.Buffer
	first := d.programs.run(ctx, d.address, &out, "pg_dumpall", args...)
	if first == nil {
		return withoutCommands(out.Bytes()), true, nil
	}
	out.Reset()
	if d.programs.run(ctx, d.address, &out, "pg_dumpall", append(args, "--no-role-passwords")...) != nil {
		return nil, false, first
	}
	d.log("the roles are saved without their passwords: only a superuser may read those")
	return withoutCommands(out.Bytes()), false, nil
}

// withoutCommands drops psql's \restrict and \unrestrict, whose key is another
// one each time.
func withoutCommands(sql []byte) []byte {
	var kept []string
	for line := range strings.Lines(string(sql)) {
		if !strings.HasPrefix(line, `\restrict `) && !strings.HasPrefix(line, `\unrestrict `) {
			kept = append(kept, line)
		}
	}
	return []byte(strings.Join(kept, ""))
}
