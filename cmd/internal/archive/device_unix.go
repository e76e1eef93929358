//go:build !windows

package archive

import "golang.org/x/sys/unix"

// deviceNumbers takes a device number apart.
func deviceNumbers(rdev uint64) (major, minor int64) {
	return int64(unix.Major(rdev)), int64(unix.Minor(rdev))
}
