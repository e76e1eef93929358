//go:build !unix

package stream

import (
	"os"
	"syscall"
)

func ownSession() *syscall.SysProcAttr { return nil }

func terminate(p *os.Process) error { return p.Kill() }

func kill(p *os.Process) error { return p.Kill() }
