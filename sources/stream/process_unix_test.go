//go:build unix

package stream

import "syscall"

// running reports whether there is a process.
func running(pid int) bool { return syscall.Kill(pid, 0) == nil }
