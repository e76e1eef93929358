//go:build unix

package restore_test

import (
	"os"
	"syscall"
	"testing"
)

// allocated is how much a file takes on its drive, bytes.
func allocated(t *testing.T, p string) int64 {
	t.Helper()
	info, err := os.Stat(p)
	must(t, err)
	return info.Sys().(*syscall.Stat_t).Blocks * 512
}
