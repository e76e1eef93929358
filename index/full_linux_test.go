package index

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestADiskThatTakesNoPageIsAnError opens a cache on disks that are full at every page of what Badger makes, though
// there was said to be room. Its files are mapped, so that it is told by a fault.
func TestADiskThatTakesNoPageIsAnError(t *testing.T) {
	plenty := func(string) (uint64, error) { return 1 << 40, nil }
	refused := 0
	for pages := 1; ; pages++ {
		dir := t.TempDir()
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", pages*os.Getpagesize())); err != nil {
			t.Skipf("no disk can be mounted here: %v", err)
		}
		t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
		ix, err := Open(filepath.Join(dir, "cache"), [32]byte{1}, Options{room: plenty})
		if err != nil {
			refused++
			continue
		}
		if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT, "size=64m"); err != nil {
			t.Fatal(err)
		}
		if err := ix.Close(); err != nil {
			t.Error(err)
		}
		break
	}
	if refused < 3 {
		t.Errorf("only %d sizes were too small", refused)
	}
}
