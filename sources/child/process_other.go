//go:build !linux

package child

import "syscall"

func signalled(a *syscall.SysProcAttr, _ syscall.Signal) *syscall.SysProcAttr { return a }
