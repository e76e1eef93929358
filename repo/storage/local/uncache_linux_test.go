package local_test

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"chartkeep/repo/storage/local"
)

// onMedium returns a folder that does not lie in memory.
func onMedium(t *testing.T) string {
	t.Helper()
	for _, dir := range []string{"", "."} {
		dir, err := os.MkdirTemp(dir, "uncache")
		check(t, err)
		t.Cleanup(func() { os.RemoveAll(dir) })
		var st unix.Statfs_t
		check(t, unix.Statfs(dir, &st))
		if st.Type != unix.TMPFS_MAGIC {
			return dir
		}
	}
	t.Skip("every folder here lies in memory")
	return ""
}

func TestWhatIsNotCachedComesFromTheDrive(t *testing.T) {
	dir := onMedium(t)
	st, err := local.New(dir)
	check(t, err)
	defer st.Close()
	const name, size = "packs/ab/f", 8 << 20
	check(t, st.Put(t.Context(), name, make([]byte, size)))
	_, err = os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	check(t, err)
	f, err := os.Open(filepath.Join(dir, filepath.FromSlash(name)))
	check(t, err)
	defer f.Close()
	if n := resident(t, f, size); n < 2000 {
		t.Fatalf("%d pages of the file are in memory after it was read", n)
	}
	check(t, st.Uncache(t.Context(), name))
	if n := resident(t, f, size); n != 0 {
		t.Errorf("%d pages of the file are still in memory", n)
	}
}
