package mysql

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestKeysAreMadeWhereThereIsNoRoomToSortThem in the server's folder for temporary
// files, which may be a small one in memory.
func TestKeysAreMadeWhereThereIsNoRoomToSortThem(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to mount a small file system")
	}
	s := second(t)
	small := t.TempDir()
	if err := unix.Mount("tmpfs", small, "tmpfs", 0, "size=1m,mode=0777"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(small, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	for dir := small; len(dir) > len(os.TempDir()); dir = dir[:strings.LastIndexByte(dir, '/')] {
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	db := database(t, shared)
	client(t, shared, "USE "+db+"; CREATE TABLE p (id INT PRIMARY KEY, name VARCHAR(200), other VARCHAR(200), KEY name (name), KEY other (other));")
	for from := range 20 {
		var rows strings.Builder
		for i := range 1000 {
			fmt.Fprintf(&rows, ",(%d,'%s %d','%d %s')", 1000*from+i, strings.Repeat("n", 100), i*7919%1000, i*7907%1000, strings.Repeat("o", 100))
		}
		client(t, shared, "INSERT INTO "+db+".p VALUES "+rows.String()[1:])
	}
	saved, _ := mustTake(t, sourceOf(t, shared, db))
	client(t, s, "SET GLOBAL innodb_tmpdir='"+small+"'")
	t.Cleanup(func() { client(t, s, "SET GLOBAL innodb_tmpdir=DEFAULT; DROP DATABASE IF EXISTS "+db) })
	if out, err := tryClient(s, "CREATE DATABASE room; USE room; CREATE TABLE p (a INT, b VARCHAR(200)); INSERT INTO p SELECT seq, REPEAT('x', 200) FROM "+
		vendor("seq_1_to_20000", "(WITH RECURSIVE n AS (SELECT 1 AS seq UNION ALL SELECT seq+1 FROM n WHERE seq<900) SELECT a.seq FROM n a, n b LIMIT 20000) s")+
		"; ALTER TABLE p ADD KEY (b)"); err == nil {
		t.Errorf("the server has room: %s", out)
	}
	client(t, s, "DROP DATABASE IF EXISTS room")
	mustRestore(t, RestoreOptions{Saved: saved, URL: s.URL(""), Create: true})
	sameText(t, vendorDump(t, s, db), vendorDump(t, shared, db))
}
