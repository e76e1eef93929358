//go:build !unix

package postgres

import (
	"os"
	"syscall"
)

var quick []os.Signal // there are no signals; the server's processes end with it

func apart() *syscall.SysProcAttr { return nil }

func stop(p *os.Process) error { return p.Kill() }

type identity struct{}

func account(string) (identity, error) { return identity{}, nil }

func handOver(string, identity) error { return nil }

func apartAs(identity) *syscall.SysProcAttr { return nil }
