//go:build !unix

package child

import (
	"os"
	"syscall"
)

// Apart is for systems that have groups of processes.
func Apart() *syscall.SysProcAttr { return nil }

// Stop ends a program.
func Stop(p *os.Process) error { return p.Kill() }

// Identity is whom a server runs as: whom this process runs as.
type Identity struct{}

// Account is this process's.
func Account(...string) (Identity, error) { return Identity{}, nil }

// HandOver has nothing to do.
func HandOver(string, Identity) error { return nil }

// ApartAs is Apart.
func ApartAs(Identity) *syscall.SysProcAttr { return nil }
