//go:build unix

package config

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// guarded fails when others may write the file, or replace it.
func guarded(path string, info fs.FileInfo) error {
	if info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s: others may write it, and so have any command run; chmod go-w", path)
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && owner.Uid != 0 && int(owner.Uid) != os.Geteuid() {
		return fmt.Errorf("%s belongs to another user, who could have any command run; chown it to yourself or root", path)
	}
	dir, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return err
	}
	if dir.Mode().Perm()&0o002 != 0 && dir.Mode()&fs.ModeSticky == 0 {
		return fmt.Errorf("%s lies in a folder that everybody may write, and so replace it; chmod o-w the folder", path)
	}
	return nil
}

// readable reports whether others than the owner may read the file.
func readable(info fs.FileInfo) bool { return info.Mode().Perm()&0o044 != 0 }
