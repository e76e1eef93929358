package local

import (
	"io/fs"

	"golang.org/x/sys/windows"
)

// uncache opens the file unbuffered, which nobody reads from: NTFS and FAT purge
// what they have cached of a file when it is opened so and nobody else has it
// open.
func uncache(path string) error {
	h, err := createFile(path, windows.GENERIC_READ, windows.FILE_FLAG_NO_BUFFERING)
	if err != nil {
		return &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return windows.CloseHandle(h)
}
