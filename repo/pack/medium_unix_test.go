//go:build !windows

package pack

import "syscall"

const badMediumError = syscall.EIO
