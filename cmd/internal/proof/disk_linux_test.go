package proof_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A disk is a real file system in an image, whose power can be cut: the kernel's
// own request to shut it down stops everything that has not reached it.
type disk struct {
	testing.TB
	kind, dir string
	device    string // a loop device; while the image is attached to it, it is the disk
}

func newDisk(t testing.TB, kind, in string) *disk {
	t.Helper()
	d := &disk{TB: t, kind: kind, dir: in + "/disk"}
	image := in + "/image"
	size, quiet := int64(256<<20), "-F"
	if kind == "xfs" {
		size, quiet = 300<<20, "-f" // its least
	}
	must(t, os.WriteFile(image, nil, 0o600))
	must(t, os.Truncate(image, size))
	must(t, os.Mkdir(d.dir, 0o700))
	d.do("mkfs."+kind, "-q", quiet, image)
	out, err := exec.Command("losetup", "--find", "--show", image).Output()
	if err != nil {
		t.Skipf("no loop device here: %v", err)
	}
	d.device = strings.TrimSpace(string(out))
	t.Cleanup(func() {
		unix.Unmount(d.dir, unix.MNT_DETACH)
		d.do("losetup", "--detach", d.device)
	})
	d.mount()
	return d
}

func (d *disk) do(args ...string) {
	d.Helper()
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		d.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (d *disk) mount() {
	d.Helper()
	if err := unix.Mount(d.device, d.dir, d.kind, 0, ""); err != nil {
		d.Fatalf("mount %s: %v", d.device, err)
	}
}

// cut cuts the power. With flush the journal's records up to now are on the disk,
// as if the last moment had been a quiet one.
func (d *disk) cut(flush bool) {
	d.Helper()
	f, err := os.Open(d.dir)
	must(d, err)
	defer f.Close()
	const shutdown = 0x8004587d // EXT4_IOC_SHUTDOWN, XFS_IOC_GOINGDOWN
	how := 2                    // the journal as it is
	if flush {
		how = 1
	}
	must(d, unix.IoctlSetPointerInt(int(f.Fd()), shutdown, how))
}

// again unmounts it and mounts it as it is found when the power is back. A program
// that is being started beside it has what this one has open for a moment, or for
// long on a busy machine; and one with mounts of its own has this disk among them,
// and it is not read again before that one ends.
func (d *disk) again() {
	d.Helper()
	began := time.Now()
	wait := func(what string, err error) {
		d.Helper()
		if time.Since(began) > 5*time.Minute {
			d.Fatalf("%s %s: %v", what, d.dir, err)
		}
		time.Sleep(time.Millisecond)
	}
	for {
		err := unix.Unmount(d.dir, 0)
		if err == nil {
			break
		}
		if !errors.Is(err, unix.EBUSY) {
			d.Fatalf("unmount %s: %v", d.dir, err)
		}
		wait("unmount", err)
	}
	for alive := filepath.Join("/sys/fs", d.kind, filepath.Base(d.device)); ; {
		if _, err := os.Stat(alive); err != nil {
			break
		}
		wait("unmount", errors.New("somebody else has it mounted"))
	}
	d.mount()
}
