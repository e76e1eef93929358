package proof_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"chartkeep/repo/storage/local"
)

// The drive of these tests, a real one in memory, which only root can make; what
// they show of the store's side, TestAStoreWithoutRoomHarmsNothing shows to all.
const driveSize = 24 << 20

// drive is an office whose repository lies on a small drive.
type drive struct {
	*office
	whole string // a copy of the repository
	last  tree   // what was saved last
}

// newDrive saves three nights, of which much is no longer needed when the first
// two are forgotten.
func newDrive(t *testing.T) *drive {
	needsRoot(t)
	d := &drive{office: newOffice(t, defaultParity)}
	src := d.path("src")
	for n := 1; n <= 3; n++ {
		d.last = night(n)
		d.last["srv/ct"] = noise(byte(n), 3<<20)
		d.last["srv/pano"] = noise(9, 1<<20)
		must(t, os.RemoveAll(src))
		d.last.plant(t, src)
		d.exits(0, "backup", src)
	}
	d.whole = d.path("whole")
	must(t, os.Rename(d.path("repo"), d.whole))
	must(t, os.Mkdir(d.path("repo"), 0o700))
	next := night(4)
	next["srv/ct"] = noise(4, 3<<20)
	next.plant(t, d.path("next"))
	return d
}

// mount makes the drive anew, with so much free.
func (d *drive) mount(free int64, reserve bool) {
	d.Helper()
	must(d, syscall.Mount("tmpfs", d.path("repo"), "tmpfs", 0, fmt.Sprintf("size=%d", driveSize)))
	if out, err := exec.Command("cp", "-a", d.whole+"/.", d.path("repo")).CombinedOutput(); err != nil {
		d.Fatalf("%s", out)
	}
	if !reserve {
		must(d, os.Remove(d.path("repo", "reserve")))
	}
	st, err := local.New(d.path("repo"))
	must(d, err)
	is, _, err := st.Space(d.Context())
	must(d, err)
	must(d, os.WriteFile(d.path("repo", "other-data"), make([]byte, int64(is)-free), 0o600))
	if left := d.free(); left != free {
		d.Fatalf("%d bytes are free, want %d", left, free)
	}
}

func (d *drive) unmount() { must(d, syscall.Unmount(d.path("repo"), 0)) }

func (d *drive) free() int64 {
	st, err := local.New(d.path("repo"))
	must(d, err)
	is, _, err := st.Space(d.Context())
	must(d, err)
	return int64(is)
}

// TestADriveThatIsFullHarmsNothing backs up, lists, restores, forgets and prunes on
// drives with ever more free space, from nothing up.
func TestADriveThatIsFullHarmsNothing(t *testing.T) {
	t.Parallel()
	d := newDrive(t)
	defer syscall.Unmount(d.path("repo"), syscall.MNT_DETACH)
	const step = 64 << 10
	steps := []int64{0, 1, 4, 17, 40, 90}
	if *full {
		steps = nil
		for i := range int64(100) {
			steps = append(steps, i)
		}
	}
	failed := 0
	for _, reserve := range []bool{true, false} {
		for _, i := range steps {
			d.mount(i*step, reserve)
			if d.hold(reserve) {
				failed++
			}
			d.unmount()
			if t.Failed() {
				t.Fatalf("with %d KiB free, reserve: %v", i*step>>10, reserve)
			}
		}
	}
	if failed == 0 || failed == 2*len(steps) {
		t.Errorf("of %d backups %d found no room", 2*len(steps), failed)
	}
}

// hold does on one drive all that has to work, and reports whether the backup
// found no room.
func (d *drive) hold(reserve bool) (noRoom bool) {
	o := d.run("backup", d.path("next"))
	said := o.stderr.String()
	switch noRoom = o.code != 0; {
	case noRoom && (o.code != 1 || !strings.Contains(said, "no space left") || !strings.Contains(said, "chartkeep forget")):
		d.Errorf("the backup exits with %d\n%s", o.code, said)
	case noRoom && reserve && !d.hasReserve():
		d.Errorf("the backup has used the reserve up")
	}
	d.exits(0, "check", "--read-data")
	d.exits(0, "snapshots")
	d.comesBack()

	before := d.free()
	d.exits(0, "forget", "--keep-last", "1", "--prune")
	if freed := d.free() - before; freed < 5<<20 {
		d.Errorf("forgetting 6 MiB has freed %d bytes", freed)
	}
	d.exits(0, "check", "--read-data")
	d.comesBack()
	if !d.hasReserve() {
		d.Errorf("no reserve is left after the prune")
	}
	d.exits(0, "backup", d.path("next"))
	return noRoom
}

func (d *drive) hasReserve() bool {
	_, err := os.Stat(d.path("repo", "reserve"))
	return err == nil
}

// comesBack restores what was saved before the drive was full.
func (d *drive) comesBack() {
	d.Helper()
	out := d.path("out")
	must(d, os.RemoveAll(out))
	d.exits(0, "restore", "latest:"+d.path("src"), "--path", d.path("src"), "--target", out, "--verify")
	if got := read(d, out); len(differencesOf(d.last, got)) > 0 {
		d.Errorf("other files come back: %v", differencesOf(d.last, got))
	}
}

// differencesOf names the files that two trees do not have alike.
func differencesOf(a, b tree) (names []string) {
	for n := range a {
		if b[n] != a[n] {
			names = append(names, n)
		}
	}
	for n := range b {
		if _, ok := a[n]; !ok {
			names = append(names, n)
		}
	}
	return names
}
