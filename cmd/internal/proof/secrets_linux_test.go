package proof_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"chartkeep/repo"
	"chartkeep/repo/crypt"
	"chartkeep/repo/storage/local"
)

// Canaries: what must be found nowhere but where the user put it.
const (
	canaryContent  = "CANARY-CONTENT-diagnosis-of-a-patient"
	canaryName     = "CANARY-NAME-of-a-patient"
	canaryPassword = "CANARY-PASSWORD-of-the-repository"
	canaryNew      = "CANARY-PASSWORD-that-is-new"
	canaryDatabase = "CANARY-PASSWORD-of-the-database"
	canaryMail     = "CANARY-PASSWORD-of-the-mail-server"
)

// keeper is an office with secrets, in folders of their own: what the user wrote,
// and all that the program writes.
type keeper struct {
	testing.TB
	dir  string
	said bytes.Buffer // by all runs
}

func newKeeper(t *testing.T) *keeper {
	k := &keeper{TB: t, dir: scratch(t)}
	for _, d := range []string{"user/src/" + canaryName, "made/home", "made/tmp", "made/cache", "made/state"} {
		must(t, os.MkdirAll(k.path(d), 0o755))
	}
	for name, data := range map[string]string{
		"user/src/" + canaryName + "/" + canaryName + ".txt": strings.Repeat(canaryContent+"\n", 50),
		"user/src/scan.jpg": noise(1, 200_000) + canaryContent,
		"user/password":     canaryPassword + "\n", "user/new": canaryNew + "\n",
		"user/database": canaryDatabase + "\n", "user/mail": canaryMail + "\n",
	} {
		must(t, os.WriteFile(k.path(name), []byte(data), 0o600))
	}
	must(t, os.WriteFile(k.path("user/plans.toml"), fmt.Appendf(nil, keeperPlans, k.path("user/src"), k.path("user/database"), k.path("made/repo"), k.path("user/password"), mailServer(t), k.path("user/mail")), 0o600))
	return k
}

const keeperPlans = `version = 1
[practice]
name = "Elm Street Dental"
[source.letters]
paths = ["%s"]
[source.ledger]
database = "mysql://backup@127.0.0.1:1/opendental"
password = "file:%s"
[plan.nightly]
sources = ["letters"]
to = ["red"]
[plan.failing]
sources = ["ledger"]
to = ["red"]
[destination.red]
repo = "%s"
password = "file:%s"
[notify]
email = ["manager@elm.example"]
smtp = "%s"
smtp_tls = "none"
smtp_user = "backup@elm.example"
smtp_password = "file:%s"
`

// mailServer refuses whoever wants to send, and repeats what it was told, as some
// servers do.
func mailServer(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go refuse(c)
		}
	}()
	return l.Addr().String()
}

func refuse(c net.Conn) {
	defer c.Close()
	fmt.Fprint(c, "220 mail.example ESMTP\r\n")
	for lines := bufio.NewScanner(c); lines.Scan(); {
		switch said := lines.Text(); {
		case strings.HasPrefix(said, "EHLO"):
			fmt.Fprint(c, "250-mail.example\r\n250 AUTH PLAIN LOGIN\r\n")
		case strings.HasPrefix(said, "QUIT"):
			fmt.Fprint(c, "221 bye\r\n")
			return
		default:
			fmt.Fprintf(c, "535 not accepted: %s\r\n", said)
		}
	}
}

func (k *keeper) path(elements ...string) string {
	return filepath.Join(append([]string{k.dir}, elements...)...)
}

// run runs the program, whatever comes of it, and keeps what it says.
func (k *keeper) run(code int, args ...string) {
	k.Helper()
	c := exec.Command(binary(), args...)
	c.Env = []string{
		"CHARTKEEP_REPOSITORY=" + k.path("made/repo"), "CHARTKEEP_CACHE_DIR=" + k.path("made/cache"), "CHARTKEEP_PASSWORD_FILE=" + k.path("user/password"),
		"CHARTKEEP_CONFIG=" + k.path("user/plans.toml"), "HOME=" + k.path("made/home"), "TMPDIR=" + k.path("made/tmp"),
		"XDG_STATE_HOME=" + k.path("made/state"), "STATE_DIRECTORY=" + k.path("made/state"), "PATH=" + os.Getenv("PATH"),
	}
	out, err := c.CombinedOutput()
	fmt.Fprintf(&k.said, "$ chartkeep %s\n%s", strings.Join(args, " "), out)
	if is := exitCode(k, err); code >= 0 && is != code {
		k.Errorf("chartkeep %s: exit code %d, want %d\n%s", strings.Join(args, " "), is, code, out)
	}
}

