package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// ScratchOptions say what a scratch server is like. The zero value means the
// defaults.
type ScratchOptions struct {
	Dir      string   // a folder of its own is made in it; empty: the system's for temporary files
	Programs string   // folder of initdb and postgres; empty: they are sought
	Major    int      // the version to be had; 0: the newest
	User     string   // account to run as when this process is root; empty: postgres, or else nobody
	Settings []string // more of the server's settings: "shared_buffers=1GB"
}

// A Server is a PostgreSQL server that was started for a short time, in a
// private folder. Nobody reaches it but through a socket in that folder. Its data
// does not survive a crash of the machine, and it never sends its log anywhere.
type Server struct {
	Dir   string // the folder that holds everything; Stop removes it
	Major int    // version
	PID   int

	process *exec.Cmd
	ended   chan struct{} // closed when the process has ended
}

// superuser is the name of a scratch server's only role at first.
const superuser = "postgres"

// scratchSettings trade safety for speed, and keep the server to itself.
var scratchSettings = []string{
	"listen_addresses=", "port=5432", "fsync=off", "full_page_writes=off", "synchronous_commit=off", "archive_mode=off",
	"wal_level=minimal", "max_wal_senders=0", "autovacuum=off", "max_wal_size=4GB", "checkpoint_timeout=1h",
	"shared_buffers=128MB", "maintenance_work_mem=128MB", "max_locks_per_transaction=512", "logging_collector=off", "unix_socket_permissions=0700",
	"shared_preload_libraries=", "max_connections=50",
}

// Scratch makes and starts a server. Stop has to be called.
func Scratch(ctx context.Context, o ScratchOptions) (*Server, error) {
	choice := newestFrom(0)
	if o.Major > 0 {
		choice = exactly(o.Major)
	}
	p, err := findPrograms(ctx, o.Programs, "initdb", choice)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(o.Dir, "pg-") // 0700; short, since a socket's path must be
	if err != nil {
		return nil, err
	}
	s := &Server{Dir: dir, Major: p.major}
	as, err := account(o.User)
	if err == nil {
		err = handOver(dir, as)
	}
	if err == nil {
		err = s.create(ctx, p, as)
	}
	if err == nil {
		err = s.start(p, as, o.Settings)
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

// create makes the server's files.
func (s *Server) create(ctx context.Context, p programs, as identity) error {
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, filepath.Join(p.dir, executable("initdb")), "--pgdata="+s.data(), "--username="+superuser,
		"--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
	cmd.Dir, cmd.SysProcAttr = s.Dir, apartAs(as)
	cmd.Env = append(environment(address{}), "HOME="+s.Dir)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return &ProgramError{Program: "initdb", Err: err, Said: clip(said.String())}
	}
	return nil
}

func (s *Server) start(p programs, as identity, settings []string) error {
	args := []string{"-D", s.data(), "-k", s.Dir}
	for _, v := range append(scratchSettings, settings...) {
		args = append(args, "-c", v)
	}
	log, err := os.OpenFile(s.log(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(filepath.Join(p.dir, executable("postgres")), args...)
	cmd.Dir, cmd.SysProcAttr = s.Dir, apartAs(as)
	cmd.Env = append(environment(address{}), "HOME="+s.Dir)
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
	a := address{info: s.URL("postgres")}
	for {
		conn, err := a.connect(ctx, "")
		if err == nil {
			hangUp(conn)
			return nil
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

// URL is the address of one of the server's databases, for its superuser.
func (s *Server) URL(database string) string {
	q := url.Values{"host": {s.Dir}, "user": {superuser}, "port": {"5432"}, "sslmode": {"disable"}}
	return "postgres:///" + url.PathEscape(database) + "?" + strings.ReplaceAll(q.Encode(), "+", "%20")
}

// stopTime is how long a server may take to end in order.
const stopTime = 10 * time.Second

// Stop ends the server and removes its folder.
func (s *Server) Stop() error {
	if s.process != nil {
		s.halt(quick)
		s.process = nil
	}
	return os.RemoveAll(s.Dir)
}

// halt sends signals, each stronger than the one before, until the server ends.
func (s *Server) halt(signals []os.Signal) {
	for _, sig := range signals {
		_ = s.process.Process.Signal(sig) // it may have ended
		select {
		case <-s.ended:
			return
		case <-time.After(stopTime):
		}
	}
	_ = s.process.Process.Kill()
	<-s.ended
}
