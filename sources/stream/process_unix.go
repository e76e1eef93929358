//go:build unix

package stream

import (
	"errors"
	"os"
	"syscall"
)

// ownSession makes the command lead a group of processes, apart from this
// one's terminal: there it would be stopped if it asked for a password.
func ownSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

func terminate(p *os.Process) error { return signal(p, syscall.SIGTERM) }

func kill(p *os.Process) error { return signal(p, syscall.SIGKILL) }

// signal sends to the whole group.
func signal(p *os.Process, s syscall.Signal) error {
	err := syscall.Kill(-p.Pid, s)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}
