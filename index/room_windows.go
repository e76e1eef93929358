package index

import "golang.org/x/sys/windows"

// room returns the bytes that can still be written to the disk that dir is on.
func room(dir string) (uint64, error) {
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	var free uint64
	err = windows.GetDiskFreeSpaceEx(name, &free, nil, nil)
	return free, err
}
