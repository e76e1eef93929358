package files

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"chartkeep/sources"
)

// needRoot skips what only root can set up.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
}

// asNobody does something without root's rights.
func asNobody(t *testing.T, do func()) {
	t.Helper()
	needRoot(t)
	const nobody = 65534
	if err := syscall.Setresgid(-1, nobody, -1); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setresuid(-1, nobody, -1); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(syscall.Setresuid(-1, 0, -1), syscall.Setresgid(-1, 0, -1)); err != nil {
			t.Fatal(err)
		}
	}()
	do()
}

// publicDir is a temporary folder that every user can reach.
func publicDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for p := dir; p != os.TempDir() && p != "/"; p = filepath.Dir(p) {
		must(t, os.Chmod(p, 0o755))
	}
	return dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// openHandles counts this process's file descriptors.
func openHandles(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	return len(list)
}

// entryOf returns the entry of one path.
func entryOf(t *testing.T, path string) sources.Entry {
	t.Helper()
	list := walkAll(t, Options{Paths: []string{path}}, path)
	if len(list) == 0 {
		t.Fatalf("%s: no entry", path)
	}
	return list[0]
}

// dig makes a chain of folders deeper than any path may be long, and calls do
// in the last one.
func dig(t *testing.T, root string, levels int, name string, do func(fd int)) {
	t.Helper()
	fd, err := unix.Open(root, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	must(t, err)
	for range levels {
		must(t, unix.Mkdirat(fd, name, 0o755))
		next, err := unix.Openat(fd, name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
		must(t, err)
		must(t, unix.Close(fd))
		fd = next
	}
	do(fd)
	must(t, unix.Close(fd))
}

func readAll(t *testing.T, c sources.Content) string {
	t.Helper()
	f, err := c.Open()
	must(t, err)
	b, err := io.ReadAll(f)
	must(t, errors.Join(err, f.Close()))
	return string(b)
}
