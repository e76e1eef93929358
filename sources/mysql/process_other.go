//go:build !unix

package mysql

import (
	"os"
	"syscall"
)

func apart() *syscall.SysProcAttr { return nil }

func stop(p *os.Process) error { return p.Kill() }

type identity struct{}

func account(string) (identity, error) { return identity{}, nil }

func handOver(string, identity) error { return nil }

func apartAs(identity) *syscall.SysProcAttr { return nil }
