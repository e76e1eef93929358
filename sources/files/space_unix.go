//go:build linux || darwin

package files

import "golang.org/x/sys/unix"

// Space returns the bytes free for this user, and all, on the target's file
// system.
func (t *Target) Space() (free, total uint64, err error) {
	var st unix.Statfs_t
	h, err := t.top.acquire()
	if err != nil {
		return 0, 0, pathError("statfs", t.top.name, err)
	}
	defer t.top.release()
	if err := unix.Fstatfs(int(h), &st); err != nil {
		return 0, 0, pathError("statfs", t.top.name, err)
	}
	return uint64(st.Bavail) * uint64(st.Bsize), uint64(st.Blocks) * uint64(st.Bsize), nil
}