// init makes the repository, in the short form with a derivation that takes less
// time than the program's.
func (k *keeper) init() {
	if *full {
		k.run(0, "init", "--new-password-file", k.path("user/password"))
		return
	}
	st, err := local.Create(k.path("made/repo"))
	must(k, err)
	defer st.Close()
	r, err := repo.Init(k.Context(), st, []byte(canaryPassword), repo.InitOptions{Parity: 3, KDF: crypt.MinKDF}, repo.Options{})
	must(k, err)
	must(k, r.Close())
}

// forms are how a secret may stand in a file.
func forms(secret string) (all []string) {
	all = []string{secret, strings.ToUpper(hex.EncodeToString([]byte(secret))), hex.EncodeToString([]byte(secret))}
	for skip := range 3 { // base64 depends on where it begins
		s := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", skip) + secret))
		all = append(all, s[4:len(s)-4])
	}
	var wide strings.Builder
	for _, c := range secret {
		wide.WriteRune(c)
		wide.WriteByte(0)
	}
	return append(all, wide.String())
}

// nowhere looks for secrets in all that the program has written.
func (k *keeper) nowhere(secrets ...string) {
	k.Helper()
	must(k, filepath.WalkDir(k.path("made"), func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		text := []byte(p)
		if d.Type().IsRegular() {
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			text = append(text, b...)
		}
		for _, s := range secrets {
			for _, form := range forms(s) {
				if bytes.Contains(text, []byte(form)) {
					k.Errorf("%s holds %s", p, s)
				}
			}
		}
		return nil
	}))
}

// TestSecretsAreWrittenNowhere has runs of many kinds succeed and fail, and looks
// for what nobody may find in every file that they leave and in all they say.
func TestSecretsAreWrittenNowhere(t *testing.T) {
	t.Parallel()
	k := newKeeper(t)
	k.init()
	k.run(0, "backup", k.path("user/src"))
	k.run(0, "backup", "-v", k.path("user/src"))
	k.run(0, "run", "nightly")
	k.run(1, "run", "failing")
	k.run(0, "check", "--read-data")
	k.run(0, "restore", "latest", "--target", k.path("user/out"))
	k.run(-1, "run", "nosuchplan")
	k.run(12, "snapshots", "--password-file", k.path("user/new"))
	k.run(0, "key", "add", "--new-password-file", k.path("user/new"))
	k.run(0, "forget", "--keep-last", "1", "--prune")
	k.run(0, "log")
	k.run(-1, "status")
	k.run(-1, "report")
	k.run(0, "config", "show")
	k.run(0, "config", "check")
	k.run(-1, "doctor")
	all := []string{canaryContent, canaryPassword, canaryNew, canaryDatabase, canaryMail}
	k.nowhere(append(all, canaryName)...)

	must(t, filepath.WalkDir(k.path("made/repo/packs"), func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			return os.Truncate(p, 3000)
		}
		return err
	}))
	k.run(13, "check", "--read-data")
	k.run(-1, "restore", "latest", "--target", k.path("user/out2"))
	k.run(-1, "repair", "packs")
	k.run(-1, "repair", "snapshots")
	k.run(-1, "run", "nightly")
	must(t, os.RemoveAll(k.path("made/repo")))
	k.run(10, "backup", k.path("user/src"))
	k.run(-1, "run", "nightly")
	k.nowhere(append(all, canaryName)...)

	for _, s := range all { // names may be said: to whom else
		for _, form := range forms(s) {
			if at := strings.Index(k.said.String(), form); at >= 0 {
				t.Errorf("it was said: %q", k.said.String()[max(0, at-200):min(at+100, k.said.Len())])
			}
		}
	}
	if !strings.Contains(k.said.String(), "backup@elm.example") && !strings.Contains(k.said.String(), "535") {
		t.Logf("nobody tried to send mail")
	}
}
