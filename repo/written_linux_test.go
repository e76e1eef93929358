package repo_test

import (
	"bytes"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"chartkeep/repo"
	"chartkeep/repo/repotest"
	"chartkeep/repo/storage"
	"chartkeep/repo/storage/local"
)

// drive mounts a file system that lies in a file, so that the test can change
// what is on the medium while the kernel believes that it knows.
func drive(t *testing.T) (folder, medium string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can mount a drive for the test")
	}
	medium = filepath.Join(t.TempDir(), "medium")
	must(t, os.WriteFile(medium, nil, 0o600))
	must(t, os.Truncate(medium, 32<<20))
	for _, command := range [][]string{{"mkfs.ext4", "-q", "-O", "^has_journal", medium}, {"mount", "-o", "loop", medium, t.TempDir()}} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			if command[0] == "mount" {
				t.Skipf("no drive can be mounted here: %s", out)
			}
			t.Fatalf("%q: %v: %s", command, err, out)
		}
		folder = command[len(command)-1]
	}
	t.Cleanup(func() { unix.Unmount(folder, unix.MNT_DETACH) })
	return folder, medium
}

// A drive that acknowledged a pack and kept something else is found out the same
// night, although the computer still has the right bytes in its memory.
func TestADriveThatLiesIsFoundOut(t *testing.T) {
	folder, medium := drive(t)
	st, err := local.New(folder)
	must(t, err)
	defer storage.Close(st)
	r := repotest.New(t, repotest.Options{Store: st, Init: repo.InitOptions{Parity: 3}, Damaged: true})
	what := written(t, r, 1)
	pack := path.Join("packs", what.Packs[0].String()[:2], what.Packs[0].String())
	good, err := storage.ReadAll(t.Context(), st, pack, 1<<30) // and it is in memory
	must(t, err)
	if faults, _ := verifyWritten(t, r, what); len(faults) > 0 {
		t.Fatal(faults)
	}
	_, err = storage.ReadAll(t.Context(), st, pack, 1<<30)
	must(t, err)
	flipOnMedium(t, medium, good[len(good)/2:][:64])
	remembered, err := storage.ReadAll(t.Context(), st, pack, 1<<30)
	must(t, err)
	if !bytes.Equal(remembered, good) {
		t.Fatal("the kernel did not keep the file in memory; the test proves nothing")
	}
	faults, _ := verifyWritten(t, r, what)
	if len(faults) != 1 || faults[0].File != pack || !faults[0].Mendable {
		t.Errorf("found: %v", faults)
	}
}

// flipOnMedium turns a bit of these bytes where they lie on the medium.
func flipOnMedium(t *testing.T, medium string, where []byte) {
	t.Helper()
	all, err := os.ReadFile(medium)
	must(t, err)
	at := bytes.Index(all, where)
	if at < 0 {
		t.Fatal("the pack is not on the medium")
	}
	f, err := os.OpenFile(medium, os.O_WRONLY, 0)
	must(t, err)
	defer f.Close()
	if _, err := f.WriteAt([]byte{where[0] ^ 1}, int64(at)); err != nil {
		t.Fatal(err)
	}
	must(t, f.Sync())
}
