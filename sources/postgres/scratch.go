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
	"syscall"
	"time"

	"chartkeep/sources/child"
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
// does not survive a crash of the machine, the server does not survive this
// process, and it never sends its log anywhere.
type Server struct {
	Dir   string // the folder that holds everything; Stop removes it
	Major int    // version
	PID   int

	folder  *child.Folder
	process *child.Process
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
	folder, err := child.MakeFolder(o.Dir, "pg-") // short, since a socket's path must be
	if err != nil {
		return nil, fmt.Errorf("scratch server: %w", err)
	}
	s := &Server{Dir: folder.Path, Major: p.major, folder: folder}
	as, err := child.Account(accounts(o.User)...)
	if err == nil {
		err = child.HandOver(s.Dir, as)
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

// accounts are whom a server may run as, the first that exists.
func accounts(asked string) []string {
	if asked != "" {
		return []string{asked}
	}
	return []string{"postgres", "nobody"}
}

func (s *Server) data() string { return filepath.Join(s.Dir, "data") }
func (s *Server) log() string  { return filepath.Join(s.Dir, "log") }

// create makes the server's files.
func (s *Server) create(ctx context.Context, p programs, as child.Identity) error {
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, filepath.Join(p.dir, executable("initdb")), "--pgdata="+s.data(), "--username="+superuser,
		"--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
	cmd.Dir, cmd.SysProcAttr = s.Dir, child.ApartAs(as)
	cmd.Env = append(environment(address{}), "HOME="+s.Dir)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return &ProgramError{Program: "initdb", Err: err, Said: clip(said.String())}
	}
	return nil
}

func (s *Server) start(p programs, as child.Identity, settings []string) error {
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
	cmd.Dir, cmd.SysProcAttr = s.Dir, child.ApartAs(as)
	cmd.Env = append(environment(address{}), "HOME="+s.Dir)
	cmd.Stdout, cmd.Stderr = log, log
	if s.process, err = child.Start(cmd, syscall.SIGQUIT); err != nil { // the signal for an immediate shutdown
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
	a := address{info: s.URL("postgres")}
	for {
		conn, err := a.connect(ctx, "")
		if err == nil {
			hangUp(conn)
			return nil
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
		s.process.Halt(stopTime, syscall.SIGINT, syscall.SIGQUIT) // a fast shutdown, then an immediate one
		s.process = nil
	}
	return s.folder.Remove()
}
