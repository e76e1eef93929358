//go:build unix

package mysql

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// apart makes a program lead a group of processes, without a terminal on which
// it could ask for a password.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// stop tells a program and all that it started to end.
func stop(p *os.Process) error {
	err := syscall.Kill(-p.Pid, syscall.SIGTERM)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

// identity is whom a server runs as; nil is whom this process runs as.
type identity *syscall.Credential

// account is the identity for a server, which refuses to run as root.
func account(name string) (identity, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	names := []string{name}
	if name == "" {
		names = []string{"mysql", "nobody"}
	}
	for _, n := range names {
		u, err := user.Lookup(n)
		if err != nil {
			continue
		}
		uid, errUser := strconv.ParseUint(u.Uid, 10, 32)
		gid, errGroup := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(errUser, errGroup); err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, fmt.Errorf("no account %q to run a server as, which root may not", names)
}

// handOver gives a folder to a server's account.
func handOver(dir string, as identity) error {
	if as == nil {
		return nil
	}
	return os.Chown(dir, int(as.Uid), int(as.Gid))
}

func apartAs(as identity) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Credential: as}
}
