package local

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

// openShared opens a file so that it can be replaced and removed meanwhile, as
// on the other systems; os.Open does not.
func openShared(path string) (*os.File, error) {
	h, err := createFile(path, windows.GENERIC_READ, windows.FILE_ATTRIBUTE_NORMAL)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}

func createFile(path string, access, flags uint32) (windows.Handle, error) {
	p, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return windows.InvalidHandle, err
	}
	const share = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE
	return windows.CreateFile(p, access, share, nil, windows.OPEN_EXISTING, flags, 0)
}

func rename(from, to string) error {
	if err := move(from, to, windows.MOVEFILE_REPLACE_EXISTING); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

func renameNew(from, to string) error { return move(from, to, 0) }

func remove(path string) error {
	return patiently(func() error { return os.Remove(path) })
}

// move renames with the change written through to the medium, because not every
// file system of Windows lets a folder be flushed.
func move(from, to string, flags uint32) error {
	f, err := windows.UTF16PtrFromString(from)
	if err != nil {
		return err
	}
	t, err := windows.UTF16PtrFromString(to)
	if err != nil {
		return err
	}
	return patiently(func() error { return windows.MoveFileEx(f, t, flags|windows.MOVEFILE_WRITE_THROUGH) })
}

// patiently tries again for up to two seconds while a virus scanner or an
// indexer, who open every new file, stands in the way.
func patiently(do func() error) error {
	err := do()
	for pause := time.Millisecond; pause < 2*time.Second && busy(err); pause *= 2 {
		time.Sleep(pause)
		err = do()
	}
	return err
}

func busy(err error) bool {
	return errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_LOCK_VIOLATION) ||
		errors.Is(err, windows.ERROR_ACCESS_DENIED)
}

// syncDir flushes a folder where Windows allows it. Where it does not, the
// write-through of move has done what can be done.
func syncDir(path string) error {
	h, err := createFile(path, windows.GENERIC_WRITE, windows.FILE_FLAG_BACKUP_SEMANTICS)
	if err != nil {
		return nil
	}
	defer windows.CloseHandle(h)
	err = windows.FlushFileBuffers(h)
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, windows.ERROR_ACCESS_DENIED) ||
		errors.Is(err, windows.ERROR_INVALID_FUNCTION) || errors.Is(err, windows.ERROR_INVALID_PARAMETER) {
		return nil
	}
	return err
}

func space(path string) (free, total uint64, err error) {
	p, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return 0, 0, err
	}
	err = windows.GetDiskFreeSpaceEx(p, &free, &total, nil)
	return free, total, err
}

// device is not asked on Windows: a drive that is gone takes its letter along.
func device(fs.FileInfo) uint64 { return 0 }

func isReadOnly(err error) bool { return errors.Is(err, windows.ERROR_WRITE_PROTECT) }
