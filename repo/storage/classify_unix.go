//go:build !windows

package storage

import "syscall"

var noSpace = []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT}

const readOnly = syscall.EROFS

// absent are the errors of a pulled drive, a dead FUSE server and a file server
// out of reach. EIO is not among them: it is what a bad sector says.
var absent = []syscall.Errno{
	syscall.ENODEV, syscall.ENXIO, syscall.ENOTCONN, syscall.ESTALE,
	syscall.EHOSTDOWN, syscall.EHOSTUNREACH, syscall.ENETUNREACH,
}
