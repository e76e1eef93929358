package local

import (
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// uncache maps the file and has the kernel invalidate what it keeps of it, as
// vmtouch does: F_NOCACHE alone would still be served from pages that are there.
func uncache(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	pages, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return &fs.PathError{Op: "mmap", Path: path, Err: err}
	}
	defer unix.Munmap(pages)
	if err := unix.Msync(pages, unix.MS_INVALIDATE); err != nil {
		return &fs.PathError{Op: "msync", Path: path, Err: err}
	}
	return nil
}
