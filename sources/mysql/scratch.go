package mysql

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// ScratchOptions say what a scratch server is like. The zero value means the
// defaults.
type ScratchOptions struct {
	Dir      string   // a folder of its own is made in it; empty: the system's for temporary files
	Programs string   // folder of the server's programs; empty: they are sought
	User     string   // account to run as when this process is root; empty: mysql, or else nobody
	Settings []string // more of the server's settings: "innodb-buffer-pool-size=1G"
}

// A Server is a MariaDB or MySQL server that was started for a short time, in a
// private folder. Nobody reaches it but through a socket in that folder, and it
// runs no events. Its data does not survive a crash of the machine.
type Server struct {
	Dir     string // the folder that holds everything; Stop removes it
	Version string // as the server says it
	PID     int

	process *exec.Cmd
	ended   chan struct{} // closed when the process has ended
}

// scratchSettings trade safety for speed, and keep the server to itself.
var scratchSettings = []string{
	"skip-networking", "event-scheduler=OFF", "skip-log-bin", "local-infile=1", "max-allowed-packet=1G", "performance-schema=OFF",
	"innodb-flush-log-at-trx-commit=0", "innodb-doublewrite=0", "innodb-fast-shutdown=2", "innodb-buffer-pool-size=256M",
	"innodb-log-file-size=256M", "key-buffer-size=64M", "loose-mysqlx=OFF", "log-warnings=0", "loose-secure-file-priv=",
}

// Scratch makes and starts a server. Stop has to be called.
func Scratch(ctx context.Context, o ScratchOptions) (*Server, error) {
	daemons := findPrograms(o.Programs, "mariadbd", "mysqld")
	if len(daemons) == 0 {
		return nil, fmt.Errorf("scratch server: %w: no mariadbd or mysqld", ErrPrograms)
	}
	dir, err := os.MkdirTemp(o.Dir, "my-") // 0700; short, since a socket's path must be
	if err != nil {
		return nil, err
	}
	s := &Server{Dir: dir}
	as, err := account(o.User)
	if err == nil {
		err = handOver(dir, as)
	}
	if err == nil {
		err = s.create(ctx, daemons[0], o.Programs, as)
	}
	if err == nil {
		err = s.start(daemons[0], as, o.Settings)
	}
	if err == nil {
		err = s.await(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("scratch server: %w", errors.Join(err, s.Stop()))
	}
	return s, nil
}

func (s *Server) data() string { return filepath.Join(s.Dir, "data") }
func (s *Server) log() string  { return filepath.Join(s.Dir, "log") }

// Socket is the path of the server's socket.
func (s *Server) Socket() string { return filepath.Join(s.Dir, "s") }

// create makes the server's files. The only user is root, without a password.
func (s *Server) create(ctx context.Context, daemon, programs string, as identity) error {
	v, err := programVersion(ctx, daemon)
	if err != nil {
		return err
	}
	args := []string{daemon, "--no-defaults", "--initialize-insecure", "--datadir=" + s.data()}
	if v.maria {
		install := findPrograms(programs, "mariadb-install-db", "mysql_install_db")
		if len(install) == 0 {
			return fmt.Errorf("%w: no mariadb-install-db", ErrPrograms)
		}
		args = []string{
			install[0], "--no-defaults", "--datadir=" + s.data(), "--auth-root-authentication-method=normal", "--skip-test-db",
			"--innodb-flush-log-at-trx-commit=0",
		}
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	s.prepare(cmd, as)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return &ProgramError{Program: filepath.Base(args[0]), Err: err, Said: clip(said.String())}
	}
	return nil
}

// prepare lets a program run in the folder, as the account the folder is of.
func (s *Server) prepare(cmd *exec.Cmd, as identity) {
	cmd.Dir, cmd.SysProcAttr = s.Dir, apartAs(as)
	cmd.Env = append(environment(), "HOME="+s.Dir, "TMPDIR="+s.Dir)
}

func (s *Server) start(daemon string, as identity, settings []string) error {
	args := []string{
		"--no-defaults", "--datadir=" + s.data(), "--socket=" + s.Socket(), "--pid-file=" + filepath.Join(s.Dir, "pid"), "--tmpdir=" + s.Dir,
	}
	for _, v := range append(scratchSettings, settings...) {
		args = append(args, "--"+v)
	}
	log, err := os.OpenFile(s.log(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(daemon, args...)
	s.prepare(cmd, as)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	s.process, s.PID, s.ended = cmd, cmd.Process.Pid, make(chan struct{})
	go func() { // ends with the process, for which Stop waits
		_ = cmd.Wait()
		close(s.ended)
	}()
	return nil
}

// startTime is how long a server may take to be there.
const startTime = time.Minute

// await waits until the server answers.
func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	l := login{user: superuser, socket: s.Socket()}
	for {
		c, err := l.connect(ctx, nil)
		if err == nil {
			v, err := c.meet(ctx)
			c.close()
			s.Version = v.version
			return err
		}
		select {
		case <-s.ended:
			said, _ := os.ReadFile(s.log())
			return fmt.Errorf("it ended at once: %s", clip(string(said)))
		case <-ctx.Done():
			return fmt.Errorf("it does not answer: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// superuser is the name of a scratch server's only user at first.
const superuser = "root"

// URL is the address of one of the server's databases, for its superuser.
func (s *Server) URL(database string) string {
	u := url.URL{Scheme: "mysql", User: url.User(superuser), Path: "/" + database, RawQuery: url.Values{"socket": {s.Socket()}}.Encode()}
	return u.String()
}

// stopTime is how long a server may take to end in order.
const stopTime = 20 * time.Second

// Stop ends the server and removes its folder.
func (s *Server) Stop() error {
	if s.process != nil {
		s.halt()
		s.process = nil
	}
	return os.RemoveAll(s.Dir)
}

func (s *Server) halt() {
	_ = s.process.Process.Signal(syscall.SIGTERM) // it may have ended; Windows has no signals
	select {
	case <-s.ended:
		return
	case <-time.After(stopTime):
	}
	_ = s.process.Process.Kill()
	<-s.ended
}
