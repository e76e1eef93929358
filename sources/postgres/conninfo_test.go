package postgres

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPasswordsAreTakenOutOfAddresses(t *testing.T) {
	for _, c := range []struct{ info, clean, password string }{
		{"postgres://u:s%40cr%2Ft@h:5/db?sslmode=disable", "postgres://u@h:5/db?sslmode=disable", "s@cr/t"},
		{"postgresql://u@h1:1,h2:2/db?password=a%20b&target_session_attrs=any", "postgresql://u@h1:1,h2:2/db?target_session_attrs=any", "a b"},
		{"postgres:///db?host=/run/x", "postgres:///db?host=/run/x", ""},
		{"postgres://h", "postgres://h/", ""},
		{`host=/run user = 'a b' password='it\'s \\' dbname=x`, `host='/run' user='a b' dbname='x'`, `it's \`},
		{"", "", ""},
	} {
		a, err := newAddress(c.info, nil)
		if err != nil || a.info != c.clean || string(a.password) != c.password {
			t.Errorf("%s: %q, %q, %v", c.info, a.info, a.password, err)
		}
	}
	for _, bad := range []string{"host", "host=a password='x", "postgres://u:%zz@h/db", "postgres://h/db?sslpassword=secret", "sslpassword=secret", "postgres://h:port/db"} {
		if _, err := newAddress(bad, nil); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	broken := errors.New("broken")
	if _, err := newAddress("", func() ([]byte, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestAnAddressLeadsToOtherDatabases(t *testing.T) {
	for info, want := range map[string]string{
		"postgres://u@h/db?a=b&dbname=c": `postgres://u@h/x%20%2F%27y?a=b`,
		"host=h dbname=db":               `host='h' dbname='db' dbname='x /\'y'`,
	} {
		a := address{info: info}
		if !isURL(info) {
			if err := a.cleanKeywords(); err != nil {
				t.Fatal(err)
			}
		}
		if got := a.of("x /'y"); got != want {
			t.Errorf("%s: %s", info, got)
		}
	}
}

// guarded starts a server that asks for passwords.
func guarded(t *testing.T) *Server {
	t.Helper()
	hba := filepath.Join(t.TempDir(), "hba")
	if err := os.WriteFile(hba, []byte("local all postgres trust\nlocal all all scram-sha-256\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for dir := filepath.Dir(hba); dir != os.TempDir(); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Scratch(t.Context(), ScratchOptions{Settings: []string{"hba_file=" + hba}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop() })
	do(t, open(t, s, "postgres"), `CREATE ROLE saver SUPERUSER LOGIN PASSWORD 'open se/same'; CREATE TABLE t (a int); INSERT INTO t VALUES (1)`)
	return s
}

// TestEveryWayToGiveThePassword, for the connections and for the programs; and
// none of them is to be seen in the list of processes.
func TestEveryWayToGiveThePassword(t *testing.T) {
	s := guarded(t)
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	passfile := write("pass", "*:5432:*:saver:open se/same\n")
	service := write("service", fmt.Sprintf("[practice]\nhost=%s\nport=5432\nuser=saver\ndbname=postgres\npassword=open se/same\n", s.Dir))
	url := "postgres://saver@/postgres?sslmode=disable&port=5432&host=" + s.Dir
	arguments := filepath.Join(dir, "arguments")
	programs := fakePrograms(t, map[string]string{"pg_dump": `echo "$@" >> ` + arguments + `; exec ` + filepath.Join(programsDir(t), "pg_dump") + ` "$@"`})
	for name, c := range map[string]struct {
		o   Options
		env map[string]string
	}{
		"function":    {o: Options{URL: url, Password: func() ([]byte, error) { return []byte("open se/same"), nil }}},
		"url":         {o: Options{URL: strings.Replace(url, "saver@", "saver:open%20se%2Fsame@", 1)}},
		"words":       {o: Options{URL: "host=" + s.Dir + " port=5432 user=saver dbname=postgres password='open se/same'"}},
		"environment": {o: Options{URL: url}, env: map[string]string{"PGPASSWORD": "open se/same"}},
		"passfile":    {o: Options{URL: url}, env: map[string]string{"PGPASSFILE": passfile}},
		"service":     {o: Options{URL: "service=practice"}, env: map[string]string{"PGSERVICEFILE": service}},
		"all of it in the environment": {env: map[string]string{
			"PGHOST": s.Dir, "PGPORT": "5432", "PGUSER": "saver", "PGDATABASE": "postgres", "PGPASSFILE": passfile,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			c.o.Name, c.o.Programs = "practice", programs
			source, err := New(c.o)
			if err != nil {
				t.Fatal(err)
			}
			all, _ := copyOf(t, source)
			if string(all["postgres/tables/public.t.copy"]) != "1\n" {
				t.Errorf("%q", all["postgres/tables/public.t.copy"])
			}
		})
	}
	if b, err := os.ReadFile(arguments); err != nil || strings.Contains(string(b), "same") {
		t.Errorf("%v: arguments %s", err, b)
	}
	wrong, err := New(Options{Name: "practice", URL: strings.Replace(url, "saver@", "saver:hush@", 1)})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := read(t.Context(), wrong, 1); err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("a wrong password: %v", err)
	}
}
