package local_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"chartkeep/repo/storage"
	"chartkeep/repo/storage/local"
)

// mount mounts a drive of its own, of a few megabytes, for the test.
func mount(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=4m,nr_inodes=100,mode=0700")
	if errors.Is(err, unix.EPERM) {
		t.Skip("only root can mount a drive for the test")
	}
	check(t, err)
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

func TestAFullDrive(t *testing.T) {
	dir := mount(t)
	st, err := local.New(dir)
	check(t, err)
	defer st.Close()
	check(t, st.Put(t.Context(), "packs/ab/f", make([]byte, 2<<20)))
	before, total, err := st.Space(t.Context())
	check(t, err)
	if total != 4<<20 || before > 2<<20 {
		t.Errorf("free are %d of %d", before, total)
	}
	is(t, st.Put(t.Context(), "packs/ab/g", make([]byte, 3<<20)), storage.ErrNoSpace)
	is(t, st.Replace(t.Context(), "packs/ab/f", make([]byte, 3<<20)), storage.ErrNoSpace)
	if after, _, _ := st.Space(t.Context()); after != before {
		t.Errorf("failed puts have taken %d bytes for good", before-after)
	}
	_, err = st.Open(t.Context(), "packs/ab/g")
	is(t, err, fs.ErrNotExist)
	check(t, st.Put(t.Context(), "packs/ab/g", make([]byte, 1<<20))) // a smaller one fits

	check(t, os.WriteFile(filepath.Join(dir, "ballast"), make([]byte, 1<<20-1<<15), 0o600))
	check(t, st.Remove(t.Context(), "packs/ab/f")) // room is made on a full drive
	check(t, st.Put(t.Context(), "packs/ab/h", make([]byte, 2<<20)))
}

func TestADriveOutOfInodes(t *testing.T) {
	dir := mount(t)
	for i := 0; ; i++ {
		if err := os.Mkdir(filepath.Join(dir, string(rune('a'+i%26))+string(rune('a'+i/26))), 0o700); err != nil {
			is(t, err, unix.ENOSPC)
			break
		}
	}
	check(t, os.Remove(filepath.Join(dir, "aa")))
	check(t, os.Remove(filepath.Join(dir, "ba")))
	st, err := local.New(dir)
	check(t, err)
	before := len(tree(t, dir))
	for range 3 {
		is(t, st.Put(t.Context(), "f", []byte("x")), storage.ErrNoSpace)
	}
	if now := len(tree(t, dir)); now > before+1 {
		t.Errorf("failed puts have left %d folders", now-before)
	}
}

func TestAReadOnlyDriveCanBeRead(t *testing.T) {
	for name, locked := range map[string]bool{"with a lock file": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			dir := mount(t)
			writer, err := local.New(dir)
			check(t, err)
			check(t, writer.Put(t.Context(), "packs/ab/f", []byte("content")))
			if locked {
				held, err := writer.Lock(t.Context(), storage.Shared, 0)
				check(t, err)
				check(t, held.Close())
			}
			check(t, writer.Close())
			check(t, unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))

			st, err := local.New(dir)
			check(t, err)
			held, err := st.Lock(t.Context(), storage.Shared, 0)
			check(t, err)
			b, err := storage.ReadAll(t.Context(), st, "packs/ab/f", 100)
			check(t, err)
			if string(b) != "content" {
				t.Errorf("read %q", b)
			}
			is(t, st.Put(t.Context(), "packs/ab/g", []byte("x")), unix.EROFS)
			is(t, st.Remove(t.Context(), "packs/ab/f"), unix.EROFS)
			check(t, held.Close())
			if !locked {
				_, err = st.Lock(t.Context(), storage.Exclusive, 0)
				is(t, err, unix.EROFS)
			}
			check(t, st.Close())
		})
	}
}

// What is left of a mount point when the drive is gone is a folder: nothing may
// be written to it, and it must not pass for an empty store.
func TestAnUnmountedDriveIsAbsent(t *testing.T) {
	dir := mount(t)
	used, err := local.New(dir)
	check(t, err)
	unused, err := local.New(dir)
	check(t, err)
	for _, name := range []string{"config", "packs/ab/f"} {
		check(t, used.Put(t.Context(), name, []byte("x")))
	}
	check(t, unix.Unmount(dir, unix.MNT_DETACH))
	isAbsent(t, used)
	isAbsent(t, unused)
	if left := tree(t, dir); len(left) > 0 {
		t.Errorf("in the mount point are %q", left)
	}
}
