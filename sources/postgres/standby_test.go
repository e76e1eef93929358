//go:build unix

package postgres

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"chartkeep/sources/child"
)

// TestAStandbyCanBeRead in the place of the server that is written to.
func TestAStandbyCanBeRead(t *testing.T) {
	settings := []string{"wal_level=replica", "max_wal_senders=4"}
	first, err := Scratch(t.Context(), ScratchOptions{Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { first.Stop() })
	conn := open(t, first, "postgres")
	do(t, conn, practice+"; SELECT lo_from_bytea(7, 'object')")
	standby := copyServer(t, first, settings)
	there := open(t, standby, "postgres")
	do(t, conn, "INSERT INTO log VALUES ('last')")
	for deadline := time.Now().Add(10 * time.Second); ask(t, there, "SELECT count(*) FROM log") != "1"; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the standby does not follow")
		}
	}
	read := func(s *Server) saved {
		src, err := New(Options{Name: "practice", URL: s.URL("postgres")})
		if err != nil {
			t.Fatal(err)
		}
		all, facts := copyOf(t, src)
		if facts["position"] == "" {
			t.Errorf("no position in %v", facts)
		}
		return all
	}
	wantEqual(t, read(standby), read(first))
}

// copyServer starts a standby of a server.
func copyServer(t *testing.T, s *Server, settings []string) *Server {
	t.Helper()
	folder, err := child.MakeFolder("", "pg-")
	if err != nil {
		t.Fatal(err)
	}
	c := &Server{Dir: folder.Path, Major: s.Major, folder: folder}
	t.Cleanup(func() { c.Stop() })
	as, err := child.Account(accounts("")...)
	if err != nil {
		t.Fatal(err)
	}
	if err := child.HandOver(folder.Path, as); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(programsDir(t), "pg_basebackup"), "--pgdata="+c.data(), "--checkpoint=fast",
		"--write-recovery-conf", "--host="+s.Dir, "--username="+superuser)
	cmd.SysProcAttr, cmd.Dir = child.ApartAs(as), folder.Path
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := c.start(programs{dir: programsDir(t)}, as, settings); err != nil {
		t.Fatal(err)
	}
	if err := c.await(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}
