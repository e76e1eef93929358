package files

import "golang.org/x/sys/windows"

// Space returns the bytes free for this user, and all, on the target's volume.
func (t *Target) Space() (free, total uint64, err error) {
	dir, err := windows.UTF16PtrFromString(t.top.name)
	if err == nil {
		err = windows.GetDiskFreeSpaceEx(dir, &free, &total, nil)
	}
	return free, total, pathError("free space", t.top.name, err)
}
