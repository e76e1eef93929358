//go:build !windows

package main

import (
	"os"
	"syscall"
)

// identify returns what the file system knows a folder by.
func identify(dir string) (identity, bool) {
	info, err := os.Stat(dir)
	if err != nil {
		return identity{}, false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return identity{}, false
	}
	return identity{uint64(st.Dev), st.Ino}, true // Dev is an int32 on macOS
}
