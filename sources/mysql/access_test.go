package mysql

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestThePasswordIsSeenNowhere: not in the dump program's arguments or
// environment, not in what is left on disk, not in errors.
func TestThePasswordIsSeenNowhere(t *testing.T) {
	db := database(t, shared)
	password := `pa"ss' #w\ord=;` + "`äö\t "
	client(t, shared, "CREATE OR REPLACE USER secretive@localhost IDENTIFIED BY "+text(password)+"; GRANT ALL ON *.* TO secretive@localhost; CREATE TABLE "+db+".x (a INT)")
	t.Cleanup(func() { _, _ = tryClient(shared, "DROP USER secretive@localhost") })
	dir, tmp := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", tmp)
	script(t, dir, "mariadb-dump", `{ echo "$@"; env; stat -c %a "$(echo "$1" | sed s/--defaults-file=//)"; } >> `+dir+`/seen 2>&1; exec mariadb-dump "$@"`)
	src, err := New(Options{Name: "practice", URL: strings.Replace(shared.URL(db), "root", "secretive", 1), Password: func() ([]byte, error) { return []byte(password), nil }, Programs: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := take(src, nil); err != nil {
		t.Fatal(err)
	}
	seen, err := os.ReadFile(filepath.Join(dir, "seen"))
	if err != nil || !strings.Contains(string(seen), "--routines") || !strings.Contains(string(seen), "\n600\n") {
		t.Fatalf("%s, %v", seen, err)
	}
	if strings.Contains(string(seen), "ss' #w") {
		t.Error("the dump program was given the password in the open")
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left on disk: %v, %v", left, err)
	}
	for _, bad := range []string{
		strings.Replace(shared.URL(db), "root", "secretive:Sesam7", 1), "mysql://secretive:Sesam7@127.0.0.1:1/x",
		"mysql://secretive:Sesam7@[::/x", "mysql://secretive:Sesam7@h/x?no=1", "postgres://secretive:Sesam7@h/x", "mysql://secretive:Sesam7@h/x?tls=odd",
	} {
		src, err := New(Options{Name: "practice", URL: bad})
		if err == nil {
			_, _, err = take(src, nil)
		}
		if err == nil || strings.Contains(err.Error(), "Sesam7") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// TestAUserWhoMayNotSeeAllIsRefused, since the server would leave out what he may
// not see; and one with the rights that the message names is enough.
func TestAUserWhoMayNotSeeAllIsRefused(t *testing.T) {
	db := database(t, shared)
	client(t, shared, "USE "+db+";\n"+small)
	t.Cleanup(func() { _, _ = tryClient(shared, "DROP USER keeper@localhost") })
	all := "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, EXECUTE, LOCK TABLES ON `" + db + "`.* TO keeper@localhost; GRANT SELECT ON mysql.* TO keeper@localhost; GRANT RELOAD, PROCESS" + vendor("", ", BACKUP_ADMIN, SHOW_ROUTINE") + " ON *.* TO keeper@localhost;"
	for revoked, want := range map[string]string{
		"":                          "",
		"SELECT ON `" + db + "`.*":  "lacks SELECT on `" + db + "`.*",
		"TRIGGER ON `" + db + "`.*": "lacks TRIGGER",
		vendor("SELECT ON mysql.*", "SHOW_ROUTINE ON *.*"): vendor("lacks SELECT on mysql.*", "lacks SHOW_ROUTINE on *.*"),
		"RELOAD ON *.*":                     "RELOAD",
		"SHOW VIEW ON `" + db + "`.*":       "SHOW VIEW",
		"EVENT ON `" + db + "`.*":           "keeper",
		"SELECT, TRIGGER ON `" + db + "`.*": "lacks SELECT",
	} {
		script := "CREATE OR REPLACE USER keeper@localhost; " + all
		if revoked != "" {
			script += "REVOKE " + revoked + " FROM keeper@localhost;"
		}
		if strings.HasPrefix(revoked, "SELECT, TRIGGER") {
			script += "GRANT SELECT, TRIGGER ON `" + db + "`.parent TO keeper@localhost;"
		}
		client(t, shared, script)
		src, err := New(Options{Name: "practice", URL: strings.Replace(shared.URL(db), "root", "keeper", 1)})
		if err != nil {
			t.Fatal(err)
		}
		saved, _, err := take(src, nil)
		switch {
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("without %s: %v, want %q", revoked, err, want)
		case want == "" && err != nil:
			t.Error(err)
		case want == "":
			root, _ := mustTake(t, sourceOf(t, shared, db))
			for path := range root {
				sameText(t, string(saved[path]), string(root[path]))
			}
		}
	}
}

func TestUsersComeBackWithTheirRights(t *testing.T) {
	db := database(t, shared)
	client(t, shared, "CREATE OR REPLACE ROLE reader; GRANT SELECT ON `"+db+"`.* TO reader; CREATE OR REPLACE USER `it's \"me\"`@`10.0.%` IDENTIFIED BY 'x;y'; GRANT reader TO `it's \"me\"`@`10.0.%`; GRANT INSERT ON `"+db+"`.* TO `it's \"me\"`@`10.0.%`; SET DEFAULT ROLE reader FOR `it's \"me\"`@`10.0.%`;")
	t.Cleanup(func() { _, _ = tryClient(shared, "DROP USER `it's \"me\"`@`10.0.%`; DROP ROLE reader") })
	saved, _ := mustTake(t, sourceOf(t, shared, db))
	other := second(t)
	mustRestore(t, RestoreOptions{Saved: saved, URL: other.URL(""), Create: true, Users: true})
	show := "SHOW CREATE USER `it's \"me\"`@`10.0.%`; SHOW GRANTS FOR `it's \"me\"`@`10.0.%`; SHOW GRANTS FOR reader;"
	sameText(t, client(t, other, show), client(t, shared, show))
}

func TestAGrantIsReadAsTheServerMeansIt(t *testing.T) {
	for _, c := range []struct {
		line, privilege, database, table string
		want                             bool
	}{
		{"GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION", "SELECT", "x", "*", true},
		{"GRANT SELECT, INSERT ON `shop`.* TO `u`@`%`", "SELECT", "shop", "*", true},
		{"GRANT SELECT, INSERT ON `shop`.* TO `u`@`%`", "TRIGGER", "shop", "*", false},
		{"GRANT SELECT ON `sh\\_p%`.* TO `u`@`%`", "SELECT", "sh_pping", "*", true},
		{"GRANT SELECT ON `sh\\_p%`.* TO `u`@`%`", "SELECT", "shop", "*", false},
		{"GRANT SELECT ON `sh_p`.* TO `u`@`%`", "SELECT", "shop", "*", true},
		{"GRANT SELECT ON `shop`.`patient` TO `u`@`%`", "SELECT", "shop", "*", false},
		{"GRANT SELECT (`a`) ON `shop`.* TO `u`@`%`", "SELECT", "shop", "*", false},
		{"GRANT USAGE ON *.* TO `u`@`%`", "SELECT", "shop", "*", false},
	} {
		g, ok := parseGrant(c.line)
		if got := ok && g.gives(c.privilege, c.database, c.table); got != c.want {
			t.Errorf("%s gives %s on %s: %v", c.line, c.privilege, c.database, got)
		}
	}
	if _, ok := parseGrant("GRANT `reader` TO `u`@`%`"); ok {
		t.Error("a role was taken for a right")
	}
}

func TestACancelledBeginLeavesNothing(t *testing.T) {
	db := database(t, shared)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	src := sourceOf(t, shared, db)
	for e := range src.Entries(ctx) {
		if e.Err == nil {
			t.Errorf("%s without an error", e.Path)
		}
	}
	if _, err := src.End(t.Context()); err == nil {
		t.Error("End says that all is well")
	}
}

// TestAServerIsReadOverTheNetwork by a user with a password, whose hash and
// exchange are the server's own kind.
func TestAServerIsReadOverTheNetwork(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err := errors.Join(err, listener.Close()); err != nil {
		t.Fatal(err)
	}
	s := start(t, "skip-networking=OFF", "bind-address=127.0.0.1", "port="+port)
	client(t, s, "CREATE DATABASE d; CREATE TABLE d.t (n INT PRIMARY KEY); INSERT INTO d.t VALUES (1); CREATE USER keeper@'127.0.0.1' IDENTIFIED BY 'x#\"y'; GRANT ALL ON *.* TO keeper@'127.0.0.1'")
	for _, tls := range []string{"", "?tls=skip-verify"} {
		if tls != "" && client(t, s, "SHOW VARIABLES LIKE 'ssl_cert'") == "ssl_cert\t\n" {
			continue // a server without a certificate
		}
		client(t, s, "FLUSH PRIVILEGES") // the server forgets who has logged in before
		src, err := New(Options{Name: "practice", URL: "mysql://keeper@127.0.0.1:" + port + "/d" + tls, Password: func() ([]byte, error) { return []byte(`x#"y`), nil }})
		if err != nil {
			t.Fatal(err)
		}
		if saved, _ := mustTake(t, src); string(saved["d/tables/t.tsv"]) != "1\n" {
			t.Errorf("%s: %q", tls, saved["d/tables/t.tsv"])
		}
	}
}

// TestMySQLsGrantsAreReadAsTheServerMeansThem: those that it names beside each
// other without blanks, and those that it takes back for a database.
func TestMySQLsGrantsAreReadAsTheServerMeansThem(t *testing.T) {
	var grants []grant
	for _, line := range []string{
		"GRANT SELECT, TRIGGER ON *.* TO `u`@`%`", "GRANT BACKUP_ADMIN,SHOW_ROUTINE ON *.* TO `u`@`%`", "REVOKE SELECT ON `secret`.* FROM `u`@`%`",
	} {
		g, ok := parseGrant(line)
		if !ok {
			t.Fatal(line)
		}
		grants = append(grants, g)
	}
	if !given(grants, "SELECT", "shop") || given(grants, "SELECT", "secret") || !given(grants, "TRIGGER", "secret") {
		t.Error("what was taken back for one database counts for others, or not for it")
	}
	if !seesRoutines(grants[1:2], server{major: 8}) {
		t.Error("SHOW_ROUTINE is not seen")
	}
}

func TestDefaultRolesComeAfterTheirRoles(t *testing.T) {
	for create, want := range map[string][2]string{
		"CREATE USER `a`@`%` IDENTIFIED WITH 'p' AS 0x24 DEFAULT ROLE `r`@`%`,`it``s`@`h` REQUIRE NONE": {"CREATE USER `a`@`%` IDENTIFIED WITH 'p' AS 0x24 REQUIRE NONE", "`r`@`%`,`it``s`@`h`"},
		"CREATE USER ` DEFAULT ROLE `@`%` IDENTIFIED WITH 'p' AS ' DEFAULT ROLE `x`@`%`' REQUIRE NONE":  {"CREATE USER ` DEFAULT ROLE `@`%` IDENTIFIED WITH 'p' AS ' DEFAULT ROLE `x`@`%`' REQUIRE NONE", ""},
	} {
		if rest, roles := withoutRole(create); rest != want[0] || roles != want[1] {
			t.Errorf("%s: %q, %q", create, rest, roles)
		}
	}
}

// TestTheServersProgramIsOfTheSavedKind also where others are installed beside it.
func TestTheServersProgramIsOfTheSavedKind(t *testing.T) {
	dir := t.TempDir()
	for name, said := range map[string]string{"mariadbd": "mariadbd  Ver 11.4.2-MariaDB for Linux", "mysqld": "mysqld  Ver 8.4.3 for Linux on x86_64"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\necho '"+said+"'\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for like, want := range map[string]string{"": "mariadbd", "MariaDB 10.11.19-MariaDB": "mariadbd", "MySQL 8.0.36": "mysqld", "MySQL 9.7.4": "", "MariaDB 11.8.6-MariaDB": ""} {
		got, err := findDaemon(t.Context(), dir, like)
		if want == "" && !errors.Is(err, ErrPrograms) || want != "" && got != filepath.Join(dir, want) {
			t.Errorf("%s: %s, %v", like, got, err)
		}
	}
}
