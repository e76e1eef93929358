package child

import "syscall"

// signalled has the kernel send a signal to a program whose parent died.
func signalled(a *syscall.SysProcAttr, death syscall.Signal) *syscall.SysProcAttr {
	if a == nil {
		a = &syscall.SysProcAttr{}
	}
	a.Pdeathsig = death
	return a
}
