package preset

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chartkeep/cmd/internal/config"
	"chartkeep/sources/mysql"
)

// server is a MariaDB that the tests share.
var server *mysql.Server

func TestMain(m *testing.M) { os.Exit(withServer(m)) }

func withServer(m *testing.M) int {
	s, err := mysql.Scratch(context.Background(), mysql.ScratchOptions{})
	if err != nil {
		fmt.Fprintln(os.Stderr, "start a MariaDB server for the tests (testdata/install-needs installs it):", err)
		return 1
	}
	defer s.Stop()
	server = s
	return m.Run()
}

func sql(t *testing.T, script string) {
	t.Helper()
	cmd := exec.Command("mariadb", "--no-defaults", "--socket="+server.Socket(), "--user=root", "--batch")
	cmd.Stdin = strings.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// practice makes a database of Open Dental's with these settings.
func practice(t *testing.T, name, docPath, used string) config.Source {
	t.Helper()
	sql(t, fmt.Sprintf("CREATE DATABASE %s; USE %[1]s; CREATE TABLE preference (PrefName VARCHAR(255), ValueString TEXT);"+
		"INSERT INTO preference VALUES ('DocPath', '%s'), ('AtoZfolderUsed', '%s'), ('Other', 'x')", name, docPath, used))
	return config.Source{Name: "practice", Preset: "opendental", Database: &config.Database{URL: server.URL(name)}}
}

func fill(t *testing.T, s config.Source, o Options) Filled {
	t.Helper()
	f, err := Fill(context.Background(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// says reports whether one of the words has all parts.
func (f Filled) says(parts ...string) bool {
	return slices.ContainsFunc(f.Words, func(w string) bool {
		return !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(w, p) })
	})
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func settingsFile(t *testing.T, inside string) string {
	return write(t, filepath.Join(t.TempDir(), "FreeDentalConfig.xml"), "\uFEFF<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<ConnectionSettings>\r\n"+inside+"\r\n</ConnectionSettings>")
}

const plain = `<DatabaseConnection><ComputerName>SERVER:3307</ComputerName><Database>opendental</Database><User>od user</User>
	<Password>hunter2</Password><MySQLPassHash></MySQLPassHash><NoShowOnStartup>True</NoShowOnStartup></DatabaseConnection><DatabaseType>MySql</DatabaseType>`

func TestOpenDentalsSettingsNameTheDatabase(t *testing.T) {
	images := t.TempDir()
	s := config.Source{Name: "practice", Preset: "opendental", Attachments: []string{images}}
	missing := filepath.Join(t.TempDir(), "none.xml")
	f := fill(t, s, Options{Places: []string{missing, settingsFile(t, plain)}})
	if got := f.Source.Database.URL; got != "mysql://od%20user@SERVER:3307/opendental" {
		t.Error(got)
	}
	if password, err := f.Password(); err != nil || string(password) != "hunter2" {
		t.Errorf("%q, %v", password, err)
	}
	if strings.Contains(fmt.Sprint(f.Words, f.Source), "hunter2") {
		t.Error("the password is shown")
	}
	if !f.says("found:", "FreeDentalConfig.xml") || !f.says("database: opendental at SERVER:3307") || !f.says("covered: the image folder "+images) {
		t.Errorf("%q", f.Words)
	}
	if len(f.Source.CrossChecks) != 3 || f.Source.CrossChecks[0].Roots[0] != images {
		t.Errorf("%+v", f.Source.CrossChecks)
	}
	if s.Database != nil || s.CrossChecks != nil {
		t.Error("the configuration's own source was changed")
	}
}

func TestAPasswordThatTheSourceHasGoesFirst(t *testing.T) {
	s := config.Source{Name: "p", Preset: "opendental", Config: settingsFile(t, plain), Attachments: []string{t.TempDir()}, Database: &config.Database{Password: "env:X"}}
	if f := fill(t, s, Options{}); f.Password != nil || f.Source.Database.Password != "env:X" || s.Database.URL != "" {
		t.Errorf("%+v", f)
	}
}

func TestAnObfuscatedPasswordIsNotUsed(t *testing.T) {
	s := config.Source{Name: "p", Preset: "opendental", Attachments: []string{t.TempDir()}}
	s.Config = settingsFile(t, strings.Replace(strings.Replace(plain, "hunter2", "", 1), "<MySQLPassHash>", "<MySQLPassHash>odv1e$hunter3", 1))
	f := fill(t, s, Options{})
	if f.Password != nil || !f.says("obfuscated", `password = "file:PATH"`) || strings.Contains(fmt.Sprint(f.Words), "hunter3") {
		t.Errorf("%q", f.Words)
	}
}

func TestSettingsThatAreOfNoUse(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"middle tier": {"<ServerConnection><URI>http://s/ServiceMain.asmx</URI></ServerConnection>", "middle tier"},
		"oracle":      {"<DatabaseType>Oracle</DatabaseType>" + plain, "no MySQL or MariaDB"},
		"empty":       {"", "names no database"},
		"no name":     {"<DatabaseConnection><Password>hunter2</Password></DatabaseConnection>", "names no database"},
		"broken":      {"<DatabaseConnection><Password>hunter2</Pass", "cannot be read"},
		"a string":    {"<ConnectionString>Server=x;Password=hunter2</ConnectionString>", "connection string"},
	} {
		s := config.Source{Name: "p", Preset: "opendental", Config: settingsFile(t, c.text)}
		_, err := Fill(context.Background(), s, Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), `database = "mysql://`) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := Fill(context.Background(), config.Source{Name: "p", Preset: "opendental"}, Options{Places: []string{"/nowhere/FreeDentalConfig.xml"}})
	if err == nil || !strings.Contains(err.Error(), `no FreeDentalConfig.xml`) {
		t.Error(err)
	}
}

func TestTheDatabaseNamesTheImageFolders(t *testing.T) {
	one, two, mine := t.TempDir(), t.TempDir(), t.TempDir()
	s := practice(t, "folders", one+`/; \\\\SERVER\\OpenDentImages\\;`+two, "1")
	sql(t, "USE folders; CREATE TABLE computerpref (ComputerName VARCHAR(64), AtoZpath VARCHAR(255)); CREATE TABLE replicationserver (Descript TEXT, AtoZpath VARCHAR(255));"+
		"INSERT INTO computerpref VALUES ('FRONT', 'Z:'), ('THIS', '"+mine+"'), ('OTHER', '')")
	f := fill(t, s, Options{Computer: "this"})
	want := []string{one, two, mine}
	slices.Sort(want)
	if !slices.Equal(f.Source.Attachments, want) {
		t.Errorf("%q, want %q", f.Source.Attachments, want)
	}
	if !f.says("not covered: ", `\\SERVER\OpenDentImages\`, "(DocPath)") || !f.says("not covered: Z: (computerpref FRONT)") {
		t.Errorf("%q", f.Words)
	}
	if f := fill(t, s, Options{What: config.Databases}); len(f.Source.Attachments) > 0 {
		t.Error("a plan of the database asked for folders")
	}
}

func TestImagesThatAreInNoFolder(t *testing.T) {
	for used, want := range map[string]string{"0": "covered: images, which are in the database", "2": "not covered: images, which Open Dental keeps in Dropbox"} {
		f := fill(t, practice(t, "used"+used, "", used), Options{})
		if !f.says(want) || len(f.Source.Attachments)+len(f.Source.CrossChecks) > 0 {
			t.Errorf("%s: %+v", used, f)
		}
	}
}

func TestImageFoldersThatAreNotHere(t *testing.T) {
	for name, c := range map[string]struct{ path, want string }{
		"away":     {`C:\\OpenDentImages`, `not on this computer under that name: C:\OpenDentImages (DocPath)`},
		"nothing":  {"", "names no image folder"},
		"relative": {"images", "not on this computer"},
	} {
		if err := os.MkdirAll("images", 0o755); err != nil {
			t.Fatal(err)
		}
		defer os.Remove("images")
		_, err := Fill(context.Background(), practice(t, name, c.path, "1"), Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), `write attachments = ["FOLDER"]`) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := config.Source{Name: "p", Preset: "opendental", Database: &config.Database{URL: server.URL("gone")}}
	if _, err := Fill(context.Background(), s, Options{}); err == nil || !strings.Contains(err.Error(), "ask its database") {
		t.Error(err)
	}
}

func TestExactsDataFolders(t *testing.T) {
	dir := t.TempDir()
	live, demo := filepath.Join(dir, "live"), filepath.Join(dir, "shipped", "Demo")
	write(t, filepath.Join(live, "uniconfig6.fs5"), "")
	write(t, filepath.Join(demo, "UNICONFIG6.FS5"), "")
	write(t, filepath.Join(dir, "shipped", "logfiles", "x"), "")
	list := write(t, filepath.Join(dir, "databases.ini"), "[Databases]\r\nPractice="+live+"\r\nOld="+filepath.Join(dir, "old")+"\r\n")
	f := fill(t, config.Source{Name: "exact", Preset: "exact"}, Options{Places: []string{list, filepath.Join(dir, "shipped"), "/nowhere"}})
	if !slices.Equal(f.Source.Paths, []string{live, demo}) || !f.says("covered: "+live) || !f.says("not covered: X-rays") || !f.says("not of one moment") {
		t.Errorf("%+v", f)
	}
	if _, err := Fill(context.Background(), config.Source{Name: "exact", Preset: "exact"}, Options{Places: []string{"/nowhere"}}); err == nil || !strings.Contains(err.Error(), `write paths = ["FOLDER"]`) {
		t.Error(err)
	}
	f = fill(t, config.Source{Name: "exact", Preset: "exact", Paths: []string{dir}}, Options{})
	if !f.says("UNICONFIG6.FS5 is in none") || !slices.Equal(f.Source.Paths, []string{dir}) {
		t.Errorf("%+v", f)
	}
}

func TestOfSystemsThatPublishNothingTheWholeServerIsSaved(t *testing.T) {
	soapware := fill(t, config.Source{Name: "p", Preset: "soapware"}, Options{})
	if soapware.Source.Database.URL != "postgres://postgres@127.0.0.1" || !soapware.says("database: every one of the server at 127.0.0.1") {
		t.Errorf("%+v", soapware)
	}
	said := config.Source{Name: "p", Preset: "macpractice", Database: &config.Database{Password: "file:/p", Readers: 3}, Paths: []string{"/images"}}
	mac := fill(t, said, Options{})
	if d := mac.Source.Database; d.URL != "mysql://root@127.0.0.1" || d.Password != "file:/p" || d.Readers != 3 || said.Database.URL != "" {
		t.Errorf("%+v", mac)
	}
}

func TestSystemsThatPublishNothingHaveToBeToldTheRest(t *testing.T) {
	mac := config.Source{Name: "p", Preset: "macpractice", Database: &config.Database{URL: "mysql://u@h/mp"}}
	if _, err := Fill(context.Background(), mac, Options{}); err == nil || !strings.Contains(err.Error(), `write attachments = ["FOLDER"]`) {
		t.Error(err)
	}
	if f := fill(t, mac, Options{What: config.Databases}); !f.says("database: mp at h") {
		t.Errorf("%q", f.Words)
	}
	soap := config.Source{Name: "p", Preset: "soapware", Database: &config.Database{URL: "postgres://u@h/sw"}}
	if f := fill(t, soap, Options{}); !f.says("covered: the database with its large objects") {
		t.Errorf("%q", f.Words)
	}
	soap.Database.URL = "mysql://u@h/sw"
	if _, err := Fill(context.Background(), soap, Options{}); err == nil || !strings.Contains(err.Error(), "postgres://") {
		t.Error(err)
	}
}
