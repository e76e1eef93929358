package mysql

import (
	"context"
	"fmt"
	"regexp"
	"strings"
)

// lateKeysFrom is how large a table's file is, bytes, for its keys to wait until
// its rows are there. Below it two more definitions take longer than they spare.
var lateKeysFrom int64 = 4 << 20

// plainKey finds a key that need not be unique and is neither FULLTEXT nor SPATIAL.
// SHOW CREATE TABLE gives each a line of its own, and has no other line like it:
// line feeds in texts are escaped.
var plainKey = regexp.MustCompile("(?m)^  (KEY (`(?:[^`]|``)+`) .*?),?$")

// otherKey finds a key that stays, and has its place among those that do not: those
// before it stay, too. All others come before them, or after.
var otherKey = regexp.MustCompile("(?m)^  (?:SPATIAL|VECTOR) KEY ")

// inPlace finds a table whose engine sorts what goes into a new key. That of
// MyISAM and Aria does so by itself when rows come into an empty table, and a
// table that keeps its history takes no change without a word about it.
func inPlace(definition string) bool {
	return strings.Contains(definition, "\n) ENGINE=InnoDB") && !strings.Contains(definition, "SYSTEM VERSIONING")
}

// takeKeys takes a table's plain keys away, and returns how they are made again.
// Where the server refuses, as a foreign key or AUTO_INCREMENT needs one of them,
// all stay.
func (r *restore) takeKeys(ctx context.Context, into string, t *Table) (again string, err error) {
	s, err := r.maker(ctx, into)
	if err != nil {
		return "", err
	}
	defer s.close()
	v, err := s.row(ctx, "SHOW CREATE TABLE "+quote(t.Name))
	if err != nil {
		return "", err
	}
	if !inPlace(v[1]) {
		return "", nil
	}
	keys := v[1]
	if others := otherKey.FindAllStringIndex(keys, -1); others != nil {
		keys = keys[others[len(others)-1][1]:]
	}
	var drop, add []string
	for _, m := range plainKey.FindAllStringSubmatch(keys, -1) {
		drop, add = append(drop, "DROP KEY "+m[2]), append(add, "ADD "+m[1])
	}
	if len(drop) == 0 {
		return "", nil
	}
	if err := s.exec(ctx, "SET SESSION foreign_key_checks=1"); err != nil { // without them it would refuse nothing
		return "", err
	}
	if s.exec(ctx, "ALTER TABLE "+quote(t.Name)+" "+strings.Join(drop, ", ")) != nil {
		return "", ctx.Err()
	}
	return "ALTER TABLE " + quote(t.Name) + " " + strings.Join(add, ", "), nil
}

// makeKeys makes the keys that were taken away. A server that has no room for what
// it sorts makes them in a copy of the table.
func (r *restore) makeKeys(ctx context.Context, into, again string) error {
	s, err := r.maker(ctx, into)
	if err != nil {
		return err
	}
	defer s.close()
	err = s.exec(ctx, again)
	if err == nil {
		return nil
	}
	if ctx.Err() == nil {
		copied := s.exec(ctx, again+", ALGORITHM=COPY")
		if copied == nil {
			return nil
		}
		err = fmt.Errorf("%w; in a copy of the table: %w", err, copied)
	}
	return fmt.Errorf("make its keys: %w", err)
}
