//go:build unix

package child

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// Apart makes a program lead a group of processes, without a terminal on which
// it could ask for a password.
func Apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// Stop tells a program and all that it started to end.
func Stop(p *os.Process) error {
	err := syscall.Kill(-p.Pid, syscall.SIGTERM)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

// Identity is whom a server runs as; nil is whom this process runs as.
type Identity *syscall.Credential

// Account is the identity for a server, which refuses to run as root: the first
// of the names that exists. It is nil if this process is not root.
func Account(names ...string) (Identity, error) {
	if os.Getuid() != 0 {
		return nil, nil
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

// HandOver gives a folder to a server's account.
func HandOver(dir string, as Identity) error {
	if as == nil {
		return nil
	}
	return os.Chown(dir, int(as.Uid), int(as.Gid))
}

// ApartAs is Apart for a program that runs as somebody else.
func ApartAs(as Identity) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Credential: as}
}
