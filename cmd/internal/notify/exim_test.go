//go:build unix

package notify

import (
	"fmt"
	"net"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// eximPaths are where Debian and others install the server.
var eximPaths = []string{"/usr/sbin/exim4", "/usr/sbin/exim", "/usr/exim/bin/exim"}

// An exim is a mail server with a configuration, a spool and mailboxes of its
// own. It listens on the loopback address: on port for STARTTLS, on tlsPort for
// TLS from the first byte. It delivers to the mailboxes manager and provider.
type exim struct {
	dir           string
	port, tlsPort int
	cert          certificate
}

// The user and password that the server takes.
const (
	mailUser     = "backup"
	mailPassword = "correct horse"
)

const eximConfig = `
exim_user = %[2]d
exim_group = %[3]d
deliver_drop_privilege = true
primary_hostname = mail.elm.example
spool_directory = %[1]s/spool
log_file_path = %[1]s/log-%%s
pid_file_path = %[1]s/pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = %[4]d : %[5]d
tls_on_connect_ports = %[5]d
tls_advertise_hosts = %[6]s
tls_certificate = %[1]s/cert.pem
tls_privatekey = %[1]s/key.pem
auth_advertise_hosts = ${if eq{$tls_in_cipher}{}{}{*}}
acl_smtp_rcpt = rcpt
acl_smtp_data = data
keep_environment =
host_lookup =
rfc1413_query_timeout = 0s

begin acl
rcpt:
  deny local_parts = nobody
       message = nobody of that name
  defer local_parts = later
       message = come back later
  accept authenticated = *
  accept condition = ${if eq{%[6]s}{}}
  deny message = log in first
data:
  accept

begin routers
people:
  driver = accept
  local_parts = manager : provider
  transport = mailbox

begin transports
mailbox:
  driver = appendfile
  directory = %[1]s/mail/$local_part_data
  maildir_format
  create_directory

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if and{{eq{$auth2}{` + mailUser + `}}{eq{$auth3}{` + mailPassword + `}}}}
  server_set_id = $auth2
`

// startExim starts a server; with open it wants neither TLS nor a password.
func startExim(t *testing.T, open bool) *exim {
	t.Helper()
	program := eximProgram(t)
	e := &exim{dir: eximDir(t), port: freePort(t), tlsPort: freePort(t), cert: selfSigned(t)}
	tlsHosts := "*"
	if open {
		tlsHosts = ""
	}
	uid, gid := serverUser(t)
	config := fmt.Sprintf(eximConfig, e.dir, uid, gid, e.port, e.tlsPort, tlsHosts)
	for name, data := range map[string]string{"exim.conf": config, "cert.pem": e.cert.pem, "key.pem": e.cert.key} {
		if err := os.WriteFile(filepath.Join(e.dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	giveAway(t, e.dir, uid, gid)
	said, err := os.Create(filepath.Join(e.dir, "said"))
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	cmd := exec.Command(program, "-C", filepath.Join(e.dir, "exim.conf"), "-bdf")
	cmd.Stdout, cmd.Stderr, cmd.Dir = said, said, e.dir
	runAs(cmd, uid, gid)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		endGroup(cmd)
		if t.Failed() {
			t.Logf("exim's logs: %s", e.log())
		}
	})
	e.await(t)
	return e
}

func eximProgram(t *testing.T) string {
	t.Helper()
	for _, path := range eximPaths {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	t.Fatal("there is no exim; testdata/install-needs installs it")
	return ""
}

// eximDir is a folder that another user can reach, and with a short name.
func eximDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "exim")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	for _, sub := range []string{"spool", "mail"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func giveAway(t *testing.T, dir string, uid, gid int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, uid, gid)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// await waits until the server greets.
func (e *exim) await(t *testing.T) {
	t.Helper()
	for range 100 {
		conn, err := net.Dial("tcp", e.server())
		if err == nil {
			conn.Close()
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("exim does not start: %s", e.log())
}

func (e *exim) server() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(e.port)) }

func (e *exim) log() string {
	var all strings.Builder
	for _, name := range []string{"said", "log-main", "log-reject", "log-panic"} {
		text, _ := os.ReadFile(filepath.Join(e.dir, name))
		fmt.Fprintf(&all, "%s: %s\n", name, text)
	}
	return all.String()
}

// A letter is a message in a mailbox.
type letter struct {
	mail.Header
	text string
}

// letters waits until so many messages are in a mailbox.
func (e *exim) letters(t *testing.T, box string, count int) []letter {
	t.Helper()
	var paths []string
	for range 100 {
		paths, _ = filepath.Glob(filepath.Join(e.dir, "mail", box, "new", "*"))
		if len(paths) >= count {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if len(paths) != count {
		t.Fatalf("%s has %d letters, not %d", box, len(paths), count)
	}
	letters := make([]letter, count)
	for i, path := range paths {
		letters[i] = readLetter(t, path)
	}
	return letters
}
