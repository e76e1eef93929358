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

	"chartkeep/sources/child"
)

// ScratchOptions say what a scratch server is like. The zero value means the
// defaults.
type ScratchOptions struct {
	Dir      string   // a folder of its own is made in it; empty: the system's for temporary files
	Programs string   // folder of the server's programs; empty: they are sought
	User     string   // account to run as when this process is root; empty: mysql, or else nobody
	Settings []string // more of the server's settings: "innodb-buffer-pool-size=1G"
	Like     string   // "MySQL 8.4.3": of this kind, and not older; empty: any
}

// A Server is a MariaDB or MySQL server that was started for a short time, in a
// private folder. Nobody reaches it but through a socket in that folder, and it
// runs no events. Its data does not survive a crash of the machine, and the
// server does not survive this process.
type Server struct {
	Dir     string // the folder that holds everything; Stop removes it
	Version string // as the server says it
	PID     int

	folder  *child.Folder
	process *child.Process
}

// scratchSettings trade safety for speed, and keep the server to itself.
var scratchSettings = []string{
	"skip-networking", "event-scheduler=OFF", "skip-log-bin", "local-infile=1", "max-allowed-packet=1G", "performance-schema=OFF",
	"innodb-flush-log-at-trx-commit=0", "innodb-doublewrite=0", "innodb-fast-shutdown=2", "innodb-buffer-pool-size=256M",
	"loose-innodb-log-file-size=256M", "loose-innodb-redo-log-capacity=512M", "key-buffer-size=64M", "loose-mysqlx=OFF", "loose-log-warnings=0", "loose-secure-file-priv=",
}

// Scratch makes and starts a server. Stop has to be called.
func Scratch(ctx context.Context, o ScratchOptions) (*Server, error) {
	daemon, err := findDaemon(ctx, o.Programs, o.Like)
	if err != nil {
		return nil, fmt.Errorf("scratch server: %w", err)
	}
	folder, err := child.MakeFolder(o.Dir, "my-") // short, since a socket's path must be
	if err != nil {
		return nil, fmt.Errorf("scratch server: %w", err)
	}
	s := &Server{Dir: folder.Path, folder: folder}
	as, err := child.Account(accounts(o.User)...)
	if err == nil {
		err = child.HandOver(s.Dir, as)
	}
	if err == nil {
		err = s.create(ctx, daemon, o.Programs, as)
	}
	if err == nil {
		err = s.start(daemon, as, o.Settings)
	}
	if err == nil {
		err = s.await(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("scratch server: %w", errors.Join(err, s.Stop()))
	}
	return s, nil
}

// accounts are whom a server may run as, the first that exists.
func accounts(asked string) []string {
	if asked != "" {
		return []string{asked}
	}
	return []string{"mysql", "nobody"}
}

func (s *Server) data() string { return filepath.Join(s.Dir, "data") }
func (s *Server) log() string  { return filepath.Join(s.Dir, "log") }

// Socket is the path of the server's socket.
func (s *Server) Socket() string { return filepath.Join(s.Dir, "s") }

// create makes the server's files. The only user is root, without a password.
func (s *Server) create(ctx context.Context, daemon, programs string, as child.Identity) error {
	v, err := programVersion(ctx, daemon)
	if err != nil {
		return err
	}
	args := []string{daemon, "--no-defaults", "--initialize-insecure", "--datadir=" + s.data(), "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0"}
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
func (s *Server) prepare(cmd *exec.Cmd, as child.Identity) {
	cmd.Dir, cmd.SysProcAttr = s.Dir, child.ApartAs(as)
	cmd.Env = append(environment(), "HOME="+s.Dir, "TMPDIR="+s.Dir)
}

func (s *Server) start(daemon string, as child.Identity, settings []string) error {
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
	if s.process, err = child.Start(cmd, syscall.SIGKILL); err != nil {
		return err
	}
	s.PID = s.process.PID()
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
		case <-s.process.Ended():
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
		s.process.Halt(stopTime, syscall.SIGTERM)
		s.process = nil
	}
	return s.folder.Remove()
}
