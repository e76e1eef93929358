package proof_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A disk is a real file system in an image, whose power can be cut: the kernel's
// own request to shut it down stops everything that has not reached it.
type disk struct {
	testing.TB
	kind, image, dir string
	mounted          bool // before
}

func newDisk(t testing.TB, kind, in string) *disk {
	t.Helper()
	d := &disk{TB: t, kind: kind, image: in + "/image", dir: in + "/disk"}
	size, quiet := int64(256<<20), "-F"
	if kind == "xfs" {
		size, quiet = 300<<20, "-f" // its least
	}
	must(t, os.WriteFile(d.image, nil, 0o600))
	must(t, os.Truncate(d.image, size))
	must(t, os.Mkdir(d.dir, 0o700))
	d.do("mkfs."+kind, "-q", quiet, d.image)
	d.mount()
	t.Cleanup(func() { unix.Unmount(d.dir, unix.MNT_DETACH) }) // which detaches the loop device, too
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
	if out, err := exec.Command("mount", "-t", d.kind, "-o", "loop", d.image, d.dir).CombinedOutput(); err != nil {
		if !d.mounted {
			d.Skipf("no drive can be mounted here: %s", out)
		}
		d.Fatalf("mount the drive again: %v\n%s", err, out)
	}
	d.mounted = true
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

// again unmounts it and mounts it as it is found when the power is back.
func (d *disk) again() {
	d.Helper()
	d.do("umount", d.dir)
	d.mount()
}
