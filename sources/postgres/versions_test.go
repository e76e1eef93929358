package postgres

import (
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// others are folders with programs of other versions, beside those that are
// installed:
//
//	go test ./sources/postgres -run Version -postgres '/opt/postgresql-*/bin'
var others = flag.String("postgres", "", "`pattern` of folders with initdb and postgres of other versions")

// versions returns a folder of programs for every version that there is.
func versions(t *testing.T) map[int]string {
	t.Helper()
	all := map[int]string{}
	for _, pattern := range append([]string{*others}, folders...) {
		found, _ := filepath.Glob(pattern)
		for _, dir := range found {
			if v, err := programVersion(t.Context(), filepath.Join(dir, "initdb")); err == nil {
				all[v] = dir
			}
		}
	}
	return all
}

// TestServersOfEveryVersion that is installed: they are read where the dump
// program is not older, and a database comes back into all that are not older
// than where it came from.
func TestServersOfEveryVersion(t *testing.T) {
	all := versions(t)
	if len(all) < 2 {
		t.Skip("one version is installed, which the other tests use; -postgres names more")
	}
	servers := map[int]*Server{}
	for v, dir := range all {
		s, err := Scratch(t.Context(), ScratchOptions{Programs: dir})
		if err != nil {
			t.Fatalf("version %d: %v", v, err)
		}
		t.Cleanup(func() { s.Stop() })
		servers[v] = s
		do(t, open(t, s, "postgres"), "CREATE DATABASE app")
		conn := open(t, s, "app")
		do(t, conn, practice+`; CREATE TYPE kind AS ENUM ('x', 'y'); CREATE TABLE parts (k kind) PARTITION BY HASH (k);
			CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE parts_1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
			INSERT INTO parts VALUES ('x'), ('y'); SELECT lo_from_bytea(7, 'object'); ALTER DATABASE app SET work_mem = '5MB'`)
		conn.Close(t.Context())
	}
	p, err := findPrograms(t.Context(), "", "pg_dump", newestFrom(0))
	if err != nil {
		t.Fatal(err)
	}
	for from, s := range servers {
		src, err := New(Options{Name: "practice", URL: s.URL("app")})
		if err != nil {
			t.Fatal(err)
		}
		saved, _, err := read(t.Context(), src, 2)
		if from > p.major {
			if !errors.Is(err, ErrPrograms) || !strings.Contains(err.Error(), fmt.Sprintf("%d or newer", from)) {
				t.Errorf("version %d: %v", from, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("version %d: %v", from, err)
			continue
		}
		for to, s := range servers {
			if to < from {
				continue
			}
			name := fmt.Sprintf("from_%d", from)
			report, err := Restore(t.Context(), RestoreOptions{Saved: saved, URL: s.URL(name), Create: true})
			if err != nil || report.Rows != 4003 || report.Objects != 1 {
				t.Errorf("version %d into %d: %+v, %v", from, to, report, err)
			}
		}
	}
}
