//go:build linux || darwin || freebsd

package index

import "golang.org/x/sys/unix"

// room returns the bytes that can still be written to the disk that dir is on.
func room(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return uint64(max(int64(s.Bavail), 0)) * uint64(s.Bsize), nil
}
